/** Sessions with a checkout of their own: the files that a sandbox begins with, and the checkpoints made of them. */
import { assert, isNightshiftError, messageOf } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { SandboxState, SessionState, WorkspaceState } from "../core/state.ts";
import type { Fence, SandboxBackend, SandboxSpec } from "../sandbox/contract.ts";
import type { Workspaces } from "../workspace/contract.ts";

/** What of the workspaces the harness needs. */
export type SessionWorkspaces = Pick<
  Workspaces,
  "prepare" | "find" | "fork" | "checkpoint" | "restore" | "lend" | "changedFiles"
>;

/** Loaded when the first session needs it. */
export type OpenWorkspaces = () => Promise<SessionWorkspaces>;

/** The files part of a sandbox's specification. */
export type Files = Pick<SandboxSpec, "workspace" | "overlay">;

/** What {@link filesOf} works with. */
export interface FilesParts {
  readonly open: OpenWorkspaces;
  readonly backend: SandboxBackend;
  readonly fence: Fence;
}

/**
 * The files that the sandbox is to begin with: those of the newest checkpoint. What is left of an earlier sandbox with
 * the same id is ended first, because nobody may use files that change under it.
 */
export async function filesOf(
  { open, backend, fence }: FilesParts,
  sandbox: SandboxState,
  state: SessionState,
  signal: AbortSignal,
): Promise<Files> {
  const { config, workspace, sessionId } = state;
  assert(config !== null, "a session has a configuration");
  if (workspace === null) return { workspace: config.sandbox.workspace };
  const workspaces = await open();
  await backend.destroy(sandbox.id, sandbox.handle ?? undefined, fence);
  const found = await workspaces.find(sessionId);
  if (found !== undefined && !isOutdated(workspace)) return found.files;
  if (found === undefined) {
    const { forkedFrom, saved } = workspace;
    if (forkedFrom !== null) {
      const from = { sessionId: forkedFrom, commit: saved.commit };
      return (await workspaces.fork(sessionId, from, signal)).files;
    }
    const base = config.sandbox.checkout?.base ?? "";
    await workspaces.prepare(sessionId, config.sandbox.workspace, { dirty: "ignore", base, atMs: 0 }, signal);
  }
  return await workspaces.restore(sessionId, workspace.saved.commit, signal);
}

function isOutdated({ unsaved, isStale }: WorkspaceState): boolean {
  return unsaved > 0 || isStale;
}

/** What is told of the files when a sandbox is ready: what its predecessor's calls did since the checkpoint is gone. */
export function goneWithTheLastOne(sandbox: SandboxState, { workspace }: SessionState): EventInput[] {
  if (workspace === null || !isOutdated(workspace)) return [];
  const { saved, unsaved, unsavedCalls } = workspace;
  return [
    event("workspace.restored", {
      sandbox: sandbox.id,
      checkpoint: saved.number,
      commit: saved.commit,
      lost: unsavedCalls.map(({ call, name }) => ({ call, name })),
      lost_count: unsaved,
      ...(unsaved > 0 && { content: [{ type: "text", text: lossText(workspace) }] }),
    }),
  ];
}

/** Says exactly which effects are gone, so that the model does not build on them. */
function lossText({ saved, unsaved, unsavedCalls }: WorkspaceState): string {
  const place = saved.number === 0 ? "as they were at the start" : `those of checkpoint ${saved.number}`;
  const names = unsavedCalls.map(({ call, name }) => `${name} (${call})`).join(", ");
  const earlier = unsaved > unsavedCalls.length ? `, and ${unsaved - unsavedCalls.length} more runs` : "";
  return `[harness] The sandbox was lost and a new one made. The files are ${place}: whatever these calls changed in the workspace is gone: ${names}${earlier}. Effects outside of the workspace may remain. Look at the files before you go on.`;
}

/** Makes a checkpoint, and says what came of it. */
export async function checkpointOf(
  open: OpenWorkspaces,
  state: SessionState,
  number: number,
  clock: { wallMs(): number; monotonicMs(): number },
  signal: AbortSignal,
): Promise<EventInput[]> {
  const { workspace, sessionId } = state;
  assert(workspace !== null, "only a checkout is saved");
  const startedMs = clock.monotonicMs();
  try {
    const workspaces = await open();
    const request = {
      number,
      previous: workspace.saved.commit,
      reason: `checkpoint ${number}`,
      atMs: clock.wallMs(),
    };
    const { commit, tree, changes } = await workspaces.checkpoint(sessionId, request, signal);
    return [
      event("checkpoint.created", {
        number,
        commit,
        tree,
        through_seq: state.seq,
        contract: null,
        files_changed: changes.files,
        duration_ms: Math.round(clock.monotonicMs() - startedMs),
      }),
    ];
  } catch (error) {
    if (signal.aborted) throw error;
    const code = isNightshiftError(error) ? error.code : "E_WORKSPACE_GIT";
    return [event("checkpoint.failed", { number, reason: messageOf(error).slice(0, 2000), code })];
  }
}
