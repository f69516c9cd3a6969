/**
 * When the workspace is saved: after so many calls, after so long, after a call that may have changed what dependencies
 * there are, before the sandbox is given back, and when somebody asks. Only between turns: no call runs then, so the files stand still; the next request does not wait.
 */
import { type EventBody, type EventInput, event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, leave, type Step } from "../step.ts";

const CALLS = 20;
const INTERVAL_MS = 600_000;
/** Times in a row that saving may fail before only a person asks for it again. */
const FAILURES_MAX = 3;

/** A checkpoint in the making: no call may change files meanwhile. */
export function isCheckpointing(state: SessionState): boolean {
  return state.workspace !== null && state.workspace.making !== null;
}

/** The checkpoint that is due between two turns. */
export function checkpointBeside(state: SessionState, at: number): EventInput[] {
  const { workspace, config } = state;
  if (workspace === null || config === null || !mayAsk(state)) return [];
  // Files that are being made are not read; what a lost sandbox has left is not what the log says.
  if (state.sandbox?.status !== "ready") return [];
  if (workspace.isAsked) return [request(workspace.checkpoints + 1, "asked")];
  if (workspace.unsaved === 0) return [];
  const { checkpoint_calls = CALLS, checkpoint_ms = INTERVAL_MS } = config.policy;
  const isDue = workspace.unsaved >= checkpoint_calls || at - workspace.unsavedSince >= checkpoint_ms;
  return isDue || mayWantLayer(state) ? [request(workspace.checkpoints + 1, "cadence")] : [];
}

/** Has a call, as far as its words tell, changed what the layer is made from? It is looked at in checkpoints only. */
function mayWantLayer({ workspace, config }: SessionState): boolean {
  const { setup } = config?.sandbox.options ?? {};
  const hasLayers = Array.isArray(setup) && setup.length > 0;
  return hasLayers && workspace?.unsavedCalls.some((call) => call.namesSetUp === true) === true;
}

/** The checkpoint that is due before the sandbox may go; what a lost one has left is work, too. */
export function checkpointAtRest(state: SessionState): EventInput[] {
  const { workspace } = state;
  if (
    workspace === null ||
    !mayAsk(state) ||
    !hasWorked(state) ||
    (workspace.unsaved === 0 && !workspace.isAsked)
  )
    return [];
  return [request(workspace.checkpoints + 1, workspace.isAsked ? "asked" : "rest")];
}

/** A verdict, or a handoff, is about a commit: everything is saved before it, whether the sandbox still lives or not. */
export function checkpointBefore(state: SessionState, reason: "verdict" | "handoff"): EventInput[] {
  const { workspace } = state;
  if (workspace === null || workspace.unsaved === 0 || !mayAsk(state) || !hasWorked(state)) return [];
  return [request(workspace.checkpoints + 1, reason)];
}

/** Work that could not be saved stays where it is until a person has looked; of a session that is over, too long. */
export function unsavable(state: SessionState): Step | null {
  const { workspace } = state;
  if (workspace === null || workspace.unsaved === 0 || workspace.failures < FAILURES_MAX) return null;
  if (state.phase === "terminated") return null;
  if (state.hold !== null) return leave(null);
  return append(
    event("session.status_idle", { stop_reason: { type: "failed", code: workspace.failureCode } }),
  );
}

/** What the next sandbox begins with, for a session with a checkout of its own. */
export function restoring(state: SessionState): {
  readonly restore?: { readonly checkpoint: number; readonly commit: string };
} {
  if (state.workspace === null) return {};
  const { number, commit } = state.workspace.saved;
  return { restore: { checkpoint: number, commit } };
}

/** What a person asked for is a fact before the files change: the next sandbox begins with them. */
export function rewound(state: SessionState): EventInput[] {
  const { workspace } = state;
  if (workspace === null || workspace.rewind === null) return [];
  const { number: checkpoint, commit } = workspace.rewind;
  const place = checkpoint === 0 ? "its base" : `checkpoint ${checkpoint}`;
  return takenBack(state, { checkpoint, commit }, `A person took the workspace back to ${place}`);
}

/** The files become those of a checkpoint (0 is the base). @param how - who did it, for the model */
export function takenBack(
  { sandbox }: SessionState,
  to: { readonly checkpoint: number; readonly commit: string },
  how: string,
): EventInput[] {
  const text = `[harness] ${how}. Every later change to its files is gone, also those that you remember making.`;
  const taken = event("workspace.rewound", { ...to, content: [{ type: "text", text }] });
  return sandbox === null || sandbox.status === "ending"
    ? [taken]
    : [taken, event("sandbox.destroy_requested", { sandbox: sandbox.id })];
}

/** Are the files those of a sandbox that got ready? Else they are no work, but what one was about to begin with. */
function hasWorked({ sandbox, workspace }: SessionState): boolean {
  return sandbox !== null && sandbox.incarnation !== "" && workspace?.isStale === false;
}

/** Is there a checkout, and can it be saved as far as is known? */
export function isSavable({ workspace }: SessionState): boolean {
  return workspace !== null && workspace.failures < FAILURES_MAX;
}

function mayAsk(state: SessionState): boolean {
  return !isCheckpointing(state) && isSavable(state);
}

function request(number: number, reason: EventBody<"checkpoint.requested">["reason"]): EventInput {
  return event("checkpoint.requested", { number, reason });
}
