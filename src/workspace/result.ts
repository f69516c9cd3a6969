/** How work leaves: as a history that is told anew, and as a merge. Part of the contract of workspaces. */
import type { SessionId } from "../core/ids.ts";

/** Full hexadecimal name of a commit. */
export type CommitHash = string;

/** One changed path. */
export interface ChangedFile {
  /** As it is, with whatever characters it has; bytes that are no UTF-8 are replaced. */
  readonly path: string;
  readonly change: "added" | "deleted" | "modified" | "type_changed";
  /** Null for binary files. */
  readonly added: number | null;
  readonly removed: number | null;
  /** Does it have the executable bit afterwards? */
  readonly isExecutable: boolean;
}

/** One commit of a history that is told anew. */
export interface HistoryStep {
  /** Whose files it has. */
  readonly source: CommitHash;
  readonly message: string;
  readonly atMs: number;
}

/** What is merged, and into which working tree. */
export interface MergeRequest {
  readonly commit: CommitHash;
  /** Absolute; a folder of a working tree of the repository that the session began with. */
  readonly folder: string;
  /** Of the commit, if one has to be made. */
  readonly message: string;
  readonly atMs: number;
}

/** What a merge comes to. */
export interface Merge {
  readonly kind: "up_to_date" | "fast_forward" | "merge" | "conflict";
  /** What is checked out. */
  readonly head: CommitHash;
  /** Null for a detached head. */
  readonly branch: string | null;
  /** What will be checked out; the head where nothing can be done. */
  readonly commit: CommitHash;
  readonly tree: string;
  /** Paths that both sides have changed; a part of them. */
  readonly conflicts: readonly string[];
  /** Between head and commit. */
  readonly changed: readonly ChangedFile[];
  /** Puts the commit into the repository of a session that was made from the head. */
  giveTo(session: SessionId): Promise<void>;
  /**
   * Moves what is checked out, with its files; local changes that are not in the way stay.
   * @throws NightshiftError `E_WORKSPACE_DIRTY`, `E_WORKSPACE_GIT`: then nothing was changed
   */
  land(): Promise<void>;
}
