/**
 * A run may or may not have happened. What is harmless to repeat is repeated; a write is settled by content
 * hashes; what cannot be undone waits for a person; the rest is told to the model plainly. Never a silent re-run,
 * never a silent loss.
 */
import type { CallState, SessionState } from "../state.ts";
import type { Now } from "../step.ts";
import { awaitApproval, isAsAsked } from "./people.ts";
import { outcomeUnknown, reconciled } from "./results.ts";
import { type CallStep, prepareIntent, startRun } from "./run.ts";
import { canRun } from "./sandbox.ts";

/** Runs of one call before the model is told instead. */
const RUNS_MAX = 5;

/** The next step for a call in doubt. */
export function inDoubt(state: SessionState, now: Now, call: CallState): CallStep {
  if (call.run >= RUNS_MAX)
    return { kind: "event", event: outcomeUnknown(call, `it was cut short ${call.run} times`) };
  if (call.finding === "not_started" && call.effect !== "reconcilable") return again(state, now, call);
  switch (call.effect) {
    case "read_only":
    case "idempotent":
      return again(state, now, call);
    case "reconcilable":
      return reconcile(state, now, call);
    case "side_effect":
      return {
        kind: "event",
        event: outcomeUnknown(call, "the sandbox or its daemon died while the command ran"),
      };
    case "irreversible":
      return byPerson(state, now, call);
  }
}

function again(state: SessionState, now: Now, call: CallState): CallStep {
  if (!canRun(state)) return { kind: "sandbox" };
  return { kind: "event", event: startRun(state, now, call) };
}

function reconcile(state: SessionState, now: Now, call: CallState): CallStep {
  if (!canRun(state)) return { kind: "sandbox" };
  if (call.prepared === null) return { kind: "intent", intent: prepareIntent(state, call) };
  const { intended, prepared } = call;
  if (intended !== null && prepared.before === intended.after)
    return { kind: "event", event: reconciled(call) };
  if (intended !== null && prepared.before === intended.before) return again(state, now, call);
  return { kind: "event", event: outcomeUnknown(call, "the file has neither its old nor its new content") };
}

function byPerson(state: SessionState, now: Now, call: CallState): CallStep {
  if (call.confirmation === "allow" && isAsAsked(state, now, call)) return again(state, now, call);
  if (call.confirmation === "deny") {
    return {
      kind: "event",
      event: outcomeUnknown(call, call.denyMessage ?? "a person decided not to run it again"),
    };
  }
  return awaitApproval(state, now, call, "in_doubt");
}
