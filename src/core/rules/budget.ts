/**
 * Caps. The worst case of a request is reserved before it is sent, so that none is ever exceeded; reaching one parks the
 * session, and raising it lets it go on.
 */
import { nextDayAfter } from "../budget/day.ts";
import { isDayCap, type Spending } from "../budget/state.ts";
import { type EventBody, event } from "../events/index.ts";
import { attemptSpending, charged, criteriaSpending, isActive } from "../reduce/budget.ts";
import type { SessionState, StopReason } from "../state.ts";
import { append, type DayBudget, type Now, type Step } from "../step.ts";
import { modelToAsk } from "./model.ts";

/** The cap that is in the way. */
export type Exhausted = EventBody<"budget.exhausted">;
/** What a request is charged before its usage is known. */
export type Reservation = EventBody<"span.model_request_start">["reservation"];

type Limits = EventBody<"session.created">["limits"];
type Caps = NonNullable<Limits["attempt"]>;

/** Every input token uncached, every output token used; of the context only what is new since the last count. */
export function worstCase(state: SessionState, now: Now): Reservation {
  const { price, max_output_tokens = 0 } = modelToAsk(state, now.at) ?? {};
  const input = Math.max(0, now.context().tokens - state.inputSurplus);
  const inputPrice = price === undefined ? 0 : Math.max(price.input, price.cache_write);
  const micro = price === undefined ? 0 : (input * inputPrice + max_output_tokens * price.output) / 1_000_000;
  return { tokens: input + max_output_tokens, cost_micro_usd: Math.ceil(micro) };
}

/** The first cap that a request with this reservation could exceed; null when all hold. */
export function exceededCap(
  state: SessionState,
  reservation: Reservation,
  now: Pick<Now, "at" | "day">,
): Exhausted | null {
  return exceededBy(state, wantedOf(state, reservation, now), now.day);
}

/**
 * The same for a request of the judge's, which is sent while the agent rests. The day's cap is looked at when the
 * reservation is written: {@link exceededDay}.
 */
export function exceededByJudge(state: SessionState, wanted: Omit<Wanted, "requests">): Exhausted | null {
  return exceededBy(state, { requests: 1, ...wanted }, undefined);
}

/** The cap of the day that this could exceed; null when all hold. */
export function exceededDay({ caps, spent }: DayBudget, wanted: Wanted): Exhausted | null {
  return exceeded("day.", caps, spent, wanted);
}

function exceededBy(state: SessionState, wanted: Wanted, day: Now["day"]): Exhausted | null {
  const limits: Limits = state.config?.limits ?? {};
  return (
    exceeded("", limits, charged(state), wanted) ??
    exceeded("attempt.", limits.attempt, attemptSpending(state), wanted) ??
    exceeded("criterion.", limits.criterion, criterionSpending(state), wanted) ??
    (day === undefined ? null : exceededDay(day, wanted))
  );
}

/** The cap on attempts, where one more would exceed it: to be asked before an attempt begins. */
export function exceededAttempts(state: SessionState): Exhausted | null {
  const limit = state.config?.limits.attempts;
  const used = state.attempts.number;
  return limit !== undefined && used + 1 > limit ? { cap: "attempts", limit, used, wanted: 1 } : null;
}

/** The cap on time that has been reached; null when there is time left. */
export function exceededTime(state: SessionState, at: number): Exhausted | null {
  for (const { cap, limit, used } of timeCaps(state, at))
    if (used >= limit) return { cap, limit, used, wanted: 0 };
  return null;
}

/** Time until the first cap on time is reached; null without one. */
export function timeLeft(state: SessionState, at: number): number | null {
  const left = timeCaps(state, at).map(({ limit, used }) => Math.max(0, limit - used));
  return left.length === 0 ? null : Math.min(...left);
}

function timeCaps(
  state: SessionState,
  at: number,
): readonly { readonly cap: string; readonly limit: number; readonly used: number }[] {
  const { duration_ms, active_ms } = state.config?.limits ?? {};
  const sinceLast = isActive(state) ? Math.max(0, at - state.lastEventAt) : 0;
  const duration = { cap: "duration_ms", used: Math.max(0, at - state.createdAt) };
  const active = { cap: "active_ms", used: state.budget.activeMs + sinceLast };
  return [
    ...(duration_ms === undefined ? [] : [{ ...duration, limit: duration_ms }]),
    ...(active_ms === undefined ? [] : [{ ...active, limit: active_ms }]),
  ];
}

/** A day's cap begins anew with the next day; any other one a person has to raise. */
export function capReached(cap: string, { at }: Pick<Now, "at">): StopReason {
  return { type: "budget_reached", cap, ...(isDayCap(cap) && { resume_at: nextDayAfter(at) }) };
}

/** Says what was reached, and rests. */
export function park(exhausted: Exhausted, now: Now): Step {
  return append(
    event("budget.exhausted", exhausted),
    event("session.status_idle", { stop_reason: capReached(exhausted.cap, now) }),
  );
}

/** Brings what runs to a halt first. */
export function outOfTime(state: SessionState, now: Now): Step {
  const exhausted = exceededTime(state, now.at);
  return exhausted === null ? append() : append(event("budget.exhausted", exhausted));
}

/** What a request may use; null for money that nobody can count. */
export interface Wanted {
  readonly requests: number;
  readonly tokens: number;
  readonly costMicroUsd: number | null;
}

function wantedOf(
  state: SessionState,
  { tokens, cost_micro_usd }: Reservation,
  now: Pick<Now, "at">,
): Wanted {
  const isPriced = modelToAsk(state, now.at)?.price !== undefined;
  return { requests: 1, tokens, costMicroUsd: isPriced ? cost_micro_usd : null };
}

function criterionSpending(state: SessionState): Spending | undefined {
  const criterion = state.budget.attempt?.criterion;
  return criteriaSpending(state).find((each) => each.criterion === criterion);
}

function exceeded(
  prefix: string,
  caps: Caps | undefined,
  spent: Spending | undefined,
  wanted: Wanted,
): Exhausted | null {
  if (caps === undefined || spent === undefined) return null;
  // Without a price nobody can tell; a cap that is not kept would be worse than none.
  const cost = wanted.costMicroUsd ?? (caps.cost_micro_usd ?? 0) + 1;
  const rows = [
    { cap: "model_requests", limit: caps.model_requests, used: spent.requests, wanted: wanted.requests },
    { cap: "tokens", limit: caps.tokens, used: spent.tokens, wanted: wanted.tokens },
    {
      cap: "cost_micro_usd",
      limit: caps.cost_micro_usd,
      used: spent.costMicroUsd,
      wanted: cost,
    },
  ];
  for (const row of rows) {
    const { limit } = row;
    if (limit !== undefined && row.used + row.wanted > limit)
      return { ...row, limit, cap: `${prefix}${row.cap}` };
  }
  return null;
}
