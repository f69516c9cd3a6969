/** Facts about attempts, and what other facts say about the one that is open. */
import type { AttemptsState } from "../attempt/state.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";

/** Notes `attempt.*`, new threads, and what the base meets already. */
export function reduceAttempts(state: SessionState, event: SessionEvent): SessionState {
  const { attempts } = state;
  const update = (changes: Partial<AttemptsState>): SessionState => ({
    ...state,
    attempts: { ...attempts, ...changes },
  });
  switch (event.type) {
    case "attempt.started":
      return update(started(state, event));
    case "attempt.ended": {
      const { open } = attempts;
      if (open === null || open.number !== event.body.attempt) return state;
      const { number, criterion } = open;
      return update({ open: null, last: { number, criterion, ending: event.body.ending } });
    }
    case "session.thread_created":
      return attempts.open === null ? state : update({ open: { ...attempts.open, hasThread: true } });
    case "preflight.finished":
      return state.contract === null ? state : update({ metAtBase: metBy(event.body) });
    default:
      return state;
  }
}

/** A log of an older release may have a thread before its first attempt: that thread is the attempt's. */
function started(
  { thread }: SessionState,
  { body, seq, at }: SessionEvent<"attempt.started">,
): Partial<AttemptsState> {
  const { attempt: number, criterion, reason } = body;
  const goesOn = reason === "again" || (reason === "first" && thread !== null);
  return { number, open: { number, criterion, reason, seq, startedAt: at, hasThread: goesOn } };
}

function metBy({ criteria }: EventBody<"preflight.finished">): readonly string[] {
  return criteria
    .filter(({ role, status }) => role === "keep" && (status === "passed" || status === "flaky"))
    .map(({ criterion }) => criterion);
}
