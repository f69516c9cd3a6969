/** What a day costs, by the calendar of UTC: all sessions of a store add to it. */
import type { SessionEvent } from "../events/index.ts";
import { charged } from "../reduce/budget.ts";
import type { SessionState } from "../state.ts";
import type { Spending } from "./state.ts";

const DAY_MS = 24 * 3_600_000;

/** Whole days since the beginning of 1970, UTC. */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

/** When the next day begins. */
export function nextDayAfter(at: number): number {
  return (dayOf(at) + 1) * DAY_MS;
}

/** Both together. */
export function sumOf(one: Spending, other: Spending): Spending {
  return {
    requests: one.requests + other.requests,
    tokens: one.tokens + other.tokens,
    costMicroUsd: one.costMicroUsd + other.costMicroUsd,
  };
}

/**
 * What an event adds to the day on which it is: a reservation what it reserves, a settlement the difference. What was
 * reserved on another day gives nothing back to this one, because it was never taken from it.
 * @param before - the state that the event found
 */
export function spentBy(before: SessionState, after: SessionState, event: SessionEvent): Spending {
  const [was, is] = [charged(before), charged(after)];
  const reservedAt = reservationTime(before, event);
  const least =
    reservedAt === undefined || dayOf(reservedAt) === dayOf(event.at) ? Number.NEGATIVE_INFINITY : 0;
  return {
    requests: Math.max(least, is.requests - was.requests),
    tokens: Math.max(least, is.tokens - was.tokens),
    costMicroUsd: Math.max(least, is.costMicroUsd - was.costMicroUsd),
  };
}

/** When that was reserved which the event settles; undefined where it settles nothing. */
function reservationTime(
  { request, command, judgeRequest }: SessionState,
  event: SessionEvent,
): number | undefined {
  switch (event.type) {
    case "span.model_request_end":
      return request?.startedAt;
    case "gateway.request_ended":
      return command?.open.find(({ number }) => number === event.body.request)?.startedAt;
    case "judge.request_end":
      return judgeRequest?.startedAt;
    default:
      return undefined;
  }
}
