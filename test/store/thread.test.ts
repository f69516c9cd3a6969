/** The writer's thread: what becomes of requests when it dies, and of notifications about its commits. */
import { expect, test } from "vitest";
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
import type { WriteRequest } from "../../src/store/sqlite/requests.ts";
import { ThreadWriter } from "../../src/store/sqlite/thread-writer.ts";
import { freshFolder, openStore } from "./place.ts";

const request: WriteRequest = { kind: "create", sessionId: SESSION, batch: creation() };

test("what a dead thread had not answered is in doubt, and the next request starts another thread", async () => {
  const dying = new URL("data:text/javascript,throw new Error('out of memory')");
  const writer = new ThreadWriter(freshFolder(), dying);
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
  const writer = new ThreadWriter(freshFolder());
  const sound = writer.write(request);
  await sound;
  const unsound = { ...request, batch: { ...creation(), at: (() => 1) as unknown as number } };
  expect(await writer.write(unsound)).toMatchObject({ kind: "failed", failure: { code: "E_INTERNAL" } });
  expect(await writer.write(request)).toMatchObject({ kind: "stored", repeated: true });
  await writer.close();
});

test("closing an idle writer ends its thread; one that never wrote has none", async () => {
  const writer = new ThreadWriter(freshFolder());
  await writer.close();
  const other = new ThreadWriter(freshFolder());
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
  const store = await openStore(folder, { writer: "thread", ticker });
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
