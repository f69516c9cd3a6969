/** Where a session stands with its attempts, as far as the log knows. Part of the session's state. */
import type { EventBody } from "../events/index.ts";
import type { Sequence } from "../ids.ts";

/** Why an attempt begins. */
export type AttemptReason = EventBody<"attempt.started">["reason"];
/** How an attempt ended. */
export type AttemptEnding = EventBody<"attempt.ended">["ending"];

/** The attempts of a session; it has none without a contract, until its context is replaced. */
export interface AttemptsState {
  /** Number of the last one; 0 before the first. */
  readonly number: number;
  /** The one that is being worked on. */
  readonly open: OpenAttempt | null;
  /** The one before it. */
  readonly last: EndedAttempt | null;
  /** Criteria that the base meets already, by the checks before the first request. */
  readonly metAtBase: readonly string[];
}

/** An attempt without its end. */
export interface OpenAttempt {
  readonly number: number;
  /** What it is about. */
  readonly criterion: string | null;
  readonly reason: AttemptReason;
  readonly seq: Sequence;
  readonly startedAt: number;
  /** Has it its own context? A conversation that a person takes up again goes on in the old one. */
  readonly hasThread: boolean;
}

/** What became of an attempt. */
export interface EndedAttempt {
  readonly number: number;
  readonly criterion: string | null;
  readonly ending: AttemptEnding;
}

/** Before the first attempt. */
export const NO_ATTEMPTS: AttemptsState = { number: 0, open: null, last: null, metAtBase: [] };
