/** Compares and applies one request inside the writer's transaction. */
import { eventHash, genesisHash } from "../../core/chain.ts";
import type { Sequence, SessionId } from "../../core/ids.ts";
import type { DayCharge } from "../contract.ts";
import { isOverDay } from "../day-spending.ts";
import { appendMismatch, logLost, sessionExists } from "../failures.ts";
import { storeBlobs } from "./blobs.ts";
import type { Connection } from "./connection.ts";
import type { SqlValue } from "./database.ts";
import { chargeDay, readDay } from "./days.ts";
import type { Head, HeadsFile } from "./heads.ts";
import type {
  AppendRequest,
  ClaimRequest,
  CreateRequest,
  ReleaseRequest,
  RenewRequest,
  RowBatch,
  SubmitRequest,
  WriteOutcome,
  WriteRequest,
} from "./requests.ts";
import {
  absent,
  bytesOf,
  decodeSession,
  digestOf,
  findSession,
  headProblem,
  type SessionRow,
} from "./rows.ts";
import { storeSnapshot } from "./snapshots.ts";

/** What one request did to the transaction. */
export interface Applied {
  readonly outcome: WriteOutcome;
  /** Must the transaction be committed before the outcome may be told? */
  readonly wrote: boolean;
  /** The session's head after the commit. */
  readonly head?: { readonly key: number; readonly head: Head };
}

type Stored = Extract<WriteOutcome, { kind: "stored" }>;

const NEXT_KEY = "SELECT coalesce(max(key), 0) + 1 AS next FROM sessions";
const INSERT_SESSION =
  "INSERT INTO sessions (key, id, seq, hash, epoch, due, created_at, updated_at) VALUES (?, ?, ?, ?, 0, ?, ?, ?)";
const ADVANCE =
  "UPDATE sessions SET seq = ?, hash = ?, updated_at = ?, summary = coalesce(?, summary) WHERE key = ?";
const ADVANCE_DUE = "UPDATE sessions SET seq = ?, hash = ?, updated_at = ?, due = ? WHERE key = ?";
const TOUCH = "UPDATE sessions SET updated_at = updated_at WHERE key = ?";
const SELECT_TARGET = `SELECT key, seq, hash, epoch, owner IS NOT NULL,
  (SELECT e.seq FROM events e WHERE e.session = s.key AND e.append_id = ?) FROM sessions s WHERE id = ?`;
const SELECT_BATCH =
  "SELECT type, v, body, append_id FROM events WHERE session = ? AND seq >= ? ORDER BY seq LIMIT ?";
const SELECT_LEASE = "SELECT owner, lease_until FROM sessions WHERE key = ?";
const CLAIM =
  "UPDATE sessions SET epoch = ?, owner = ?, lease_until = ?, due = min(coalesce(due, ?), ?) WHERE key = ?";
const RENEW = "UPDATE sessions SET lease_until = ? WHERE key = ?";
const RELEASE = "UPDATE sessions SET owner = NULL, lease_until = NULL, due = ? WHERE key = ?";

const EVENT_COLUMNS = "session, seq, v, at, hash, append_id, type, body";
/** Most events that one statement inserts. */
const ROWS_MAX = 8;
const INSERT_EVENTS = Array.from({ length: ROWS_MAX + 1 }, (_, rows) => {
  return `INSERT INTO events (${EVENT_COLUMNS}) VALUES ${Array(rows).fill("(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`;
});

/** The session that a batch is for. */
interface Target extends SessionRow {
  /** Where the batch's id is in the log already; null when it is not. */
  readonly firstSeq: Sequence | null;
}

/** Applies requests through one connection; all between its `BEGIN` and its `COMMIT`. */
export class Applier {
  readonly #connection: Connection;
  readonly #heads: HeadsFile;

  constructor(connection: Connection, heads: HeadsFile) {
    this.#connection = connection;
    this.#heads = heads;
  }

  /**
   * @param wasTried - true when an earlier try of this request ended in doubt; what it did is then not done twice
   * @throws NightshiftError when the request is refused, before anything was written; SQLite's errors unchanged
   */
  apply(request: WriteRequest, wasTried: boolean): Applied {
    switch (request.kind) {
      case "create":
        return this.#create(request);
      case "submit":
        return this.#submit(request);
      case "append":
        return this.#append(request);
      case "claim":
        return this.#claim(request, wasTried);
      case "renew":
        return this.#renew(request);
      case "release":
        return this.#release(request, wasTried);
      case "version":
        return unchanged({ kind: "version", version: this.#version() });
    }
  }

  #create({ sessionId, batch }: CreateRequest): Applied {
    const existing = this.#find(sessionId, batch);
    if (existing !== undefined) {
      this.#check(existing);
      const repeated = this.#repeated(existing, batch, false);
      if (repeated?.firstSeq !== 1) throw sessionExists(sessionId);
      return this.#touched(existing, repeated);
    }
    const next = Number(this.#connection.statement(NEXT_KEY).get()?.[0]);
    const { slots } = this.#heads;
    // A slot beyond the last key belongs to a session that the database has lost; it must stay readable.
    if (slots > next && this.#heads.find(digestOf(sessionId)) !== undefined)
      throw absent(this.#heads, sessionId);
    const key = Math.max(next, slots);
    this.#heads.reserve(key);
    const empty = { id: sessionId, key, seq: 0, hash: genesisHash(sessionId), epoch: 0, isOwned: false };
    const head = this.#insertEvents(empty, batch);
    const { at } = batch;
    this.#connection.statement(INSERT_SESSION).run(key, sessionId, head.seq, bytesOf(head.hash), at, at, at);
    return stored(empty, head);
  }

  #submit({ sessionId, batch }: SubmitRequest): Applied {
    const row = this.#target(sessionId, batch);
    const repeated = this.#repeated(row, batch, false);
    if (repeated !== undefined) return this.#touched(row, repeated);
    const head = this.#insertEvents(row, batch);
    this.#connection.statement(ADVANCE_DUE).run(head.seq, bytesOf(head.hash), batch.at, batch.at, row.key);
    return stored(row, head);
  }

  #append({ sessionId, epoch, expectedSeq, batch, snapshot, summary, spending }: AppendRequest): Applied {
    const row = this.#target(sessionId, batch);
    const fenced = isFenced(row, epoch);
    const repeated = this.#repeated(row, batch, fenced);
    if (repeated !== undefined) return this.#touched(row, repeated);
    if (fenced) return unchanged({ kind: "fenced", epoch: row.epoch });
    const expected = expectedSeq ?? row.seq;
    if (expected > row.seq) throw logLost(sessionId, row.seq, expected);
    if (expected < row.seq) return unchanged({ kind: "conflict", seq: row.seq });
    const over = spending === null ? null : this.#overDay(spending);
    if (over !== null) return over;
    const head = this.#insertEvents(row, batch);
    this.#connection.statement(ADVANCE).run(head.seq, bytesOf(head.hash), batch.at, summary, row.key);
    if (snapshot !== null) storeSnapshot(this.#connection, row.key, head, snapshot);
    if (spending !== null) chargeDay(this.#connection, spending);
    return stored(row, head);
  }

  #overDay(spending: DayCharge): Applied | null {
    if (spending.cap === undefined) return null;
    const spent = readDay(this.#connection, spending.day);
    return isOverDay(spent, spending) ? unchanged({ kind: "over_day", spent }) : null;
  }

  #claim(request: ClaimRequest, wasTried: boolean): Applied {
    const row = this.#session(request.sessionId);
    const [owner, leaseUntil] = this.#connection.statement(SELECT_LEASE).get(row.key) ?? [];
    if (typeof owner === "string") {
      // Only the try before can have claimed for this owner at this very moment.
      const leaseUntilMs = Number(leaseUntil);
      const ownLease = leaseEnd(request);
      if (wasTried && owner === request.owner && leaseUntilMs === ownLease) return this.#claimed(row);
      const isFree = leaseUntilMs <= request.monotonicMs || row.epoch === request.deadEpoch;
      if (!isFree) return unchanged({ kind: "held", epoch: row.epoch, owner, leaseUntilMs });
    }
    const epoch = row.epoch + 1;
    const { at } = request;
    this.#connection.statement(CLAIM).run(epoch, request.owner, leaseEnd(request), at, at, row.key);
    return this.#claimed({ ...row, epoch });
  }

  #claimed(row: SessionRow): Applied {
    const { seq, hash, epoch } = row;
    const head = { digest: digestOf(row.id), seq, hash, epoch };
    return { outcome: { kind: "claimed", epoch }, wrote: true, head: { key: row.key, head } };
  }

  #renew({ sessionId, epoch, leaseUntilMs }: RenewRequest): Applied {
    const row = this.#session(sessionId);
    if (isFenced(row, epoch)) return unchanged({ kind: "fenced", epoch: row.epoch });
    this.#connection.statement(RENEW).run(leaseUntilMs, row.key);
    return { outcome: { kind: "renewed" }, wrote: true };
  }

  #release({ sessionId, epoch, seq, due }: ReleaseRequest, wasTried: boolean): Applied {
    const row = this.#session(sessionId);
    const isReleased = wasTried && row.epoch === epoch && !row.isOwned;
    if (isReleased) return this.#touched(row, { kind: "released" });
    if (isFenced(row, epoch)) return unchanged({ kind: "fenced", epoch: row.epoch });
    if (row.seq !== seq) return unchanged({ kind: "moved", seq: row.seq });
    this.#connection.statement(RELEASE).run(due, row.key);
    return { outcome: { kind: "released" }, wrote: true };
  }

  #version(): number {
    return Number(this.#connection.statement("PRAGMA data_version").get()?.[0]);
  }

  #session(sessionId: SessionId): SessionRow {
    const row = findSession(this.#connection, sessionId);
    if (row === undefined) throw absent(this.#heads, sessionId);
    this.#check(row);
    return row;
  }

  #target(sessionId: SessionId, batch: RowBatch): Target {
    const row = this.#find(sessionId, batch);
    if (row === undefined) throw absent(this.#heads, sessionId);
    this.#check(row);
    return row;
  }

  #find(sessionId: SessionId, { appendId }: RowBatch): Target | undefined {
    const row = this.#connection.statement(SELECT_TARGET).get(appendId, sessionId);
    if (row === undefined) return undefined;
    const firstSeq = row[5];
    return { ...decodeSession(sessionId, row), firstSeq: firstSeq == null ? null : Number(firstSeq) };
  }

  #check(row: SessionRow): void {
    // A database cannot lose what it holds while it is open; so what stands as it was left needs no second look.
    if (this.#heads.isLastWritten(row.key, row.seq, row.hash, row.epoch)) return;
    const problem = headProblem(this.#connection, row, this.#heads.read(row.key));
    if (problem !== undefined) throw problem;
  }

  /** Was this batch stored before? @throws NightshiftError `E_APPEND_MISMATCH` */
  #repeated(row: Target, batch: RowBatch, fenced: boolean): Stored | undefined {
    const { firstSeq } = row;
    if (firstSeq === null) return undefined;
    const count = batch.events.length;
    const rows = this.#connection.statement(SELECT_BATCH).all(row.key, firstSeq, count + 1);
    const isSame = batch.events.every(({ type, v, body }, index) => {
      const [storedType, storedVersion, storedBody, appendId] = rows[index] ?? [];
      const isOfBatch = index === 0 || appendId === null;
      return isOfBatch && storedType === type && storedVersion === v && storedBody === body;
    });
    const next = rows[count];
    const endsThere = next === undefined || next[3] !== null;
    if (!isSame || !endsThere) throw appendMismatch(row.id, batch.appendId);
    return { kind: "stored", firstSeq, seq: firstSeq + count - 1, repeated: true, fenced };
  }

  /**
   * An answer about an earlier commit. That commit may have been read from a WAL that was never synced (its process
   * was killed before the sync), so this one commits too, which syncs both.
   */
  #touched(row: SessionRow, outcome: WriteOutcome): Applied {
    this.#connection.statement(TOUCH).run(row.key);
    const { seq, hash, epoch } = row;
    return {
      outcome,
      wrote: true,
      head: { key: row.key, head: { digest: digestOf(row.id), seq, hash, epoch } },
    };
  }

  /** @returns the head after them */
  #insertEvents(row: SessionRow, { appendId, at, events }: RowBatch): Head {
    let { seq, hash } = row;
    for (let start = 0; start < events.length; start += ROWS_MAX) {
      const some = events.slice(start, start + ROWS_MAX);
      const values: SqlValue[] = [];
      for (const { type, v, body, bodyHash } of some) {
        seq += 1;
        hash = eventHash(hash, { session: row.id, seq, type, v, at }, bodyHash);
        values.push(row.key, seq, v, at, bytesOf(hash), seq === row.seq + 1 ? appendId : null, type, body);
      }
      this.#connection.statement(INSERT_EVENTS[some.length] ?? "").run(...values);
    }
    for (const { blobs } of events) if (blobs.length > 0) storeBlobs(this.#connection, blobs);
    return { digest: digestOf(row.id), seq, hash, epoch: row.epoch };
  }
}

function stored(before: SessionRow, head: Head): Applied {
  const firstSeq = before.seq + 1;
  const outcome: Stored = { kind: "stored", firstSeq, seq: head.seq, repeated: false, fenced: false };
  return { outcome, wrote: true, head: { key: before.key, head } };
}

function unchanged(outcome: WriteOutcome): Applied {
  return { outcome, wrote: false };
}

function isFenced(row: SessionRow, epoch: number): boolean {
  return row.epoch !== epoch || !row.isOwned;
}

function leaseEnd({ monotonicMs, ttlMs }: ClaimRequest): number {
  return Math.ceil(monotonicMs + ttlMs);
}
