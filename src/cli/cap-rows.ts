/** The caps of a session and what was used of them, for `budget` and the live view. */
import { attemptSpending, charged, isActive } from "../core/reduce/budget.ts";
import type { SessionState } from "../core/state.ts";

/** One cap and what was used of it; `limit` is null where there is none. */
export interface CapRow {
  readonly cap: string;
  readonly used: number;
  readonly limit: number | null;
}

/** All caps that a session may have. */
export function capRows(state: SessionState, now: number): readonly CapRow[] {
  const limits = state.config?.limits ?? {};
  const whole = charged(state);
  const attempt = attemptSpending(state);
  const activeMs = state.budget.activeMs + (isActive(state) ? Math.max(0, now - state.lastEventAt) : 0);
  const all: readonly (readonly [cap: string, used: number, limit: number | undefined])[] = [
    ["model_requests", whole.requests, limits.model_requests],
    ["tokens", whole.tokens, limits.tokens],
    ["cost_micro_usd", whole.costMicroUsd, limits.cost_micro_usd],
    ["attempts", state.attempts.number, limits.attempts],
    ["duration_ms", Math.max(0, now - state.createdAt), limits.duration_ms],
    ["active_ms", activeMs, limits.active_ms],
    ["attempt.cost_micro_usd", attempt.costMicroUsd, limits.attempt?.cost_micro_usd],
  ];
  return all.map(([cap, used, limit]) => ({ cap, used, limit: limit ?? null }));
}
