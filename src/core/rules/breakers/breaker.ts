/** What a breaker is. */
import type { Cause } from "../../budget/breaker-state.ts";
import type { SessionState } from "../../state.ts";

/** Looks at one way of getting nowhere. Pure: it sees counters of the fold, and nothing else. */
export interface Breaker {
  readonly cause: Extract<Cause, SettableCause>;
  /** Where it acts, unless the session says otherwise. */
  readonly limit: number;
  /** Does it help to tell the model before it is stopped? */
  readonly isTold: boolean;
  /** How far it has come; acts at the limit. */
  measure(state: SessionState): number;
  /** For people, and for the model. */
  describe(state: SessionState, measure: number): string;
  /** What the model is asked to do instead. */
  readonly advice: string;
}

/** Causes that a person may set or switch off. */
export type SettableCause = "same_call" | "oscillation" | "no_progress" | "resets" | "tool_failure";
