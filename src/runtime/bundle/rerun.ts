/** The checks of a bundle once more, on this machine, in a place that goes away afterwards. */
import type { SessionId } from "../../core/ids.ts";
import type { Verdict } from "../../referee/findings.ts";
import type { OnFact, RefereeParts, VerdictRequest } from "../../referee/parts.ts";
import type { CommitHash, UnpackedCommits, Workspaces } from "../../workspace/contract.ts";

/** Where it happens. */
export interface RerunPlace {
  readonly workspaces: Workspaces;
  readonly parts: RefereeParts;
}

/**
 * Judges the commit of a checked bundle again, under the contract and with the decisions in its log.
 * @throws NightshiftError `E_WORKSPACE_*`; what the signal aborts with
 */
export async function rerunVerdict(
  { workspaces, parts }: RerunPlace,
  sessionId: SessionId,
  request: VerdictRequest,
  commits: Pick<UnpackedCommits, "folder">,
  onFact: OnFact,
  signal: AbortSignal,
): Promise<Verdict> {
  const { giveVerdict } = await import("../../referee/index.ts");
  const options = { dirty: "ignore", base: request.base, atMs: 0, copies: !parts.isIsolated } as const;
  await workspaces.prepare(sessionId, commits.folder, options, signal);
  const commit: CommitHash = await workspaces.take(sessionId, commits.folder, request.commit, signal);
  const again = { ...request, sessionId, commit, epoch: null, done: [] };
  return await giveVerdict(parts, again, signal, onFact);
}
