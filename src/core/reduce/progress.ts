/** What is measured of the work, so that the context policy can see whether it gets on. */
import type { Progress } from "../attempt/state.ts";
import type { SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";

/** Turns that a shortened context keeps word for word. */
const TURNS_KEPT = 3;

/** @returns the same object when the event says nothing about it. @param state - after the event's own fold */
export function measured(state: SessionState, event: SessionEvent): Progress {
  const { progress } = state.attempts;
  switch (event.type) {
    case "span.model_request_start": {
      const { request } = event.body;
      return { ...progress, recent: [...progress.recent, { request, seq: event.seq }].slice(-TURNS_KEPT) };
    }
    case "span.model_request_end": {
      const { request, outcome } = event.body;
      if (outcome === "answered") return { ...progress, turns: progress.turns + 1 };
      return { ...progress, recent: progress.recent.filter((each) => each.request !== request) };
    }
    case "agent.tool_result":
      return { ...progress, errorsInRow: event.body.is_error ? progress.errorsInRow + 1 : 0 };
    case "session.thread_created":
      return inNewThread(progress, event);
    case "verdict.given":
      return state.contract?.given?.number === event.body.number ? judged(state, event) : progress;
    case "contract.amended":
      return { ...progress, best: null, unmet: "", sameVerdicts: 0, fruitlessAttempts: 0 };
    case "attempt.started":
      return begun(progress, event);
    case "attempt.ended":
      return ended(progress, event);
    default:
      return progress;
  }
}

function inNewThread(progress: Progress, { body }: SessionEvent<"session.thread_created">): Progress {
  if (body.reason === "upgrade" || body.reason === "model") return progress;
  const isCompact = body.reason === "compact";
  return {
    ...progress,
    turns: 0,
    errorsInRow: 0,
    recent: isCompact ? progress.recent : [],
    compactions: progress.compactions + (isCompact ? 1 : 0),
  };
}

function judged({ attempts, workspace }: SessionState, { body }: SessionEvent<"verdict.given">): Progress {
  const { progress, metAtBase } = attempts;
  const named = (status: string): readonly string[] =>
    body.criteria.filter((each) => each.status === status).map(({ criterion }) => criterion);
  const unmet = named("unmet").join(" ");
  const met = named("met").length;
  const isBest = met > 0 && met >= (progress.best?.met ?? 0) && workspace?.saved.commit === body.commit;
  const isProgress = met > (progress.best?.met ?? metAtBase.length);
  return {
    ...progress,
    unmet,
    sameVerdicts: unmet !== "" && unmet === progress.unmet ? progress.sameVerdicts + 1 : 1,
    best: isBest ? { met, checkpoint: workspace.saved.number, commit: body.commit } : progress.best,
    fruitlessAttempts: isProgress ? 0 : progress.fruitlessAttempts,
  };
}

function begun(progress: Progress, { body }: SessionEvent<"attempt.started">): Progress {
  const restarts = progress.restarts + (body.reason === "restart" ? 1 : 0);
  return { ...progress, compactions: 0, unmet: "", sameVerdicts: 0, restarts };
}

function ended(progress: Progress, { body }: SessionEvent<"attempt.ended">): Progress {
  switch (body.ending) {
    case "met":
      return { ...progress, fruitlessAttempts: 0 };
    case "reset":
    case "rewound":
      return { ...progress, fruitlessAttempts: progress.fruitlessAttempts + 1 };
    default:
      return progress;
  }
}
