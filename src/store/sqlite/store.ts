/** The store contract on top of reader and writer. */
import type { Spending } from "../../core/budget/state.ts";
import type { Clock } from "../../core/clock.ts";
import { assert, NightshiftError } from "../../core/errors.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import type { Sequence, SessionId } from "../../core/ids.ts";
import {
  checkAppend,
  checkCreate,
  checkLimit,
  checkRange,
  checkSubmit,
  PAGE_MAX,
  wholeMs,
} from "../checks.ts";
import type {
  AppendBatch,
  AppendResult,
  ClaimResult,
  DueSessions,
  EventRange,
  Lease,
  Owner,
  ReleaseResult,
  SessionRecord,
  Snapshot,
  Store,
  StoreChange,
  SubmitBatch,
  SubmitResult,
} from "../contract.ts";
import { sessionUnknown, storeClosed } from "../failures.ts";
import type { OwnerProbe } from "../owner.ts";
import { readBlob } from "./blobs.ts";
import type { Connection } from "./connection.ts";
import { readDay } from "./days.ts";
import { findAppend, readEvents } from "./events.ts";
import type { HeadsFile } from "./heads.ts";
import { type Liveness, ownerOf, readDue, readPage, readRecord } from "./records.ts";
import { errorOf, type WriteOutcome, type WriteRequest } from "./requests.ts";
import { checkedSession, findSession } from "./rows.ts";
import { readSnapshot } from "./snapshots.ts";
import { storeError } from "./sql-errors.ts";
import type { Watch } from "./watch.ts";
import type { Writer } from "./writer.ts";

/** Parts of the store; it owns them all and gives them back in `close`. */
export interface SqliteStoreParts {
  readonly reader: Connection;
  readonly heads: HeadsFile;
  readonly writer: Writer;
  readonly watch: Watch;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly probe: OwnerProbe;
}

/** How often a claim looks again when the lease changed hands between the look and the claim. */
const CLAIM_TRIES_MAX = 10;

/** {@link Store} on SQLite. */
export class SqliteStore implements Store {
  readonly kind = "sqlite";
  readonly #parts: SqliteStoreParts;
  #closing: Promise<void> | undefined;

  constructor(parts: SqliteStoreParts) {
    this.#parts = parts;
  }

  async create(sessionId: SessionId, batch: SubmitBatch): Promise<SubmitResult> {
    checkCreate(batch);
    return this.#submitted(sessionId, await this.#write({ kind: "create", sessionId, batch }));
  }

  async append(lease: Lease, batch: AppendBatch): Promise<AppendResult> {
    checkAppend(batch);
    const { sessionId, epoch } = lease;
    const { expectedSeq = null, snapshot = null, summary = null, spending = null } = batch;
    const outcome = await this.#write({
      kind: "append",
      sessionId,
      epoch,
      expectedSeq,
      batch,
      snapshot,
      summary,
      spending,
    });
    switch (outcome.kind) {
      case "stored": {
        const { firstSeq, seq, repeated, fenced } = outcome;
        this.#parts.watch.notify({ sessionId, seq });
        return { status: "appended", firstSeq, seq, repeated, fenced };
      }
      case "fenced":
        return { status: "fenced", epoch: outcome.epoch };
      case "over_day":
        return { status: "over_day", spent: outcome.spent };
      case "conflict": {
        const events = await this.#between(sessionId, expectedSeq ?? 0, outcome.seq);
        return { status: "conflict", seq: outcome.seq, events };
      }
      default:
        throw unexpected(outcome);
    }
  }

  async submit(sessionId: SessionId, batch: SubmitBatch): Promise<SubmitResult> {
    checkSubmit(batch);
    return this.#submitted(sessionId, await this.#write({ kind: "submit", sessionId, batch }));
  }

  async findAppend(sessionId: SessionId, appendId: string): Promise<Sequence | undefined> {
    return this.#read((reader) => {
      const row = checkedSession(reader, this.#parts.heads, sessionId);
      if (row === undefined) throw sessionUnknown(sessionId);
      return findAppend(reader, row.key, appendId);
    });
  }

  async getEvents(sessionId: SessionId, range: EventRange): Promise<readonly SessionEvent[]> {
    checkRange(range);
    return this.#read((reader) => {
      const row = checkedSession(reader, this.#parts.heads, sessionId);
      if (row === undefined) throw sessionUnknown(sessionId);
      return readEvents(reader, row, range);
    });
  }

  async getSession(sessionId: SessionId): Promise<SessionRecord | undefined> {
    return this.#read((reader) => {
      const row = checkedSession(reader, this.#parts.heads, sessionId);
      return row === undefined ? undefined : readRecord(reader, sessionId, this.#liveness());
    });
  }

  async listSessions(range: {
    readonly after?: SessionId;
    readonly limit: number;
  }): Promise<readonly SessionRecord[]> {
    checkLimit(range.limit);
    return this.#read((reader) => {
      const { after, limit } = range;
      const last = after === undefined ? undefined : findSession(reader, after);
      if (after !== undefined && last === undefined) throw sessionUnknown(after);
      return readPage(reader, { beforeKey: last?.key ?? Number.MAX_SAFE_INTEGER, limit }, this.#liveness());
    });
  }

  async claim(
    sessionId: SessionId,
    request: { readonly owner: Owner; readonly ttlMs: number; readonly at: number },
  ): Promise<ClaimResult> {
    const owner = JSON.stringify(request.owner);
    const at = wholeMs(request.at, "at");
    const ttlMs = wholeMs(request.ttlMs, "ttlMs");
    let deadEpoch: number | null = null;
    for (let tries = 1; tries <= CLAIM_TRIES_MAX; tries++) {
      const monotonicMs = this.#parts.clock.monotonicMs();
      const outcome = await this.#write({
        kind: "claim",
        sessionId,
        owner,
        ttlMs,
        at,
        monotonicMs,
        deadEpoch,
      });
      if (outcome.kind === "claimed") return this.#claimed(sessionId, outcome.epoch);
      if (outcome.kind !== "held") throw unexpected(outcome);
      // Whether an owner lives is found out here and not in the transaction; its epoch ties the finding to it.
      const holder = ownerOf(outcome.owner);
      if (!this.#parts.probe.isDead(holder)) {
        return { status: "held", owner: holder, expiresInMs: outcome.leaseUntilMs - monotonicMs };
      }
      deadEpoch = outcome.epoch;
    }
    throw new NightshiftError("E_STORE_BUSY", `the lease of ${sessionId} keeps changing hands`, {
      retryable: true,
    });
  }

  async renew(
    lease: Lease,
    ttlMs: number,
  ): Promise<{ readonly status: "renewed" } | { readonly status: "fenced"; readonly epoch: number }> {
    const { sessionId, epoch } = lease;
    const leaseUntilMs = Math.ceil(this.#parts.clock.monotonicMs()) + wholeMs(ttlMs, "ttlMs");
    const outcome = await this.#write({ kind: "renew", sessionId, epoch, leaseUntilMs });
    if (outcome.kind === "renewed") return { status: "renewed" };
    if (outcome.kind === "fenced") return { status: "fenced", epoch: outcome.epoch };
    throw unexpected(outcome);
  }

  async release(
    lease: Lease,
    to: { readonly seq: Sequence; readonly due: number | null },
  ): Promise<ReleaseResult> {
    const due = to.due === null ? null : wholeMs(to.due, "due");
    const outcome = await this.#write({ kind: "release", ...lease, seq: to.seq, due });
    if (outcome.kind === "released") {
      this.#parts.watch.notify({ sessionId: lease.sessionId, seq: to.seq });
      return { status: "released" };
    }
    if (outcome.kind === "moved") return { status: "moved", seq: outcome.seq };
    if (outcome.kind === "fenced") return { status: "fenced", epoch: outcome.epoch };
    throw unexpected(outcome);
  }

  async listDue(query: { readonly now: number; readonly limit: number }): Promise<DueSessions> {
    checkLimit(query.limit);
    return this.#read((reader) => readDue(reader, query, this.#liveness()));
  }

  async getBlob(blobHash: string): Promise<string> {
    return this.#read((reader) => readBlob(reader, blobHash, true));
  }

  async getSnapshot(sessionId: SessionId, fold: string): Promise<Snapshot | undefined> {
    return this.#read((reader) => {
      const row = findSession(reader, sessionId);
      return row === undefined ? undefined : readSnapshot(reader, row.key, fold);
    });
  }

  async getDaySpending(day: number): Promise<Spending> {
    return this.#read((reader) => readDay(reader, day));
  }

  subscribe(listener: (change?: StoreChange) => void, sessionId?: SessionId): () => void {
    if (this.#closing !== undefined) throw storeClosed();
    return this.#parts.watch.subscribe(listener, sessionId);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { watch, writer, reader, heads } = this.#parts;
    watch.close();
    await writer.close();
    reader.close();
    heads.close();
  }

  async #write(request: WriteRequest): Promise<WriteOutcome> {
    if (this.#closing !== undefined) throw storeClosed();
    const outcome = await this.#parts.writer.write(request);
    if (outcome.kind === "failed") throw errorOf(outcome.failure);
    return outcome;
  }

  #submitted(sessionId: SessionId, outcome: WriteOutcome): SubmitResult {
    if (outcome.kind !== "stored") throw unexpected(outcome);
    const { firstSeq, seq, repeated } = outcome;
    this.#parts.watch.notify({ sessionId, seq });
    return { firstSeq, seq, repeated };
  }

  #claimed(sessionId: SessionId, epoch: number): ClaimResult {
    const record = this.#read((reader) => readRecord(reader, sessionId, this.#liveness()));
    assert(record !== undefined, "a claimed session has a row");
    this.#parts.watch.notify({ sessionId, seq: record.seq });
    return { status: "claimed", lease: { sessionId, epoch }, record };
  }

  #read<Result>(read: (reader: Connection) => Result): Result {
    if (this.#closing !== undefined) throw storeClosed();
    const { reader } = this.#parts;
    try {
      return read(reader);
    } catch (error) {
      throw storeError(error, reader.path);
    }
  }

  /** The events after one position up to another, however many. */
  async #between(sessionId: SessionId, after: Sequence, through: Sequence): Promise<SessionEvent[]> {
    const events: SessionEvent[] = [];
    for (let from = after; from < through; from = events.at(-1)?.seq ?? through) {
      events.push(
        ...(await this.getEvents(sessionId, { after: from, limit: Math.min(PAGE_MAX, through - from) })),
      );
    }
    return events;
  }

  #liveness(): Liveness {
    return { probe: this.#parts.probe, monotonicMs: this.#parts.clock.monotonicMs() };
  }
}

/** The writer answers each kind of request with its own kinds of outcome. */
function unexpected(outcome: WriteOutcome): NightshiftError {
  return new NightshiftError("E_INTERNAL", `unexpected outcome: ${outcome.kind}`);
}
