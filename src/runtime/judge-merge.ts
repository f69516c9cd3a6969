/**
 * The last verdict before work is merged: about the merged files, under the session's contract, held against what is
 * checked out, because people may have changed tests and code since the session began. Nothing is written to its log.
 */
import { NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import { wantedLayer } from "../core/rules/environment.ts";
import type { SessionState } from "../core/state.ts";
import type { Verdict } from "../referee/findings.ts";
import type { OnFact } from "../referee/parts.ts";
import type { Merge } from "../workspace/contract.ts";
import { newSessionId } from "./client.ts";
import type { OpenHarness } from "./open.ts";
import { isIsolated } from "./registry.ts";
import { verdictRequest } from "./session-referee.ts";

/** What is judged. */
export interface MergeToJudge {
  readonly state: SessionState;
  readonly merge: Merge;
  /** Of the working tree that it is merged into. */
  readonly folder: string;
}

/** @throws NightshiftError `E_PREFLIGHT` when the checks cannot run on what is checked out */
export async function judgeMerge(
  harness: OpenHarness,
  { state, merge, folder }: MergeToJudge,
  signal: AbortSignal,
  onFact: OnFact,
): Promise<Verdict> {
  const { config, contract } = state;
  if (config === null || contract === null)
    throw new NightshiftError("E_USAGE", `${state.sessionId} has no contract to judge by`);
  const workspaces = await harness.workspaces();
  // Of nobody's log: what is left of it after a crash belongs to no session, and `gc` takes it.
  const place = newSessionId(harness);
  try {
    const { backend } = config.sandbox;
    const options = {
      ...({ dirty: "ignore", base: merge.head, atMs: harness.clock.wallMs() } as const),
      copies: !isIsolated(backend),
    };
    const { base } = await workspaces.prepare(place, folder, options, signal);
    await merge.giveTo(place);
    const preflight = await runChecks(harness, state, place, base, signal);
    const layer = wantedLayer(state);
    const parts = await harness.refereeParts(config, place, layer && { ...layer, commit: merge.commit });
    const { giveVerdict } = await import("../referee/index.ts");
    const about = { number: contract.verdicts + 1, epoch: null, commit: merge.commit, done: [] };
    const request = await verdictRequest(harness.store, state, about);
    return await giveVerdict(parts, { ...request, sessionId: place, base, preflight }, signal, onFact);
  } finally {
    await workspaces.remove(place);
  }
}

async function runChecks(
  harness: OpenHarness,
  { config, contract }: SessionState,
  sessionId: SessionId,
  base: string,
  signal: AbortSignal,
): Promise<EventBody<"preflight.finished">> {
  if (config === null || contract === null) throw new NightshiftError("E_INTERNAL", "there is a contract");
  const { runPreflight } = await import("../referee/index.ts");
  const parts = await harness.refereeParts(config, sessionId, null);
  // What was to be earned may be there already, by somebody else's work: then it has to stay.
  const criteria = contract.contract.criteria.map((each) => ({ ...each, role: null }));
  const asked = { sessionId, epoch: null, contract: { ...contract.contract, criteria }, base };
  const preflight = await runPreflight(parts, asked, signal);
  const [problem] = preflight.problems;
  if (problem === undefined) return preflight;
  throw new NightshiftError(
    "E_PREFLIGHT",
    `the checks cannot run on what is checked out: ${problem.message}`,
    {
      hint: "Mend what the checks need there, then apply again; nothing was changed.",
    },
  );
}
