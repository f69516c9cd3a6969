/** Writes that the contract forbids, or that bring back what was given up: refused before anything happens. */
import { checkableConstraints } from "../contract/constraints.ts";
import { type EventInput, event } from "../events/index.ts";
import type { CallState, SessionState } from "../state.ts";
import { neverRan } from "./results.ts";

/** The refusal of a call whose file was looked at; null when it may run. */
export function refusedWrite(state: SessionState, call: CallState): readonly EventInput[] | null {
  if (call.prepared === null || call.path === null) return null;
  const { path } = call;
  const { contract, attempts } = state;
  const forbidden = contract === null ? null : checkableConstraints(contract.contract).forbids(path);
  if (forbidden !== null) {
    const text = `Not done: the contract says "${forbidden}", and ${path} is one of these files. Find another way.`;
    return [neverRan(call, "refused", text)];
  }
  const { after } = call.prepared;
  const known = attempts.rejected.find((each) => each.path === path && each.hash === after);
  if (known === undefined || after === null) return null;
  const text = `Not done: this would make ${path} what it was before and was given up for (${known.reason}). Do something else; if you have a new reason for it, say it and make the same call again.`;
  return [
    event("attempt.repeat_refused", { call: call.call, path, hash: after, reason: known.reason }),
    neverRan(call, "refused", text),
  ];
}
