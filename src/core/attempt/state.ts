/** Where a session stands with its attempts and contexts, as far as the log knows. Part of the session's state. */
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
  readonly progress: Progress;
  /** What the context is being replaced by. */
  readonly change: ContextChange | null;
  /** A person wants a new attempt. */
  readonly isRetryAsked: boolean;
  /** Number of the last handoff that was asked for. */
  readonly handoffs: number;
  /** A handoff in the making. */
  readonly making: number | null;
  /** The newest one. */
  readonly handoff: KnownHandoff | null;
  /** Request of the newest note of the model that no handoff has taken yet; 0 for none. */
  readonly notedAt: number;
  /** Contents of files that were tried and given up, bounded. */
  readonly rejected: readonly RejectedContent[];
}

/** A handoff that is in the log. */
export interface KnownHandoff {
  readonly number: number;
  readonly seq: Sequence;
  /** The attempt whose end it tells of; 0 where it was written within one, or before the first. */
  readonly attempt: number;
  /** Is the contract that it tells of replaced? Then nothing may begin with it. */
  readonly isOvertaken: boolean;
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

/** What is measured of the work, to see whether it gets on. */
export interface Progress {
  /** Answers in the current thread. */
  readonly turns: number;
  /** The latest of them: the number of the request, and where it starts. */
  readonly recent: readonly { readonly request: number; readonly seq: Sequence }[];
  /** Calls in a row that ended with an error. */
  readonly errorsInRow: number;
  /** Of the current attempt. */
  readonly compactions: number;
  /** Criteria that the newest verdict found unmet, and how often in a row. */
  readonly unmet: string;
  readonly sameVerdicts: number;
  /** Attempts in a row that were given up without one more criterion met. */
  readonly fruitlessAttempts: number;
  /** Most criteria that a verdict found met, and the newest checkpoint of which one did. */
  readonly best: { readonly met: number; readonly checkpoint: number; readonly commit: string } | null;
  readonly restarts: number;
}

/** A decision about the context that is being carried out. */
export interface ContextChange {
  readonly choice: EventBody<"context.decided">["choice"];
  readonly to: { readonly checkpoint: number; readonly commit: string } | null;
  readonly seq: Sequence;
  /** The request that is to answer for a handoff; null when the model was not asked. */
  readonly askedRequest: number | null;
  /** Number of its handoff; 0 as long as there is none. */
  readonly handoff: number;
  /** Are its facts written, but for the new thread? */
  readonly isApplied: boolean;
}

/** What a file is not to become again. */
export interface RejectedContent {
  readonly path: string;
  /** Content hash. */
  readonly hash: string;
  readonly reason: string;
}

/** Before the first attempt. */
export const NO_ATTEMPTS: AttemptsState = {
  number: 0,
  open: null,
  last: null,
  metAtBase: [],
  progress: {
    turns: 0,
    recent: [],
    errorsInRow: 0,
    compactions: 0,
    unmet: "",
    sameVerdicts: 0,
    fruitlessAttempts: 0,
    best: null,
    restarts: 0,
  },
  change: null,
  isRetryAsked: false,
  handoffs: 0,
  making: null,
  handoff: null,
  notedAt: 0,
  rejected: [],
};
