/** Where a session stands with its branch in the user's repository. Part of the session's state. */
import type { Sequence } from "../ids.ts";

/** What was asked for, and what there is. */
export interface BranchState {
  /** What is being published; null when nothing is. Nothing takes its place before the log says what came of it. */
  readonly wanted: WantedBranch | null;
  /** What is to be published after that: the newest; absent when nothing is. */
  readonly next?: WantedBranch;
  /** What there was to be found under that name, the last time it was published. */
  readonly published: PublishedBranch | null;
}

/** A branch in the making. The event that wants it is its intent. */
export interface WantedBranch {
  /** Of that event. */
  readonly seq: Sequence;
  readonly branch: string;
  /** The checkpoint whose files it is to have. */
  readonly source: string;
  /** The positive verdict about it; null when there is none. */
  readonly verdict: number | null;
}

/** A branch that was made, or moved. */
export interface PublishedBranch {
  readonly branch: string;
  /** Its head. */
  readonly commit: string;
  readonly source: string;
  /** That its head tells of; null when there was none, or when it was on a contract that is no longer in force. */
  readonly verdict: number | null;
}
