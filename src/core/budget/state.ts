/** What was used of caps that the ledger alone does not tell: time, attempts, and what each criterion has cost. */

/** Part of the session's state. */
export interface BudgetState {
  /** Time in which it worked: neither at rest, nor asleep, nor waiting for a model that may not be asked. */
  readonly activeMs: number;
  /** The newest attempt; null before the first. */
  readonly attempt: AttemptSpending | null;
  /** What finished attempts at each criterion came to; bounded by the contract. */
  readonly criteria: readonly CriterionSpending[];
  /** The cap that was reached last. */
  readonly exhausted: string | null;
}

/** What was charged, at some point of the log. */
export interface Spending {
  readonly requests: number;
  readonly tokens: number;
  readonly costMicroUsd: number;
}

/** Before anything was spent. */
export const NOTHING_SPENT: Spending = { requests: 0, tokens: 0, costMicroUsd: 0 };

/** Is it a cap on what all sessions of a store spend in a day? */
export function isDayCap(cap: string): boolean {
  return cap.startsWith("day.");
}

/** Where the ledger stood when an attempt began. */
export interface AttemptSpending {
  readonly number: number;
  readonly criterion: string | null;
  readonly atStart: Spending;
}

/** What one criterion has cost. */
export interface CriterionSpending extends Spending {
  readonly criterion: string;
  readonly attempts: number;
}

/** Before anything was used. */
export const NO_BUDGET: BudgetState = {
  activeMs: 0,
  attempt: null,
  criteria: [],
  exhausted: null,
};
