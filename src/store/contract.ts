/**
 * The store: the only truth. Everything else is a fold of what it holds. Each sentence below that says what a
 * store does has a conformance case (`store/conformance`).
 *
 * Durability: a call that resolves with success has been fsynced. A call that rejects with a `retryable` error may
 * or may not have taken effect; repeating it with the same `appendId` resolves the doubt.
 */

import type { Spending } from "../core/budget/state.ts";
import type { SessionEvent } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import type { SealedEvent } from "../core/seal.ts";

/** Who drives: enough to see later whether that harness is still alive. */
export interface Owner {
  /** Unique per harness instance. */
  readonly harness: string;
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot, so that a reused pid is not taken for its owner. */
  readonly startTime: string;
}

/** The right to drive a session; `epoch` is the fencing token and grows with every claim. */
export interface Lease {
  readonly sessionId: SessionId;
  readonly epoch: number;
}

/** A saved fold. The store keeps the newest one per session and knows nothing of its content. */
export interface SnapshotInput {
  /** Digest of the code that folded; a reader with another digest must ignore the snapshot. */
  readonly fold: string;
  readonly body: string;
}

/** A snapshot as read back: the fold of the log up to and including `seq`, whose event has `hash`. */
export interface Snapshot extends SnapshotInput {
  readonly seq: Sequence;
  readonly hash: string;
}

/** What a batch adds to what all sessions of the store spend in a day. */
export interface DayCharge {
  /** Whole days since the beginning of 1970, UTC. */
  readonly day: number;
  /** Whole numbers. Less than nothing gives back; what is charged to a day never falls below nothing. */
  readonly delta: Spending;
  /** The batch is refused if it would add to something of which the day would then have more than this. */
  readonly cap?: Partial<Spending>;
}

/** What a driver appends. */
export interface AppendBatch {
  /** Unique within the session; repeating a batch under its id is safe. 1 to 64 characters. */
  readonly appendId: string;
  /** Where a decision was made; absent for receipts, because a fact never conflicts. */
  readonly expectedSeq?: Sequence;
  /** Wall-clock time of the append, stored with each event. */
  readonly at: number;
  /** 1 to 1,000 events. */
  readonly events: readonly SealedEvent[];
  /** The fold after the last event of this batch, to be saved in the same transaction. */
  readonly snapshot?: SnapshotInput;
  /** One line about the session for listings; a cache, replaced whole. */
  readonly summary?: string;
  /** Charged in the same transaction, once for each append id. Absent: no day is charged. */
  readonly spending?: DayCharge;
}

/** Answer to {@link Store.append}. */
export type AppendResult =
  | {
      readonly status: "appended";
      /** Position of the first event of the batch. */
      readonly firstSeq: Sequence;
      /** Position of the last event of the batch. */
      readonly seq: Sequence;
      /** True when this batch had been stored before; then `fenced` may be true as well. */
      readonly repeated: boolean;
      /** Is there a newer lease by now? Only ever true together with `repeated`. */
      readonly fenced: boolean;
    }
  /** Others wrote first; `events` are the (hydrated) events between the expected position and the head. */
  | { readonly status: "conflict"; readonly seq: Sequence; readonly events: readonly SessionEvent[] }
  /** The day's cap leaves no room for it: nothing is stored or charged; `spent` is what the day has been charged. */
  | { readonly status: "over_day"; readonly spent: Spending }
  /** A newer lease exists, or this one was released: stop at once. */
  | { readonly status: "fenced"; readonly epoch: number };

/** What a client appends, without a lease. */
export interface SubmitBatch {
  readonly appendId: string;
  readonly at: number;
  readonly events: readonly SealedEvent[];
}

/** Answer to {@link Store.submit}. */
export interface SubmitResult {
  readonly firstSeq: Sequence;
  readonly seq: Sequence;
  readonly repeated: boolean;
}

/** The row about a session. */
export interface SessionRecord {
  readonly sessionId: SessionId;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Head of the log. */
  readonly seq: Sequence;
  readonly hash: string;
  readonly epoch: number;
  /** Null when nobody holds the lease. */
  readonly owner: Owner | null;
  /** Is the lease in force: not released, not expired, its owner not known to be dead? */
  readonly held: boolean;
  /** Wall-clock time at which somebody should wake this session; null for never. */
  readonly due: number | null;
  readonly summary: string | null;
}

/** Answer to {@link Store.claim}. */
export type ClaimResult =
  | { readonly status: "claimed"; readonly lease: Lease; readonly record: SessionRecord }
  | { readonly status: "held"; readonly owner: Owner; readonly expiresInMs: number };

/** Which events to read. */
export interface EventRange {
  /** Read after this position (before it, when backwards). 0 starts at the beginning; backwards, omit it to start at the end. */
  readonly after?: Sequence;
  /** 1 to 10,000. */
  readonly limit: number;
  readonly types?: readonly string[];
  readonly backwards?: boolean;
  /** Put long texts back in place. Default true. */
  readonly hydrate?: boolean;
  /** Check chain and density of what is read. Default true; a filtered read checks bodies where it can. */
  readonly verify?: boolean;
}

/** What a notification may know. */
export interface StoreChange {
  readonly sessionId: SessionId;
  readonly seq: Sequence;
}

/** Sessions to wake. */
export interface DueSessions {
  /** Due and not held, the longest due first. */
  readonly ready: readonly SessionId[];
  /** Wall-clock time of the earliest later due; null when there is none. */
  readonly nextDue: number | null;
  /** Monotonic milliseconds until the first held lease of a due session expires; null when none is held. */
  readonly heldForMs: number | null;
}

/** Result of {@link Store.release}. */
export type ReleaseResult =
  | { readonly status: "released" }
  /** Something was submitted meanwhile: the lease is still held; read on and decide again. */
  | { readonly status: "moved"; readonly seq: Sequence }
  | { readonly status: "fenced"; readonly epoch: number };

/** Where sessions and their logs are kept. All methods are safe to call concurrently. */
export interface Store {
  /** Backend name as in the registry. */
  readonly kind: string;

  /**
   * Makes a session whose first event is `session.created`, due at once. The same `appendId` with the same bytes
   * gives the first answer again.
   * @throws NightshiftError `E_SESSION_EXISTS`
   */
  create(sessionId: SessionId, batch: SubmitBatch): Promise<SubmitResult>;

  /**
   * Adds events to the log: all of them, or none; durable before it answers; dense in `seq`. The epoch is always
   * compared, `expectedSeq` only when given. The session stays due while the lease is held, so that a crashed
   * driver is replaced.
   * @throws NightshiftError `E_APPEND_MISMATCH` for a known `appendId` with other bytes; `E_STORE_*`
   */
  append(lease: Lease, batch: AppendBatch): Promise<AppendResult>;

  /**
   * Adds client events and sets `due = at`, without a lease. All or none.
   * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_EVENT_FORBIDDEN` (a type that is not for clients), `E_APPEND_MISMATCH`
   */
  submit(sessionId: SessionId, batch: SubmitBatch): Promise<SubmitResult>;

  /** Position of the first event that was stored under this append id; undefined for none. @throws NightshiftError `E_SESSION_UNKNOWN` */
  findAppend(sessionId: SessionId, appendId: string): Promise<Sequence | undefined>;

  /**
   * Reads events in order of `seq`. An empty answer means "caught up", never "gone".
   * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_LOG_LOST`, `E_LOG_CORRUPT`, `E_BLOB_MISSING`, `E_EVENT_NEWER`
   */
  getEvents(sessionId: SessionId, range: EventRange): Promise<readonly SessionEvent[]>;

  /** The session's row, or undefined. Checks the head against the heads file (`E_LOG_LOST`). */
  getSession(sessionId: SessionId): Promise<SessionRecord | undefined>;

  /** Newest first; `after` is the last id of the page before. */
  listSessions(range: {
    readonly after?: SessionId;
    readonly limit: number;
  }): Promise<readonly SessionRecord[]>;

  /**
   * Takes the lease: with epoch + 1 when it is free, expired, or its owner is dead. Sets `due` to now if it was
   * later or null. Durable before it answers.
   * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_LOG_LOST`
   */
  claim(
    sessionId: SessionId,
    request: { readonly owner: Owner; readonly ttlMs: number; readonly at: number },
  ): Promise<ClaimResult>;

  /** Prolongs the lease from now. Refused once anybody else has claimed; an expired but unclaimed lease is renewed. */
  renew(
    lease: Lease,
    ttlMs: number,
  ): Promise<{ readonly status: "renewed" } | { readonly status: "fenced"; readonly epoch: number }>;

  /** Gives the lease back, only if the head is still `seq`; sets `due`. */
  release(lease: Lease, to: { readonly seq: Sequence; readonly due: number | null }): Promise<ReleaseResult>;

  /** Which sessions want waking at wall-clock time `now`. Costs the same whatever number of sessions is parked. */
  listDue(query: { readonly now: number; readonly limit: number }): Promise<DueSessions>;

  /** @throws NightshiftError `E_BLOB_MISSING`, `E_LOG_CORRUPT` when the bytes do not match the hash */
  getBlob(blobHash: string): Promise<string>;

  /** The newest snapshot whose fold digest is `fold` and whose position still has its hash; else undefined. */
  getSnapshot(sessionId: SessionId, fold: string): Promise<Snapshot | undefined>;

  /** What batches have charged to that day. The newest 40 days that were charged are kept. */
  getDaySpending(day: number): Promise<Spending>;

  /**
   * Calls back soon (≤ 50 ms) after anything was written by this or another process. A hint only: it may come
   * late, doubled or for nothing; positions are the truth. `change` says what was written, where that is known.
   * @param sessionId - what is known to be of another session need not be told: many drivers share a store
   * @returns the way to stop it
   */
  subscribe(listener: (change?: StoreChange) => void, sessionId?: SessionId): () => void;

  /** Ends it; calls in progress settle first, later ones reject with `E_STORE_CLOSED`. */
  close(): Promise<void>;
}

/** Stores on files can be checked and repaired in more depth than through {@link Store}. */
export interface StoreCheck {
  readonly sessions: readonly SessionCheck[];
  /** What is wrong with the files as a whole. */
  readonly problems: readonly LogProblem[];
  /** What could not be compared for want of something to compare with. No damage, but less certainty. */
  readonly unchecked: readonly string[];
}

/** The state of one log. */
export interface SessionCheck {
  readonly sessionId: SessionId;
  readonly events: number;
  readonly head: { readonly seq: Sequence; readonly hash: string };
  /** Last event up to which everything is sound. */
  readonly validSeq: Sequence;
  readonly problems: readonly LogProblem[];
}

/** One finding. */
export interface LogProblem {
  readonly code: "E_LOG_LOST" | "E_LOG_CORRUPT" | "E_BLOB_MISSING" | "E_EVENT_NEWER" | "E_STORE_IO";
  /** First bad event, where the problem has a place. */
  readonly seq?: Sequence;
  readonly message: string;
}
