/** What a store's conformance case gets to work with, and small things to store. */
import { rejects } from "node:assert/strict";
import type { ConformanceCase } from "../../core/conformance.ts";
import { type ErrorCode, isNightshiftError } from "../../core/errors.ts";
import { event } from "../../core/events/index.ts";
import { type SessionId, sessionId } from "../../core/ids.ts";
import { NO_REDACTION, type SealedEvent, seal } from "../../core/seal.ts";
import type { AppendBatch, Lease, Owner, Store, SubmitBatch } from "../contract.ts";
import type { OwnerProbe } from "../owner.ts";

/** What a store takes from outside; under test, all of it can be controlled. */
export interface StoreSurroundings {
  readonly clock: { monotonicMs(): number };
  readonly probe: OwnerProbe;
}

/** One set of data, opened as often as a case wants, as different processes would. */
export interface StoreSubject {
  /** Another handle on the same data. */
  open(): Promise<Store>;
  /** Lets monotonic time pass. */
  advance(ms: number): void;
  /** From now on that owner is certainly gone. */
  kill(owner: Owner): void;
  /** Closes what is still open. */
  dispose(): Promise<void>;
}

/** One obligation of the store contract. */
export type StoreCase = ConformanceCase<StoreSubject>;

/** @param openStore - opens the data of this subject; called once per handle */
export function createStoreSubject(
  openStore: (surroundings: StoreSurroundings) => Promise<Store>,
): StoreSubject {
  const opened: Store[] = [];
  const dead = new Set<string>();
  let nowMs = 1_000_000;
  const surroundings: StoreSurroundings = {
    clock: { monotonicMs: () => nowMs },
    probe: { isDead: (owner) => dead.has(owner.harness) },
  };
  return {
    async open() {
      const store = await openStore(surroundings);
      opened.push(store);
      return store;
    },
    advance(ms) {
      nowMs += ms;
    },
    kill(owner) {
      dead.add(owner.harness);
    },
    async dispose() {
      for (const store of opened) await store.close();
    },
  };
}

/** A session id for cases. */
export const SESSION: SessionId = sessionId("conformance1");
/** Another one. */
export const OTHER_SESSION: SessionId = sessionId("conformance2");
/** Time-to-live of the leases in the cases. */
export const TTL_MS = 10_000;

/** An owner; different numbers are different harnesses. */
export function owner(number = 1): Owner {
  return {
    harness: `harness-${number}`,
    bootId: "boot",
    pidNamespace: "pid:[1]",
    pid: 100 + number,
    startTime: "5",
  };
}

/** The first event of a log. */
export function createdEvent(title = "case"): SealedEvent {
  const body = {
    title,
    metadata: {},
    agent: {
      name: "agent",
      worker: "loop",
      model: { provider: "scripted", id: "one", max_output_tokens: 100 },
      system: "",
      tools: [],
    },
    sandbox: { backend: "process", workspace: "/workspace", options: {} },
    limits: {},
    policy: {
      steering: "enqueue",
      idle_timeout_ms: 1000,
      sandbox_grace_ms: 0,
      tool_wall_ms: 1000,
      model_failures_max: 1,
      no_contact_ms: 1000,
    },
  } as const;
  return seal(event("session.created", { ...body, agent: { ...body.agent, tools: [] } }), NO_REDACTION);
}

/** An event that clients may submit. */
export function message(text: string): SealedEvent {
  return seal(event("user.message", { content: [{ type: "text", text }] }), NO_REDACTION);
}

/** An event that only drivers may append. */
export function answer(text: string): SealedEvent {
  return seal(event("agent.message", { request: 1, content: [{ type: "text", text }] }), NO_REDACTION);
}

/** A batch for `create`. */
export function creation(batch: Partial<SubmitBatch> = {}): SubmitBatch {
  return { appendId: "create", at: 100, events: [createdEvent()], ...batch };
}

/** A batch of one answer under an id made of its text. */
export function batchOf(text: string, batch: Partial<AppendBatch> = {}): AppendBatch {
  return { appendId: `append ${text}`, at: 200, events: [answer(text)], ...batch };
}

/** A batch of one message under an id made of its text. */
export function submission(text: string, batch: Partial<SubmitBatch> = {}): SubmitBatch {
  return { appendId: `submit ${text}`, at: 300, events: [message(text)], ...batch };
}

/** Opens the store and makes a session of one event. */
export async function withSession(subject: StoreSubject): Promise<Store> {
  const store = await subject.open();
  await store.create(SESSION, creation());
  return store;
}

/** As {@link withSession}, and claims it. */
export async function withLease(subject: StoreSubject): Promise<{ store: Store; lease: Lease }> {
  const store = await withSession(subject);
  return { store, lease: await claimed(store) };
}

/** Claims; fails unless that works. */
export async function claimed(store: Store, by = owner(), session = SESSION): Promise<Lease> {
  const result = await store.claim(session, { owner: by, ttlMs: TTL_MS, at: 150 });
  if (result.status !== "claimed") throw new Error(`the lease of ${session} is held`);
  return result.lease;
}

/** As {@link withLease}, with a second session and its lease. */
export async function withTwoLeases(
  subject: StoreSubject,
): Promise<{ store: Store; lease: Lease; otherLease: Lease }> {
  const { store, lease } = await withLease(subject);
  await store.create(OTHER_SESSION, creation());
  return { store, lease, otherLease: await claimed(store, owner(2), OTHER_SESSION) };
}

/** Position of the head. */
export async function headOf(store: Store, session = SESSION): Promise<number> {
  return (await store.getSession(session))?.seq ?? 0;
}

/** The texts of all messages and answers, in order of the log. */
export async function textsOf(store: Store, session = SESSION): Promise<string[]> {
  const events = await store.getEvents(session, {
    limit: 10_000,
    types: ["user.message", "agent.message"],
  });
  return events.map((each) => {
    const { content } = each.body as { content: readonly { readonly text: unknown }[] };
    return String(content[0]?.text);
  });
}

/** Expects a rejection with that code. */
export async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await rejects(promise, (error) => {
    if (isNightshiftError(error, code)) return true;
    throw error;
  });
}
