/** What waits for a person, as far as the log knows. Part of the session's state. */
import type { CallId, Sequence } from "../ids.ts";

/** Questions and approvals whose calls have no receipt yet. */
export interface PeopleState {
  readonly questions: readonly QuestionState[];
  readonly approvals: readonly ApprovalState[];
  /** The rest that people who are away are told of; null while it works, or when a person has brought it about. */
  readonly notice: NoticeState | null;
}

/** What people who are away are told of. */
export type Notice = "done" | "blocked" | "budget" | "stall";

/** How far the telling is. */
export interface NoticeState {
  /** The `session.status_idle` that it is about. */
  readonly seq: Sequence;
  readonly at: number;
  /** Targets that were told, or could not be. */
  readonly told: readonly string[];
}

/** A question of the agent. Its text is in the log, at `seq`. */
export interface QuestionState {
  readonly question: string;
  readonly call: CallId;
  readonly seq: Sequence;
  readonly askedAt: number;
  /** Null: it waits until somebody answers. */
  readonly expiresAt: number | null;
  readonly default: string | null;
  /** Null as long as it is open. */
  readonly answer: QuestionAnswer | null;
}

/** What came of a question. */
export interface QuestionAnswer {
  /** Null: nobody answered, and there was no default. */
  readonly text: string | null;
  /** Null: nobody answered. */
  readonly author: string | null;
  readonly channel: string | null;
  readonly at: number;
}

/** A call that waits for a person's permission. */
export interface ApprovalState {
  readonly call: CallId;
  readonly seq: Sequence;
  readonly hash: string;
  readonly throughSeq: Sequence;
  readonly askedAt: number;
  readonly expiresAt: number | null;
  /** Its time is over, or something was changed under it: what a person says of it no longer counts. */
  readonly isStale: boolean;
}

/** Nobody is waited for. */
export const NO_PEOPLE: PeopleState = { questions: [], approvals: [], notice: null };
