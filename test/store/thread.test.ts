/** The writer's thread: what becomes of requests when it dies, and of notifications about its commits. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import {
  batchOf,
  claimed,
  creation,
  owner,
  SESSION,
  submission,
  textsOf,
} from "../../src/store/conformance/subject.ts";
import type { StoreChange } from "../../src/store/contract.ts";
import { Committer } from "../../src/store/sqlite/commit.ts";
import { Connection } from "../../src/store/sqlite/connection.ts";
import { DATABASE_FILE, HEADS_FILE } from "../../src/store/sqlite/folder.ts";
import { HeadsFile } from "../../src/store/sqlite/heads.ts";
import type { WriteOutcome, WriteRequest } from "../../src/store/sqlite/requests.ts";
import { ThreadWriter } from "../../src/store/sqlite/thread-writer.ts";
import { openDatabase } from "../../src/store/sqlite.ts";
import { openHandingOver } from "./handing-over.ts";
import { freshFolder, later, openStore } from "./place.ts";

const request: WriteRequest = { kind: "create", sessionId: SESSION, batch: creation() };

const DYING = new URL("data:text/javascript,throw new Error('out of memory')");

function committerIn(folder: string): Committer {
  const heads = new HeadsFile(join(folder, HEADS_FILE));
  const connection = new Connection({ folder, heads, openDatabase });
  later(() => connection.close());
  later(() => heads.close());
  return new Committer(connection, heads);
}

function creationOf(id: SessionId): WriteRequest {
  return { kind: "create", sessionId: id, batch: creation() };
}

test("a session alone at work needs no thread; when another one works too both go there, until one is alone for a while", async () => {
  const folder = freshFolder();
  const writer = new ThreadWriter(folder, committerIn(folder), DYING);
  const [one, two] = [sessionId("alone0000001"), sessionId("alone0000002")];
  const say = (id: SessionId, text: string): Promise<WriteOutcome> =>
    writer.write({ kind: "submit", sessionId: id, batch: submission(text) });
  expect(await writer.write(creationOf(one))).toMatchObject({ kind: "stored", seq: 1 });
  expect(await say(one, "a")).toMatchObject({ kind: "stored", seq: 2 });
  const together = await Promise.all([writer.write(creationOf(two)), say(one, "b")]);
  expect(together.map(({ kind }) => kind)).toEqual(["failed", "failed"]);
  const kinds: string[] = [];
  for (let tries = 0; tries < 20; tries++) kinds.push((await say(one, `again ${tries}`)).kind);
  expect([kinds[0], kinds.at(-1)]).toEqual(["failed", "stored"]);
  await writer.close();
});

test("while another process has the lock, the thread waits for it", async () => {
  const folder = freshFolder();
  const writer = new ThreadWriter(folder, committerIn(folder));
  await writer.write(request);
  const other = new DatabaseSync(join(folder, DATABASE_FILE));
  other.exec("BEGIN IMMEDIATE");
  const written = writer.write({ kind: "submit", sessionId: SESSION, batch: submission("a") });
  other.exec("ROLLBACK");
  other.close();
  expect(await written).toMatchObject({ kind: "stored", seq: 2 });
  await writer.close();
});

test("what a dead thread had not answered is in doubt, and the next request starts another thread", async () => {
  const writer = new ThreadWriter(freshFolder(), null, DYING);
  for (let round = 0; round < 2; round++) {
    const outcomes = await Promise.all([writer.write(request), writer.write(request)]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        kind: "failed",
        failure: { code: "E_STORE_IO", retryable: true, message: expect.stringContaining("out of memory") },
      });
    }
  }
  await writer.close();
});

test("a request that cannot cross to the thread fails alone", async () => {
  const writer = new ThreadWriter(freshFolder(), null);
  const sound = writer.write(request);
  await sound;
  const unsound = { ...request, batch: { ...creation(), at: (() => 1) as unknown as number } };
  expect(await writer.write(unsound)).toMatchObject({ kind: "failed", failure: { code: "E_INTERNAL" } });
  expect(await writer.write(request)).toMatchObject({ kind: "stored", repeated: true });
  await writer.close();
});

test("closing an idle writer ends its thread; one that never wrote has none", async () => {
  const writer = new ThreadWriter(freshFolder(), null);
  await writer.close();
  const other = new ThreadWriter(freshFolder(), null);
  await other.write(request);
  await other.close();
  await expect(other.write(request)).rejects.toMatchObject({ code: "E_STORE_CLOSED" });
});

test("a bad request among many fails alone, whatever it fails of", async () => {
  const store = await openStore(freshFolder(), { writer: "thread" });
  await store.create(SESSION, creation());
  const lease = await claimed(store);
  const zombie = { sessionId: SESSION, epoch: lease.epoch + 1 };
  const results = await Promise.allSettled([
    store.append(lease, batchOf("a")),
    store.append(zombie, batchOf("b")),
    store.append(lease, batchOf("c", { expectedSeq: 1 })),
    store.append(lease, batchOf("d", { expectedSeq: 99 })),
    store.create(SESSION, creation({ appendId: "other" })),
    store.submit(SESSION, submission("e")),
    store.claim(SESSION, { owner: owner(2), ttlMs: 10, at: 1 }),
  ]);
  const endings = results.map((each) =>
    each.status === "rejected" ? each.reason.code : "status" in each.value ? each.value.status : "submitted",
  );
  expect(endings).toEqual([
    "appended",
    "fenced",
    "conflict",
    "E_LOG_LOST",
    "E_SESSION_EXISTS",
    "submitted",
    "held",
  ]);
  expect(await textsOf(store)).toEqual(["a", "e"]);
});

test("its own commits are told once, by what they wrote; those of others as well", async () => {
  const folder = freshFolder();
  let look: () => void = () => undefined;
  const ticker = (_everyMs: number, lookNow: () => void) => {
    look = lookNow;
    return () => undefined;
  };
  const surroundings = { clock: { monotonicMs: () => 1000 }, probe: { isDead: () => false } };
  const store = await openHandingOver({ ...surroundings, folder, ticker });
  later(() => store.close());
  const other = await openStore(folder);
  const changes: (StoreChange | undefined)[] = [];
  store.subscribe((change) => changes.push(change));
  const lookAndSettle = async () => {
    look();
    // The question to the writer is answered before the answer to whatever is asked after it.
    await store.renew({ sessionId: SESSION, epoch: 99 }, 1);
  };
  await store.create(SESSION, creation());
  // The first look cannot tell whose commit it sees.
  await lookAndSettle();
  changes.length = 0;
  for (const text of ["a", "b", "c"]) {
    await store.submit(SESSION, submission(text));
    await lookAndSettle();
  }
  expect(changes).toEqual([2, 3, 4].map((seq) => ({ sessionId: SESSION, seq })));
  await other.submit(SESSION, submission("d"));
  await lookAndSettle();
  expect(changes.slice(3)).toEqual([undefined]);
});
