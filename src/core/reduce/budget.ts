/** Facts that caps need besides the ledger. */
import type { BudgetState, CriterionSpending, Spending } from "../budget/state.ts";
import type { SessionEvent } from "../events/index.ts";
import { costCharged, type SessionState, tokensCharged } from "../state.ts";

/** Most criteria that are told apart. */
const CRITERIA_MAX = 1000;

/** Everything charged so far, reservations included. */
export function charged(state: SessionState): Spending {
  return {
    requests: state.ledger.requests + state.ledger.judgeRequests,
    tokens: tokensCharged(state),
    costMicroUsd: costCharged(state),
  };
}

/** What is charged to the attempt that is under way. */
export function attemptSpending(state: SessionState): Spending {
  const { attempt } = state.budget;
  const now = charged(state);
  if (attempt === null) return now;
  return {
    requests: now.requests - attempt.atStart.requests,
    tokens: now.tokens - attempt.atStart.tokens,
    costMicroUsd: now.costMicroUsd - attempt.atStart.costMicroUsd,
  };
}

/** What each criterion has cost so far, the attempt that is under way included. */
export function criteriaSpending(state: SessionState): readonly CriterionSpending[] {
  return withAttempt(state, state.budget.criteria);
}

function withAttempt(
  state: SessionState,
  criteria: readonly CriterionSpending[],
): readonly CriterionSpending[] {
  const criterion = state.budget.attempt?.criterion ?? null;
  if (criterion === null) return criteria;
  const before = criteria.find((each) => each.criterion === criterion);
  const spent = attemptSpending(state);
  const sum = {
    criterion,
    attempts: (before?.attempts ?? 0) + 1,
    requests: (before?.requests ?? 0) + spent.requests,
    tokens: (before?.tokens ?? 0) + spent.tokens,
    costMicroUsd: (before?.costMicroUsd ?? 0) + spent.costMicroUsd,
  };
  return [...criteria.filter((each) => each.criterion !== criterion), sum].slice(-CRITERIA_MAX);
}

/** Is this time in which it works? A wait that was decided on is not. */
export function isActive(state: SessionState): boolean {
  const isWaiting = state.request === null && (state.retry?.resumeAt ?? null) !== null;
  return state.phase === "running" && !isWaiting;
}

/** Notes what `event` means for caps; `before` is the state that it found. */
export function noteBudget(before: SessionState, after: SessionState, event: SessionEvent): BudgetState {
  const budget = withTime(before, event);
  switch (event.type) {
    case "attempt.started": {
      const { attempt: number, criterion } = event.body;
      return {
        ...budget,
        attempt: { number, criterion, atStart: charged(after) },
        criteria: withAttempt(before, budget.criteria),
      };
    }
    case "budget.exhausted":
      return { ...budget, exhausted: event.body.cap };
    case "session.forked":
      return { ...budget, attempt: budget.attempt && { ...budget.attempt, atStart: charged(after) } };
    default:
      return budget;
  }
}

/**
 * Adds the time since the event before. Between a driver's last event and the first of its successor nobody knows what
 * was done, so that time is not counted.
 */
function withTime(before: SessionState, event: SessionEvent): BudgetState {
  const { budget } = before;
  if (event.type === "harness.woke" || !isActive(before)) return budget;
  const asleepMs = event.type === "harness.suspended" ? event.body.gap_ms : 0;
  const ms = event.at - before.lastEventAt - asleepMs;
  return ms > 0 ? { ...budget, activeMs: budget.activeMs + ms } : budget;
}
