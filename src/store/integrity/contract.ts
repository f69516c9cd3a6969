/**
 * Checking and repairing logs below the store's contract. A backend gives an *image*: a private copy of its files
 * that may be read in any way without a trace on the original. What follows from an image is the same for all.
 */
import type { Sequence, SessionId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { LogProblem, StoreCheck } from "../contract.ts";

/** An event exactly as it is stored, with what the chain says of it. */
export interface ImageEvent {
  readonly seq: Sequence;
  readonly at: number;
  readonly type: string;
  readonly v: number;
  readonly body: string;
  /** Hex. */
  readonly hash: string;
  /** On the first event of a commit. */
  readonly appendId: string | null;
  /** Set when the body was erased: hashes of the body as it was, and of what stands there now. */
  readonly erasure: { readonly bodyHash: string; readonly replacementHash: string } | null;
}

/** The last acknowledged position, as kept outside the database. */
export interface ImageHead {
  readonly seq: Sequence;
  readonly hash: string;
  readonly epoch: number;
}

/** A session's row. */
export interface ImageSession {
  readonly sessionId: SessionId;
  readonly key: number;
  readonly seq: Sequence;
  readonly hash: string;
  readonly epoch: number;
  /** Null when there is none to compare with. */
  readonly head: ImageHead | null;
}

/** A private copy of a store's files. Methods throw NightshiftErrors where the copy cannot be read. */
export interface LogImage {
  /** What is wrong with the files as a whole. */
  readonly problems: readonly LogProblem[];
  /** See {@link StoreCheck.unchecked}. */
  readonly unchecked: readonly string[];
  /** All sessions, oldest first. */
  sessions(): readonly ImageSession[];
  /** The head of a session that the database does not have. */
  lostHead(sessionId: SessionId): ImageHead | undefined;
  /** Events after a position in order of `seq`. */
  events(session: ImageSession, after: Sequence, limit: number): readonly ImageEvent[];
  /** A long text, compared with its hash. @throws NightshiftError `E_BLOB_MISSING`, `E_LOG_CORRUPT` */
  blob(blobHash: string): string;
  /** Deletes the copy. */
  close(): void;
}

/** What to check. */
export interface CheckOptions {
  /** Only this session. Default: all. */
  readonly sessionId?: SessionId;
  /** A head that was kept elsewhere, of that session: shows forgery too. */
  readonly expectedHead?: { readonly seq: Sequence; readonly hash: string };
}

/** A new session out of the sound beginning of another one. */
export interface ForkRequest {
  readonly from: SessionId;
  readonly to: SessionId;
  /** Copy up to this event. Default: as far as the log is sound, in whole commits. */
  readonly atSeq?: Sequence;
  /** Wall-clock time of the fork. */
  readonly at: number;
  /** When somebody should wake the new session; null for only when asked. */
  readonly due: number | null;
  /** State folder of the new session. Default: that of the original, if its files are sound. */
  readonly folder?: string;
}

/** A fork that was made. */
export interface ForkResult {
  readonly sessionId: SessionId;
  /** Last event that was copied; `session.forked` follows it. */
  readonly atSeq: Sequence;
  readonly seq: Sequence;
  /** Head of the new log. */
  readonly hash: string;
  /** What is wrong with the original. */
  readonly problems: readonly LogProblem[];
}

/** An event whose texts must go. */
export interface EraseRequest {
  readonly sessionId: SessionId;
  readonly seq: Sequence;
  readonly at: number;
  /** For whoever reads the log later; no secrets. */
  readonly reason: string;
}

/** A place in a log. */
export interface EventPlace {
  readonly sessionId: SessionId;
  readonly seq: Sequence;
}

/** What an erasure left. */
export interface EraseResult {
  /** What stands in the event's place now. */
  readonly body: Json;
  /** Long texts that are gone. */
  readonly blobsDeleted: number;
  /** Events that hold the same text, and so keep it: other ends of the same blob, copies in forks. */
  readonly alsoIn: readonly EventPlace[];
}

/** Checks and repairs the logs of one state folder. */
export interface StoreIntegrity {
  /**
   * Looks at everything and writes nothing.
   * @throws NightshiftError `E_STORE_NEWER`, `E_STORE_BUSY`, `E_STORE_FULL` (no room for the copy), `E_SESSION_UNKNOWN`
   */
  check(options?: CheckOptions): Promise<StoreCheck>;
  /** Reads from a private copy, which is gone afterwards. @throws NightshiftError `E_STORE_*` */
  read<Result>(use: (image: LogImage) => Result | Promise<Result>): Promise<Result>;
  /**
   * Copies the sound part of a log into a new session and never writes to the original's log.
   * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_SESSION_EXISTS`; `E_LOG_CORRUPT` when nothing is sound as far as
   * asked, or when the files are damaged and no other folder was given
   */
  fork(request: ForkRequest): Promise<ForkResult>;
  /**
   * Replaces the texts of one event, for ever and in all files; its hash still stands for what it was.
   * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_EVENT_INVALID` (no such event), `E_LOG_CORRUPT`, `E_STORE_*`
   */
  erase(request: EraseRequest): Promise<EraseResult>;
}
