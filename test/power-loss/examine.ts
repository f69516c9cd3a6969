/** Reopens what a crash has left with the real store and compares it with what was acknowledged. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isNightshiftError } from "../../src/core/errors.ts";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import { NO_REDACTION, seal } from "../../src/core/seal.ts";
import type { Store } from "../../src/store/contract.ts";
import { createSqliteIntegrity } from "../../src/store/sqlite/integrity.ts";
import { createSqliteStore } from "../../src/store/sqlite.ts";
import { AT, createdEvent, messageEvent } from "../integrity/sample-events.ts";
import type { CrashState } from "./disk.ts";
import type { Acknowledgement } from "./workload.ts";

/** Each event of each session as text, in order. */
export type Logs = ReadonlyMap<SessionId, readonly string[]>;

/**
 * What became of one state. Only `whole` keeps the promise; a coded error would be right only if the hardware had
 * broken its own.
 */
export type Outcome =
  | { readonly kind: "whole" }
  | { readonly kind: "lost"; readonly what: string }
  | { readonly kind: "refused"; readonly what: string };

/** How far the world knows each session. */
export class Acknowledged {
  readonly #sessions = new Map<SessionId, { seq: number; epoch: number }>();

  add({ session, seq, epoch }: Acknowledgement): void {
    const before = this.#sessions.get(session) ?? { seq: 0, epoch: 0 };
    this.#sessions.set(session, { seq: Math.max(seq, before.seq), epoch: Math.max(epoch, before.epoch) });
  }

  entries(): readonly (readonly [SessionId, { readonly seq: number; readonly epoch: number }])[] {
    return [...this.#sessions];
  }
}

function openStore(folder: string): Promise<Store> {
  return createSqliteStore({
    folder,
    writer: "inline",
    clock: { monotonicMs: () => performance.now() },
    probe: { isDead: () => true },
  });
}

/** Every log in a state folder. */
export async function readLogs(folder: string): Promise<Logs> {
  const store = await openStore(folder);
  try {
    const logs = new Map<SessionId, readonly string[]>();
    for (const { sessionId: id } of await store.listSessions({ limit: 1000 }))
      logs.set(id, await readLog(store, id));
    return logs;
  } finally {
    await store.close();
  }
}

async function readLog(store: Store, id: SessionId): Promise<string[]> {
  const events: string[] = [];
  for (;;) {
    const page = await store.getEvents(id, { after: events.length, limit: 500 });
    if (page.length === 0) return events;
    events.push(...page.map((event) => JSON.stringify(event)));
  }
}

/** Writes a state down as a folder. */
export function writeState(folder: string, state: CrashState): void {
  rmSync(folder, { recursive: true, force: true });
  if (state === undefined) return;
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of state) writeFileSync(join(folder, name), content);
}

/**
 * Opens, reads, compares, goes on writing, and reads again.
 * @param whole - the logs as they were in the end; events are never changed, so each state has a beginning of them
 */
export async function examine(folder: string, acknowledged: Acknowledged, whole: Logs): Promise<Outcome> {
  try {
    const store = await openStore(folder);
    try {
      const lost = (await firstLoss(store, acknowledged, whole)) ?? (await goOn(store, acknowledged));
      return lost === undefined ? { kind: "whole" } : { kind: "lost", what: lost };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (isNightshiftError(error)) return { kind: "refused", what: `${error.code}: ${error.message}` };
    return { kind: "lost", what: `an error without a code: ${String(error)}` };
  }
}

/** A second opinion on the same state. @returns what fsck complains of */
export async function complaints(folder: string): Promise<readonly string[]> {
  const { problems, sessions } = await createSqliteIntegrity(folder).check();
  return [...problems, ...sessions.flatMap((each) => each.problems)].map(({ message }) => message);
}

async function firstLoss(store: Store, acknowledged: Acknowledged, whole: Logs): Promise<string | undefined> {
  for (const [id, { seq, epoch }] of acknowledged.entries()) {
    const record = await store.getSession(id);
    if (record === undefined) return `${id} is gone; ${seq} events were acknowledged`;
    if (record.epoch < epoch) return `${id} is at lease ${record.epoch}; ${epoch} was acknowledged`;
    const events = await readLog(store, id);
    if (events.length < seq) return `${id} has ${events.length} events; ${seq} were acknowledged`;
    const expected = whole.get(id) ?? [];
    const differing = events.findIndex((event, index) => event !== expected[index]);
    if (differing >= 0) return `event ${differing + 1} of ${id} is another one`;
  }
  return undefined;
}

/** The log must not only be there, it must go on. */
async function goOn(store: Store, acknowledged: Acknowledged): Promise<string | undefined> {
  const message = [seal(messageEvent("after the crash"), NO_REDACTION)];
  for (const [id] of acknowledged.entries()) {
    const { seq } = await store.submit(id, { appendId: "after", at: AT, events: message });
    const [last] = await store.getEvents(id, { limit: 1, backwards: true });
    if (last?.seq !== seq) return `${id} does not take a message any more`;
  }
  const fresh = sessionId("afterthecrash");
  await store.create(fresh, {
    appendId: "create",
    at: AT,
    events: [seal(createdEvent("fresh"), NO_REDACTION)],
  });
  return (await store.getSession(fresh)) === undefined ? "a new session is not there" : undefined;
}
