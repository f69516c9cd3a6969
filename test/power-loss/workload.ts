/**
 * The program whose writes are recorded: real stores under real work, that says on its standard output what was
 * acknowledged. Usage: workload.ts <state folder> <inline|thread> <synced|unsynced|killed-N>
 */
import { writeSync } from "node:fs";
import { type EventInput, event } from "../../src/core/events/index.ts";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import { NO_REDACTION, type SealedEvent, seal } from "../../src/core/seal.ts";
import type { Lease, Owner, Store } from "../../src/store/contract.ts";
import { createSqliteStore, type OpenDatabase, openDatabase } from "../../src/store/sqlite.ts";
import { AT, createdEvent, filler, messageEvent, turnEvents } from "../integrity/sample-events.ts";

/** What a line on the standard output says is durable. */
export interface Acknowledgement {
  readonly session: SessionId;
  readonly seq: number;
  readonly epoch: number;
}

const owner: Owner = { harness: "power", bootId: "boot", pidNamespace: "ns", pid: 1, startTime: "1" };
const ROUNDS = 4;
const TURNS = 12;

/** Small WALs, so that checkpoints and the WAL's starting over happen often enough to be met. */
const checkpointing: OpenDatabase = (path) => {
  const database = openDatabase(path);
  return {
    ...database,
    exec: (sql) => database.exec(sql.replace(/wal_autocheckpoint = \d+/, "wal_autocheckpoint = 40")),
  };
};

/** The mutant: commits are told before they are synced. */
const unsynced: OpenDatabase = (path) => ({ ...checkpointing(path), sync: () => undefined });

/** Dies after a commit and before its sync: the next process reads what is only in the system's memory. */
function killed(countdown: number): OpenDatabase {
  let left = countdown;
  return (path) => {
    const database = checkpointing(path);
    const sync = (): void => {
      left -= 1;
      if (left === 0) process.kill(process.pid, "SIGKILL");
      database.sync();
    };
    return { ...database, sync };
  };
}

function databaseFor(sync: string): OpenDatabase {
  const [, countdown] = /^killed-(\d+)$/.exec(sync) ?? [];
  if (countdown !== undefined) return killed(Number(countdown));
  return sync === "unsynced" ? unsynced : checkpointing;
}

function open(folder: string, writer: "inline" | "thread", sync: string): Promise<Store> {
  const parts = {
    folder,
    clock: { monotonicMs: () => performance.now() },
    probe: { isDead: () => true },
  };
  if (writer === "thread") return createSqliteStore({ ...parts, writer });
  return createSqliteStore({ ...parts, writer, openDatabase: databaseFor(sync) });
}

/** One line per acknowledgement, written at once and in one piece. */
function acknowledge(session: SessionId, seq: number, epoch: number): void {
  writeSync(1, `${JSON.stringify({ session, seq, epoch } satisfies Acknowledgement)}\n`);
}

function sealed(...events: EventInput[]): SealedEvent[] {
  return events.map((each) => seal(each, NO_REDACTION));
}

async function claim(store: Store, id: SessionId): Promise<Lease> {
  const claimed = await store.claim(id, { owner, ttlMs: 60_000, at: AT });
  if (claimed.status !== "claimed") throw new Error(`${id} is held`);
  acknowledge(id, claimed.record.seq, claimed.lease.epoch);
  return claimed.lease;
}

/** Some turns of one session, with messages from outside, long texts and snapshots among them. */
async function work(store: Store, id: SessionId, round: number): Promise<void> {
  const lease = await claim(store, id);
  for (let turn = 1; turn <= TURNS; turn++) {
    const appendId = `${round} ${turn}`;
    const snapshot = { fold: "fold", body: filler(600, turn) };
    const result = await store.append(lease, {
      appendId,
      at: AT,
      events: sealed(...turnEvents(round * 100 + turn)),
      ...(turn % 4 === 0 && { snapshot, summary: appendId }),
    });
    if (result.status !== "appended") throw new Error(result.status);
    acknowledge(id, result.seq, lease.epoch);
    if (turn % 3 !== 0) continue;
    const { seq } = await store.submit(id, {
      appendId: `say ${appendId}`,
      at: AT,
      events: sealed(messageEvent(filler(40, turn))),
    });
    acknowledge(id, seq, lease.epoch);
  }
  const record = await store.getSession(id);
  await store.release(lease, { seq: record?.seq ?? 0, due: null });
}

/** Opens, works and closes several times: closing moves the WAL into the database and deletes it. */
async function main(folder: string, writer: "inline" | "thread", sync: string): Promise<void> {
  const ids: SessionId[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const store = await open(folder, writer, sync);
    const id = sessionId(`powersession${round}`);
    const { seq } = await store.create(id, {
      appendId: "create",
      at: AT,
      events: sealed(createdEvent(id), event("control.pause", {})),
    });
    acknowledge(id, seq, 0);
    ids.push(id);
    await Promise.all(ids.map((each) => work(store, each, round)));
    await store.close();
  }
}

const [folder = "", writer = "", sync = ""] = process.argv.slice(2);
await main(folder, writer === "thread" ? "thread" : "inline", sync);
