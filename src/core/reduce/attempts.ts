/** Facts about attempts and handoffs, and what other facts say about the attempt that is open. */
import type { AttemptsState, ContextChange, KnownHandoff, RejectedContent } from "../attempt/state.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { measured } from "./progress.ts";

/** Contents that are remembered as given up. */
const REJECTED_MAX = 200;

/** Notes `attempt.*`, `context.*`, `handoff.*`, new threads, and what the base meets already. */
export function reduceAttempts(state: SessionState, event: SessionEvent): SessionState {
  const next = noted(state, event);
  const progress = measured(next, event);
  return progress === next.attempts.progress ? next : { ...next, attempts: { ...next.attempts, progress } };
}

function noted(state: SessionState, event: SessionEvent): SessionState {
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
    case "attempt.repeat_refused": {
      const { path, hash } = event.body;
      return update({ rejected: attempts.rejected.filter((each) => !isSame(each, { path, hash })) });
    }
    case "session.thread_created":
      return threadOpened(state);
    case "preflight.finished":
      return state.contract === null ? state : update({ metAtBase: metBy(event.body) });
    case "contract.amended":
      return update(overtaken(attempts));
    case "control.retry":
      return state.phase === "terminated" ? state : update({ isRetryAsked: true });
    case "session.status_idle":
    case "session.forked":
      // What was to follow is decided anew when work goes on.
      return attempts.change === null && attempts.making === null
        ? state
        : update({ change: null, making: null });
    default:
      return handedOver(state, event, update);
  }
}

/** A log of an older release may have a thread before its first attempt: that thread is the attempt's. */
function started(
  { thread, attempts }: SessionState,
  { body, seq, at }: SessionEvent<"attempt.started">,
): Partial<AttemptsState> {
  const { attempt: number, criterion, reason } = body;
  const goesOn = reason === "again" || (reason === "first" && thread !== null);
  return {
    number,
    open: { number, criterion, reason, seq, startedAt: at, hasThread: goesOn },
    isRetryAsked: false,
    change: attempts.change && { ...attempts.change, isApplied: true },
  };
}

/** Whatever the last thread has left unsaid, its successor goes on. */
function threadOpened(state: SessionState): SessionState {
  const { attempts, retry } = state;
  const open = attempts.open && { ...attempts.open, hasThread: true };
  if (attempts.change === null) return open === null ? state : { ...state, attempts: { ...attempts, open } };
  return {
    ...state,
    attempts: { ...attempts, open, change: null },
    answerOwed: true,
    retry: retry?.errorClass === "context_overflow" ? null : retry,
  };
}

function handedOver(
  state: SessionState,
  event: SessionEvent,
  update: (changes: Partial<AttemptsState>) => SessionState,
): SessionState {
  const { attempts, requests } = state;
  switch (event.type) {
    case "context.decided":
      return update({ change: changeOf(event), isRetryAsked: false });
    case "handoff.asked": {
      const change = attempts.change && { ...attempts.change, askedRequest: requests + 1 };
      return { ...update({ change }), answerOwed: true };
    }
    case "handoff.noted":
      return update({ notedAt: requests });
    case "handoff.requested":
      return update({ making: event.body.number, handoffs: event.body.number });
    case "handoff.recorded": {
      const { number, rejected } = event.body;
      if (attempts.making !== number) return state;
      return update({
        making: null,
        notedAt: 0,
        handoff: handoffAt(event, attempts),
        rejected: merged(attempts.rejected, rejected),
        change: attempts.change && { ...attempts.change, handoff: number },
      });
    }
    default:
      return state;
  }
}

function handoffAt(
  { body: { number }, seq }: SessionEvent<"handoff.recorded">,
  { open, number: last }: AttemptsState,
): KnownHandoff {
  return { number, seq, attempt: open === null ? last : 0, isOvertaken: false };
}

/** Whatever tells of the contract before is written anew before a context begins with it. */
function overtaken({ handoff, change }: AttemptsState): Partial<AttemptsState> {
  return {
    making: null,
    handoff: handoff && { ...handoff, isOvertaken: true },
    change: change && { ...change, handoff: 0 },
  };
}

function changeOf({ body, seq }: SessionEvent<"context.decided">): ContextChange {
  const { choice, to = null } = body;
  return { choice, to, seq, askedRequest: null, handoff: 0, isApplied: false };
}

function isSame(one: Omit<RejectedContent, "reason">, other: Omit<RejectedContent, "reason">): boolean {
  return one.path === other.path && one.hash === other.hash;
}

function merged(
  known: readonly RejectedContent[],
  more: readonly RejectedContent[],
): readonly RejectedContent[] {
  const kept = known.filter((each) => !more.some((other) => isSame(each, other)));
  return [...kept, ...more].slice(-REJECTED_MAX);
}

function metBy({ criteria }: EventBody<"preflight.finished">): readonly string[] {
  return criteria
    .filter(({ role, status }) => role === "keep" && (status === "passed" || status === "flaky"))
    .map(({ criterion }) => criterion);
}
