/** Facts about the session's own checkout. */
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionId } from "../ids.ts";
import type { CallState, Checkpoint, SessionState, UnsavedCall, WorkspaceState } from "../state.ts";

/** Calls whose names are kept; of more, only the number. */
const UNSAVED_CALLS_MAX = 20;

const CLEAN = { unsaved: 0, unsavedSince: 0, unsavedCalls: [] } as const;

/** The workspace of a new session, if it has one of its own. */
export function checkedOut(base: string | undefined): WorkspaceState | null {
  if (base === undefined) return null;
  return {
    saved: { number: 0, commit: base },
    checkpoints: 0,
    making: null,
    isAsked: false,
    failures: 0,
    failureCode: "",
    ...CLEAN,
    isStale: false,
    rewind: null,
    forkedFrom: null,
  };
}

/** Notes `checkpoint.*` and `workspace.*`. */
export function reduceWorkspace(state: SessionState, event: SessionEvent): SessionState {
  const { workspace } = state;
  if (workspace === null) return state;
  const update = (changes: Partial<WorkspaceState>) => ({
    ...state,
    workspace: { ...workspace, ...changes },
  });
  switch (event.type) {
    case "checkpoint.requested": {
      const { number } = event.body;
      return update({ making: number, checkpoints: number, isAsked: false });
    }
    case "checkpoint.created":
      if (workspace.making !== event.body.number) return state;
      return update({ making: null, failures: 0, ...CLEAN, isStale: false, saved: savedBy(event.body) });
    case "checkpoint.failed":
      if (workspace.making !== event.body.number) return state;
      return update({ making: null, failures: workspace.failures + 1, failureCode: event.body.code });
    case "workspace.restored":
      return update({ ...CLEAN, isStale: false });
    case "workspace.rewound": {
      const { checkpoint: number, commit } = event.body;
      // What those files ask for is looked at with their next checkpoint.
      const back = { ...state, environment: null };
      const changes = { saved: { number, commit }, rewind: null, failures: 0, ...CLEAN, isStale: true };
      return { ...back, workspace: { ...workspace, ...changes } };
    }
    default:
      return state;
  }
}

function savedBy({ number, commit }: EventBody<"checkpoint.created">): Checkpoint {
  return { number, commit };
}

/** A copy of a log begins with the checkpoints of the original, and with nothing that was not saved there. */
export function forkedWorkspace(workspace: WorkspaceState | null, from: SessionId): WorkspaceState | null {
  return workspace === null ? null : { ...workspace, making: null, rewind: null, forkedFrom: from };
}

/** What a person wants of the checkout. @param halt - brings the session to a halt for it */
export function reduceWorkspaceWish(
  state: SessionState,
  event: SessionEvent<"control.checkpoint"> | SessionEvent<"control.rewind">,
  halt: () => SessionState,
): SessionState {
  const { workspace } = state;
  if (workspace === null || state.phase === "terminated") return state;
  if (event.type === "control.checkpoint")
    return { ...state, workspace: { ...workspace, isAsked: true, failures: 0 } };
  const { checkpoint: number, commit } = event.body;
  return { ...halt(), workspace: { ...workspace, rewind: { number, commit } } };
}

/** A run that begins may change files, unless it only reads. */
export function noteUnsaved(state: SessionState, body: EventBody<"tool.started">): SessionState {
  const { workspace } = state;
  const call = state.calls.find((candidate) => candidate.call === body.call);
  if (workspace === null || call === undefined || call.effect === "read_only") return state;
  const others = workspace.unsavedCalls.filter((known) => known.call !== call.call);
  return {
    ...state,
    workspace: {
      ...workspace,
      unsaved: workspace.unsaved + 1,
      unsavedSince: workspace.unsaved === 0 ? body.at : workspace.unsavedSince,
      unsavedCalls: [...others, unsavedCall(call)].slice(-UNSAVED_CALLS_MAX),
    },
  };
}

function unsavedCall({ call, name, namesSetUp }: CallState): UnsavedCall {
  return { call, name, ...(namesSetUp && { namesSetUp }) };
}
