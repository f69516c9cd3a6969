/**
 * The store in memory: the reference that the other backends are compared with, and the one for tests and
 * embedding. Durable for as long as its {@link MemoryData} lives.
 */
import { hash } from "node:crypto";
import { NOTHING_SPENT, type Spending } from "../core/budget/state.ts";
import { eventHash, genesisHash } from "../core/chain.ts";
import type { Clock } from "../core/clock.ts";
import { NightshiftError } from "../core/errors.ts";
import type { SessionEvent } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import { hydrate } from "../core/seal.ts";
import type { Json } from "../core/text.ts";
import { type StoredEvent, upcast } from "../core/upcast.ts";
import { checkAppend, checkCreate, checkLimit, checkRange, checkSubmit, wholeMs } from "./checks.ts";
import type {
  AppendBatch,
  AppendResult,
  ClaimResult,
  DayCharge,
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
} from "./contract.ts";
import { afterCharge, DAYS_KEPT, isOverDay } from "./day-spending.ts";
import {
  appendMismatch,
  blobMissing,
  logLost,
  sessionExists,
  sessionUnknown,
  storeClosed,
} from "./failures.ts";
import type { OwnerProbe } from "./owner.ts";

interface MemoryEvent extends StoredEvent {
  readonly hash: string;
}

interface MemorySession {
  readonly id: SessionId;
  readonly createdAt: number;
  updatedAt: number;
  readonly events: MemoryEvent[];
  /** Append id → position and number of the events stored under it. */
  readonly appends: Map<string, { readonly firstSeq: Sequence; readonly count: number }>;
  epoch: number;
  owner: Owner | null;
  leaseUntilMs: number;
  due: number | null;
  summary: string | null;
  snapshot: Snapshot | undefined;
}

type Listener = (change?: StoreChange) => void;

/** What memory stores share that are opened on the same data. */
export interface MemoryData {
  /** In order of creation. */
  readonly sessions: Map<string, MemorySession>;
  readonly blobs: Map<string, string>;
  /** What was spent, by day. */
  readonly days: Map<number, Spending>;
  readonly listeners: Set<Listener>;
}

/** Data without any session. */
export function createMemoryData(): MemoryData {
  return { sessions: new Map(), blobs: new Map(), days: new Map(), listeners: new Set() };
}

/** Parts of a memory store. */
export interface MemoryStoreOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly probe: OwnerProbe;
  /** To open the same data again, as another process would. Default: fresh data. */
  readonly data?: MemoryData;
}

/** Opens a store in memory. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options);
}

/** Every method runs to its end without waiting, so calls cannot interleave. */
class MemoryStore implements Store {
  readonly kind = "memory";
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #probe: OwnerProbe;
  readonly #data: MemoryData;
  readonly #listeners = new Set<Listener>();
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#probe = options.probe;
    this.#data = options.data ?? createMemoryData();
  }

  async create(sessionId: SessionId, batch: SubmitBatch): Promise<SubmitResult> {
    this.#checkOpen();
    checkCreate(batch);
    const existing = this.#data.sessions.get(sessionId);
    if (existing !== undefined) {
      const repeated = this.#repeated(existing, batch);
      if (repeated?.firstSeq !== 1) throw sessionExists(sessionId);
      return { ...repeated, repeated: true };
    }
    const session: MemorySession = {
      id: sessionId,
      createdAt: batch.at,
      updatedAt: batch.at,
      events: [],
      appends: new Map(),
      epoch: 0,
      owner: null,
      leaseUntilMs: 0,
      due: batch.at,
      summary: null,
      snapshot: undefined,
    };
    this.#data.sessions.set(sessionId, session);
    return { ...this.#store(session, batch), repeated: false };
  }

  async append(lease: Lease, batch: AppendBatch): Promise<AppendResult> {
    this.#checkOpen();
    checkAppend(batch);
    const session = this.#session(lease.sessionId);
    const fenced = isFenced(session, lease);
    const repeated = this.#repeated(session, batch);
    if (repeated !== undefined) return { status: "appended", ...repeated, repeated: true, fenced };
    if (fenced) return { status: "fenced", epoch: session.epoch };
    const seq = session.events.length;
    const expected = batch.expectedSeq ?? seq;
    if (expected > seq) throw logLost(session.id, seq, expected);
    if (expected < seq) {
      return { status: "conflict", seq, events: session.events.slice(expected).map((e) => this.#read(e)) };
    }
    const { spending } = batch;
    const spent = this.#data.days.get(spending?.day ?? -1) ?? NOTHING_SPENT;
    if (spending !== undefined && isOverDay(spent, spending)) return { status: "over_day", spent };
    const placed = this.#store(session, batch);
    if (spending !== undefined) this.#charge(spending);
    if (batch.summary !== undefined) session.summary = batch.summary;
    if (batch.snapshot !== undefined) {
      session.snapshot = { ...batch.snapshot, seq: placed.seq, hash: headHash(session) };
    }
    return { status: "appended", ...placed, repeated: false, fenced: false };
  }

  async submit(sessionId: SessionId, batch: SubmitBatch): Promise<SubmitResult> {
    this.#checkOpen();
    checkSubmit(batch);
    const session = this.#session(sessionId);
    const repeated = this.#repeated(session, batch);
    if (repeated !== undefined) return { ...repeated, repeated: true };
    session.due = batch.at;
    return { ...this.#store(session, batch), repeated: false };
  }

  async getEvents(sessionId: SessionId, range: EventRange): Promise<readonly SessionEvent[]> {
    this.#checkOpen();
    checkRange(range);
    const { events } = this.#session(sessionId);
    const { after, backwards = false, types, limit } = range;
    const chosen = backwards
      ? events.slice(0, after === undefined ? undefined : Math.max(0, after - 1)).reverse()
      : events.slice(after ?? 0);
    return chosen
      .filter((event) => types === undefined || types.includes(event.type))
      .slice(0, limit)
      .map((event) => this.#read(event, range.hydrate));
  }

  async findAppend(sessionId: SessionId, appendId: string): Promise<Sequence | undefined> {
    this.#checkOpen();
    return this.#session(sessionId).appends.get(appendId)?.firstSeq;
  }

  async getSession(sessionId: SessionId): Promise<SessionRecord | undefined> {
    this.#checkOpen();
    const session = this.#data.sessions.get(sessionId);
    return session === undefined ? undefined : this.#record(session);
  }

  async listSessions(range: { after?: SessionId; limit: number }): Promise<readonly SessionRecord[]> {
    this.#checkOpen();
    checkLimit(range.limit);
    const sessions = [...this.#data.sessions.values()].reverse();
    const start = range.after === undefined ? 0 : sessions.indexOf(this.#session(range.after)) + 1;
    return sessions.slice(start, start + range.limit).map((session) => this.#record(session));
  }

  async claim(
    sessionId: SessionId,
    request: { readonly owner: Owner; readonly ttlMs: number; readonly at: number },
  ): Promise<ClaimResult> {
    this.#checkOpen();
    const session = this.#session(sessionId);
    const at = wholeMs(request.at, "at");
    const ttlMs = wholeMs(request.ttlMs, "ttlMs");
    if (session.owner !== null && this.#isHeld(session)) {
      const expiresInMs = session.leaseUntilMs - this.#clock.monotonicMs();
      return { status: "held", owner: session.owner, expiresInMs };
    }
    session.epoch += 1;
    session.owner = { ...request.owner };
    session.leaseUntilMs = Math.ceil(this.#clock.monotonicMs()) + ttlMs;
    session.due = Math.min(session.due ?? at, at);
    this.#notify(session);
    const lease = { sessionId, epoch: session.epoch };
    return { status: "claimed", lease, record: this.#record(session) };
  }

  async renew(
    lease: Lease,
    ttlMs: number,
  ): Promise<{ readonly status: "renewed" } | { readonly status: "fenced"; readonly epoch: number }> {
    this.#checkOpen();
    const session = this.#session(lease.sessionId);
    if (isFenced(session, lease)) return { status: "fenced", epoch: session.epoch };
    session.leaseUntilMs = Math.ceil(this.#clock.monotonicMs()) + wholeMs(ttlMs, "ttlMs");
    return { status: "renewed" };
  }

  async release(lease: Lease, to: { seq: Sequence; due: number | null }): Promise<ReleaseResult> {
    this.#checkOpen();
    const session = this.#session(lease.sessionId);
    if (isFenced(session, lease)) return { status: "fenced", epoch: session.epoch };
    if (session.events.length !== to.seq) return { status: "moved", seq: session.events.length };
    session.owner = null;
    session.due = to.due === null ? null : wholeMs(to.due, "due");
    this.#notify(session);
    return { status: "released" };
  }

  async listDue(query: { readonly now: number; readonly limit: number }): Promise<DueSessions> {
    this.#checkOpen();
    checkLimit(query.limit);
    const waiting = [...this.#data.sessions.values()].filter((session) => session.due !== null);
    const due = waiting.filter((session) => dueOf(session) <= query.now);
    const later = waiting.filter((session) => dueOf(session) > query.now);
    const held = due.filter((session) => this.#isHeld(session));
    const ready = due.filter((session) => !held.includes(session)).sort((a, b) => dueOf(a) - dueOf(b));
    const firstExpiry = least(held.map((session) => session.leaseUntilMs));
    return {
      ready: ready.slice(0, query.limit).map((session) => session.id),
      nextDue: least(later.map(dueOf)),
      heldForMs: firstExpiry === null ? null : firstExpiry - this.#clock.monotonicMs(),
    };
  }

  async getBlob(blobHash: string): Promise<string> {
    this.#checkOpen();
    return this.#blob(blobHash);
  }

  async getSnapshot(sessionId: SessionId, fold: string): Promise<Snapshot | undefined> {
    this.#checkOpen();
    const snapshot = this.#data.sessions.get(sessionId)?.snapshot;
    return snapshot?.fold === fold ? snapshot : undefined;
  }

  async getDaySpending(day: number): Promise<Spending> {
    this.#checkOpen();
    return this.#data.days.get(day) ?? NOTHING_SPENT;
  }

  subscribe(listener: Listener): () => void {
    // Of its own, so that the same function can be subscribed twice and stopped once.
    const ownListener: Listener = (change) => listener(change);
    this.#listeners.add(ownListener);
    this.#data.listeners.add(ownListener);
    return () => {
      this.#listeners.delete(ownListener);
      this.#data.listeners.delete(ownListener);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const listener of this.#listeners) this.#data.listeners.delete(listener);
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  #session(sessionId: SessionId): MemorySession {
    const session = this.#data.sessions.get(sessionId);
    if (session === undefined) throw sessionUnknown(sessionId);
    return session;
  }

  /** Where the batch is, if it was stored before. */
  #repeated(session: MemorySession, batch: SubmitBatch): { firstSeq: Sequence; seq: Sequence } | undefined {
    const before = session.appends.get(batch.appendId);
    if (before === undefined) return undefined;
    const { firstSeq, count } = before;
    const stored = session.events.slice(firstSeq - 1, firstSeq - 1 + count);
    const isSame = (event: MemoryEvent, index: number): boolean => {
      const other = batch.events[index];
      return event.type === other?.type && event.v === other.v && event.body === other.body;
    };
    if (count !== batch.events.length || !stored.every(isSame)) {
      throw appendMismatch(session.id, batch.appendId);
    }
    return { firstSeq, seq: firstSeq + count - 1 };
  }

  #store(session: MemorySession, batch: SubmitBatch): { firstSeq: Sequence; seq: Sequence } {
    const firstSeq = session.events.length + 1;
    for (const { type, v, body, bodyHash, blobs } of batch.events) {
      const header = { session: session.id, seq: session.events.length + 1, type, v, at: batch.at };
      const hashOfEvent = eventHash(headHash(session), header, bodyHash);
      session.events.push({ seq: header.seq, at: batch.at, type, v, body, hash: hashOfEvent });
      for (const blob of blobs) this.#data.blobs.set(blob.hash, blob.text);
    }
    session.appends.set(batch.appendId, { firstSeq, count: batch.events.length });
    session.updatedAt = batch.at;
    this.#notify(session);
    return { firstSeq, seq: session.events.length };
  }

  #charge(spending: DayCharge): void {
    const { days } = this.#data;
    days.set(spending.day, afterCharge(days.get(spending.day) ?? NOTHING_SPENT, spending));
    for (const day of [...days.keys()].sort((a, b) => b - a).slice(DAYS_KEPT)) days.delete(day);
  }

  #read(stored: MemoryEvent, hydrated = true): SessionEvent {
    const body = JSON.parse(stored.body) as Json;
    return upcast(stored, hydrated ? hydrate(body, (blobHash) => this.#blob(blobHash)) : body);
  }

  #blob(blobHash: string): string {
    const text = this.#data.blobs.get(blobHash);
    if (text === undefined) throw blobMissing(blobHash);
    if (hash("sha256", text, "hex") !== blobHash) {
      throw new NightshiftError("E_LOG_CORRUPT", `blob ${blobHash} does not match its hash`);
    }
    return text;
  }

  #isHeld(session: MemorySession): boolean {
    if (session.owner === null || session.leaseUntilMs <= this.#clock.monotonicMs()) return false;
    return !this.#probe.isDead(session.owner);
  }

  #record(session: MemorySession): SessionRecord {
    return {
      sessionId: session.id,
      createdAt: session.createdAt,
      updatedAt: session.updatedAt,
      seq: session.events.length,
      hash: headHash(session),
      epoch: session.epoch,
      owner: session.owner,
      held: this.#isHeld(session),
      due: session.due,
      summary: session.summary,
    };
  }

  #notify(session: MemorySession): void {
    const change = { sessionId: session.id, seq: session.events.length };
    for (const listener of this.#data.listeners) queueMicrotask(() => listener(change));
  }
}

/** A newer lease exists, or this one was released. An expired lease that nobody else took is still good. */
function isFenced(session: MemorySession, lease: Lease): boolean {
  return session.epoch !== lease.epoch || session.owner === null;
}

function headHash(session: MemorySession): string {
  return session.events.at(-1)?.hash ?? genesisHash(session.id);
}

function dueOf(session: MemorySession): number {
  return session.due ?? Number.POSITIVE_INFINITY;
}

function least(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : Math.min(...numbers);
}
