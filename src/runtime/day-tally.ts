/** What a draft would add to the day that all sessions share, and what the day has room for besides. */
import { dayOf, spentBy, sumOf } from "../core/budget/day.ts";
import { NOTHING_SPENT, type Spending } from "../core/budget/state.ts";
import type { EventType, SessionEvent } from "../core/events/index.ts";
import type { SessionState } from "../core/state.ts";
import type { DayBudget } from "../core/step.ts";
import type { DayCharge } from "../store/contract.ts";

/** Caps on what all sessions of a store spend in one day (UTC); money in micro-dollars. */
export type DayCaps = DayBudget["caps"];

/** Written only while there is room; all else is a fact, however much it was. */
const RESERVATIONS: ReadonlySet<EventType> = new Set<EventType>([
  "span.model_request_start",
  "gateway.request_started",
  "judge.request_start",
]);

/** Counts for one draft. */
export class DayTally {
  readonly #caps: DayCaps;
  readonly #before: Spending;
  #added = NOTHING_SPENT;
  #isReserving = false;

  /** @param spent - by all sessions today, as far as is known */
  constructor(caps: DayCaps, spent: Spending) {
    this.#caps = caps;
    this.#before = spent;
  }

  /** With what the draft has added so far. */
  get budget(): DayBudget {
    return { caps: this.#caps, spent: sumOf(this.#before, this.#added) };
  }

  /** @param before - the state that the event found */
  note(before: SessionState, after: SessionState, event: SessionEvent): void {
    this.#added = sumOf(this.#added, spentBy(before, after, event));
    this.#isReserving ||= RESERVATIONS.has(event.type);
  }

  /** What the store is to charge; nothing for a draft that spends nothing. */
  chargeAt(at: number): DayCharge | undefined {
    const delta = this.#added;
    if (delta.requests === 0 && delta.tokens === 0 && delta.costMicroUsd === 0) return undefined;
    const { model_requests: requests, tokens, cost_micro_usd: costMicroUsd } = this.#caps;
    const cap = {
      ...(requests !== undefined && { requests }),
      ...(tokens !== undefined && { tokens }),
      ...(costMicroUsd !== undefined && { costMicroUsd }),
    };
    return { day: dayOf(at), delta, ...(this.#isReserving && { cap }) };
  }
}
