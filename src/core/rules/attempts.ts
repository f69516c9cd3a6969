/**
 * Under a contract the built-in worker works attempt by attempt, each on one criterion and from a context of its own.
 * A verdict ends it, never the agent's word.
 */
import type { AttemptEnding, AttemptReason, OpenAttempt } from "../attempt/state.ts";
import { nextTarget, statusOf } from "../attempt/target.ts";
import { type EventInput, event } from "../events/index.ts";
import type { SessionState, StopReason } from "../state.ts";

/** What has to be written about attempts before the next request; nothing while one goes on. */
export function attemptNews(state: SessionState, at: number): EventInput[] {
  const { contract, attempts } = state;
  if (contract === null) return [];
  if (lacksHandoff(state, at)) return [handoffRequested(state)];
  if (attempts.open === null) return [attemptBegun(state, at)];
  const ending = endingNow(state, attempts.open, at);
  return ending === null ? [] : [attemptEnded(attempts.open, ending, at)];
}

/** The next attempt. @param reason - null: as the contract says */
export function attemptBegun(
  state: SessionState,
  at: number,
  reason: AttemptReason | null = null,
  commit: string | undefined = state.workspace?.saved.commit,
): EventInput {
  const { attempts } = state;
  const criterion = nextTarget(state, at);
  return event("attempt.started", {
    attempt: attempts.number + 1,
    criterion,
    reason: reason ?? reasonOf(state, criterion),
    ...(commit !== undefined && { commit }),
  });
}

/** The intent to write a handoff of what was done last. */
export function handoffRequested({ attempts }: SessionState): EventInput {
  const attempt = attempts.number === 0 ? null : attempts.number;
  return event("handoff.requested", { number: attempts.handoffs + 1, attempt });
}

/** The end of an attempt, with how long it took. */
export function attemptEnded(open: OpenAttempt, ending: AttemptEnding, at: number): EventInput {
  return event("attempt.ended", {
    attempt: open.number,
    ending,
    duration_ms: Math.max(0, Math.round(at - open.startedAt)),
  });
}

/** The work ends by a verdict, or for good: so does the attempt. Whoever is parked goes on with it. */
export function attemptAtRest(
  { attempts }: SessionState,
  reason: StopReason | null,
  at: number,
): EventInput[] {
  const { open } = attempts;
  if (open === null) return [];
  switch (reason?.type) {
    case "verified":
      return [attemptEnded(open, "met", at)];
    case "unmet":
      return [attemptEnded(open, "unmet", at)];
    case undefined:
      return [attemptEnded(open, "stopped", at)];
    default:
      return [];
  }
}

/** The next criterion begins with a note of how the last one was met, by the contract that is in force. */
function lacksHandoff(state: SessionState, at: number): boolean {
  const { number, handoff, open } = state.attempts;
  if (open !== null) return !open.hasThread && handoff?.isOvertaken === true;
  if (reasonOf(state, nextTarget(state, at)) !== "next_criterion") return false;
  return handoff?.attempt !== number || handoff.isOvertaken;
}

function reasonOf({ attempts }: SessionState, criterion: string | null): AttemptReason {
  if (attempts.number === 0) return "first";
  return criterion !== null && criterion !== attempts.last?.criterion ? "next_criterion" : "again";
}

/** A criterion that only a person can help with is left as soon as there is another one. */
function endingNow(state: SessionState, { criterion }: OpenAttempt, at: number): AttemptEnding | null {
  const next = nextTarget(state, at);
  if (criterion === null) return next === null ? null : "stopped";
  const isKnown = state.contract?.contract.criteria.some(({ id }) => id === criterion) === true;
  if (!isKnown) return "stopped";
  switch (statusOf(state, criterion, at)) {
    case "met":
      return next === null ? null : "met";
    case "waived":
      return next === null ? null : "stopped";
    case "impossible":
    case "blocked":
      return next === null ? null : "unmet";
    default:
      return null;
  }
}
