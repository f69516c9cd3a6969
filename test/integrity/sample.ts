/** State folders for the integrity tests: real stores, written through their contract, and crash copies of them. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { EventInput, SessionEvent } from "../../src/core/events/index.ts";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import { NO_REDACTION, seal } from "../../src/core/seal.ts";
import type { Lease, Owner, Store } from "../../src/store/contract.ts";
import { createSqliteStore } from "../../src/store/sqlite.ts";
import { AT, createdEvent, filler, messageEvent, turnEvents } from "./sample-events.ts";

/** Files of a state folder that hold data. */
export const DATABASE = "log.db";
export const WAL = "log.db-wal";
export const HEADS = "heads";

const owner: Owner = { harness: "test", bootId: "boot", pidNamespace: "ns", pid: 1, startTime: "1" };

/** In memory where the system has such a place, for tests that open thousands of stores. */
const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** An empty folder that goes when the test ends. */
export function temporaryFolder(where: "disk" | "memory" = "disk"): string {
  const folder = mkdtempSync(join(where === "disk" ? tmpdir() : MEMORY, "nightshift-integrity-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The real store on a folder. */
export function openStore(folder: string): Promise<Store> {
  return createSqliteStore({
    folder,
    writer: "inline",
    clock: { monotonicMs: () => performance.now() },
    probe: { isDead: () => false },
  });
}

/** Seals and appends as one commit, under whatever lease there is. */
export async function append(
  store: Store,
  id: SessionId,
  appendId: string,
  events: EventInput[],
): Promise<void> {
  const lease = await claimed(store, id);
  const seq = await appendUnder(store, lease, appendId, events);
  await store.release(lease, { seq, due: null });
}

async function claimed(store: Store, id: SessionId): Promise<Lease> {
  const claim = await store.claim(id, { owner, ttlMs: 600_000, at: AT });
  if (claim.status !== "claimed") throw new Error("not claimed");
  return claim.lease;
}

async function appendUnder(
  store: Store,
  lease: Lease,
  appendId: string,
  events: EventInput[],
): Promise<number> {
  const sealed = events.map((each) => seal(each, NO_REDACTION));
  const result = await store.append(lease, { appendId, at: AT, events: sealed });
  if (result.status !== "appended") throw new Error(result.status);
  return result.seq;
}

/** Makes a session with so many turns, each a commit of its own, and messages in between. */
export async function writeSession(store: Store, name: string, turns: number): Promise<SessionId> {
  const id = sessionId(name);
  const sealed = (input: EventInput) => [seal(input, NO_REDACTION)];
  await store.create(id, { appendId: "create", at: AT, events: sealed(createdEvent(name)) });
  const lease = await claimed(store, id);
  let seq = 1;
  for (let turn = 1; turn <= turns; turn++) {
    if (turn % 4 === 1) {
      await store.submit(id, {
        appendId: `say ${turn}`,
        at: AT,
        events: sealed(messageEvent(filler(50, turn))),
      });
    }
    seq = await appendUnder(store, lease, `turn ${turn}`, turnEvents(turn));
  }
  await store.release(lease, { seq, due: null });
  return id;
}

/** The whole log through the contract. */
export async function readLog(store: Store, id: SessionId): Promise<readonly SessionEvent[]> {
  const events: SessionEvent[] = [];
  for (;;) {
    const page = await store.getEvents(id, { after: events.length, limit: 100 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** What a crash would leave: the files of a store that is still open. */
export function crashCopy(folder: string): string {
  const copy = temporaryFolder();
  for (const name of [DATABASE, WAL, HEADS]) cpSync(join(folder, name), join(copy, name));
  return copy;
}

/** Runs SQL on the database behind the store's back; what a clumsy or malicious person could do. */
export function tamper(folder: string, sql: string, ...parameters: (string | number | Uint8Array)[]): void {
  const database = new DatabaseSync(join(folder, DATABASE));
  try {
    database.prepare(sql).run(...parameters);
  } finally {
    database.close();
  }
}

/** Every byte of every file, in a form that compares fast and tells the difference. */
export function contents(folder: string, names: readonly string[] = [DATABASE, WAL, HEADS]): string[] {
  return names.map((name) => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path).toString("latin1") : "no such file";
  });
}

/** Moves one row of the table while the index over (session, seq) is hidden, so that its entry leads nowhere. */
export function tamperIndex(of: string): void {
  const readSchema = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = ?";
  const database = new DatabaseSync(join(of, DATABASE), { defensive: false });
  database.exec("PRAGMA writable_schema = ON");
  const index = database.prepare(readSchema).get("sqlite_autoindex_events_1") ?? {};
  const { sql } = database.prepare(readSchema).get("events") as { sql: string };
  const setSql = database.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'events'");
  setSql.run(sql.replace("UNIQUE (session, seq)", "CHECK (seq > 0)"));
  database.prepare("DELETE FROM sqlite_schema WHERE name = ?").run(index.name ?? null);
  database.close();
  tamper(of, "UPDATE events SET id = id + 100000 WHERE session = 1 AND seq = 5");
  const again = new DatabaseSync(join(of, DATABASE), { defensive: false });
  again.exec("PRAGMA writable_schema = ON");
  again.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'events'").run(sql);
  const restore = again.prepare("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)");
  restore.run(...Object.values(index));
  again.close();
}
