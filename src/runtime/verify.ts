/** A verdict that no driver asks for: about any commit, under the contract of a session. Nothing is written to its log. */
import { NightshiftError } from "../core/errors.ts";
import type { SessionId } from "../core/ids.ts";
import { wantedLayer } from "../core/rules/environment.ts";
import type { Verdict } from "../referee/findings.ts";
import type { OnFact } from "../referee/parts.ts";
import { loadState } from "./load.ts";
import type { OpenHarness } from "./open.ts";
import { verdictRequest } from "./session-referee.ts";

/** Which commit. */
export interface VerifyRequest {
  readonly sessionId: SessionId;
  /** Null: the one of the newest verdict, else the newest checkpoint. */
  readonly revision: string | null;
  /** Of the repository that the revision is looked for in; only read. */
  readonly folder: string;
}

/**
 * Runs the checks of the contract in force, with the waivers and decisions in the log.
 * @throws NightshiftError `E_USAGE` without a contract whose checks have run on the base; `E_WORKSPACE_*`
 */
export async function verifyCommit(
  harness: OpenHarness,
  { sessionId, revision, folder }: VerifyRequest,
  signal: AbortSignal,
  onFact: OnFact,
): Promise<Verdict> {
  const state = await loadState(harness.store, sessionId);
  const { contract, config, workspace } = state;
  if (contract === null || config === null || workspace === null || contract.preflight !== "passed")
    throw new NightshiftError("E_USAGE", `${sessionId} has no contract whose checks ran on its base`, {
      hint: "Begin one with `nightshift run --check`.",
    });
  const { giveVerdict } = await import("../referee/index.ts");
  const known = contract.given?.commit ?? workspace.saved.commit;
  const workspaces = await harness.workspaces();
  const commit = revision === null ? known : await workspaces.take(sessionId, folder, revision, signal);
  const about = { number: contract.verdicts + 1, epoch: null, commit, done: [] };
  const request = await verdictRequest(harness.store, state, about);
  const parts = await harness.refereeParts(config, sessionId, wantedLayer(state));
  return await giveVerdict(parts, request, signal, onFact);
}
