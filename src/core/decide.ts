/**
 * The harness's whole policy: what to do next, given where the session stands. Pure and synchronous; time, the
 * epoch and the context's size are arguments. Read `situationOf` first, then the rule of the case at hand.
 *
 * A step either appends decisions to the log, or names the intents that must be running now, or leaves. An intent
 * is named only when the committed fold holds it; the driver starts what is named and not running, and aborts what
 * runs and is no longer named.
 */
import { unreachable } from "./errors.ts";
import { event } from "./events/index.ts";
import { answerOwed } from "./rules/answer.ts";
import { exceededTime, outOfTime, timeLeft } from "./rules/budget.ts";
import { runCalls } from "./rules/calls.ts";
import { attempting, attemptOwed, isAttempting } from "./rules/command.ts";
import { changingContext, isChangingContext } from "./rules/context-change.ts";
import {
  amending,
  contractWish,
  isAlreadyGreen,
  judging,
  nothingToDo,
  preflighting,
} from "./rules/contract.ts";
import { layerAnswered } from "./rules/environment.ts";
import { gatewayOrphaned, hasGatewayOrphans } from "./rules/gateway.ts";
import { halting } from "./rules/halt.ts";
import { rejectInput } from "./rules/input.ts";
import { expiring, overdue } from "./rules/people.ts";
import { answering, orphaned } from "./rules/request.ts";
import { resting } from "./rules/rest.ts";
import { backingOff, isRetryDue } from "./rules/retry.ts";
import { servicesDue, serving } from "./rules/services.ts";
import type { SessionState } from "./state.ts";
import { append, leave, type Now, type Step } from "./step.ts";

export type { Intent, Now, Step } from "./step.ts";

/** Where a session stands, as far as the next step is concerned. */
type Situation =
  | "empty"
  | "input-rejected"
  | "request-orphaned"
  | "gateway-orphaned"
  | "halting"
  | "out-of-time"
  | "serving"
  | "answering"
  | "overdue"
  | "attempting"
  | "held"
  | "beginning"
  | "layer-answered"
  | "calling"
  | "amending"
  | "preflight"
  | "already-green"
  | "verdict"
  | "context"
  | "backing-off"
  | "answer-owed"
  | "attempt-owed"
  | "resting";

/** The next step. Total: every state has one. */
export function decide(state: SessionState, now: Now): Step {
  return withinTime(state, now, ruleOf(state, now));
}

/** Whatever is waited for, a cap on time is noticed when it is reached. */
function withinTime(state: SessionState, now: Now, step: Step): Step {
  const leftMs = state.phase === "running" && state.halt === null ? timeLeft(state, now.at) : null;
  if (leftMs === null || step.kind === "append") return step;
  if (step.kind === "perform") return { ...step, withinMs: Math.min(step.withinMs ?? leftMs, leftMs) };
  return step.due === null ? step : { ...step, due: Math.min(step.due, now.at + leftMs) };
}

function ruleOf(state: SessionState, now: Now): Step {
  const situation = situationOf(state, now);
  switch (situation) {
    case "empty":
      return leave(null);
    case "input-rejected":
      return rejectInput(state);
    case "request-orphaned":
      return orphaned(state, now);
    case "gateway-orphaned":
      return gatewayOrphaned(state, now);
    case "halting":
      return halting(state, now);
    case "out-of-time":
      return outOfTime(state, now);
    case "serving":
      return serving(state);
    case "answering":
      return answering(state, now);
    case "overdue":
      return expiring(state, now);
    case "attempting":
      return attempting(state, now);
    case "beginning":
      return append(event("session.status_running", {}));
    case "layer-answered":
      return layerAnswered(state);
    case "calling":
      return runCalls(state, now);
    case "amending":
      return amending(state);
    case "preflight":
      return preflighting(state);
    case "already-green":
      return nothingToDo(state);
    case "verdict":
      return judging(state, now);
    case "context":
      return changingContext(state, now);
    case "backing-off":
      return backingOff(state, now);
    case "answer-owed":
      return answerOwed(state, now);
    case "attempt-owed":
      return attemptOwed(state, now);
    case "held":
    case "resting":
      return resting(state, now);
    default:
      return unreachable(situation);
  }
}

function situationOf(state: SessionState, now: Now): Situation {
  if (state.config === null) return "empty";
  if (state.queue.some((portion) => portion.some((input) => input.rejected))) return "input-rejected";
  if (state.request !== null && state.request.epoch !== now.epoch) return "request-orphaned";
  if (hasGatewayOrphans(state, now)) return "gateway-orphaned";
  if (state.halt !== null) return "halting";
  if (state.phase === "terminated") return "resting";
  if (state.phase === "running" && exceededTime(state, now.at) !== null) return "out-of-time";
  // Beside the answer: the first call waits for them.
  if (state.request !== null) return servicesDue(state) === null ? "answering" : "serving";
  if (isAttempting(state)) return "attempting";
  if (overdue(state, now).length > 0) return "overdue";
  if (state.hold !== null && !isHoldOver(state, now.at)) return "held";
  const work = workOf(state, now);
  // Whoever watches, interrupts or sends must see that it works, also when a person has just let calls go on.
  return state.phase === "idle" && work !== "resting" ? "beginning" : work;
}

/** Some rests have an end of their own, also when the clock went back behind their beginning. */
function isHoldOver({ stopReason, idleSince }: SessionState, at: number): boolean {
  if (stopReason?.type !== "budget_reached" || stopReason.resume_at === undefined) return false;
  return at >= stopReason.resume_at || at < idleSince;
}

function workOf(state: SessionState, now: Now): Situation {
  if ((state.environment?.answer ?? null) !== null) return "layer-answered";
  if (state.calls.some((call) => call.status !== "answered")) return "calling";
  const wish = contractWish(state);
  if (wish !== null) return wish;
  if (isAlreadyGreen(state)) return "already-green";
  if (isChangingContext(state, now)) return "context";
  if (state.retry !== null && state.answerOwed && !isRetryDue(state.retry, now.at)) return "backing-off";
  if (state.answerOwed || state.queue.length > 0)
    return state.command === null ? "answer-owed" : "attempt-owed";
  return "resting";
}
