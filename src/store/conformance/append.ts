import { deepEqual, equal } from "node:assert/strict";
import { bodyHash, eventHash } from "../../core/chain.ts";
import type { AppendBatch } from "../contract.ts";
import {
  answer,
  batchOf,
  claimed,
  creation,
  headOf,
  message,
  OTHER_SESSION,
  owner,
  rejectsWith,
  SESSION,
  type StoreCase,
  submission,
  TTL_MS,
  textsOf,
  withLease,
} from "./subject.ts";

/** Appending under a lease: order, all or nothing, fencing, conflicts. */
export const appendCases: readonly StoreCase[] = [
  {
    name: "append adds the events of a batch in order, dense in seq, right after the head",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const batch = batchOf("x", { events: [answer("a"), answer("b"), answer("c")] });
      const appended = { status: "appended", repeated: false, fenced: false };
      deepEqual(await store.append(lease, batch), { ...appended, firstSeq: 2, seq: 4 });
      deepEqual(await store.append(lease, batchOf("y")), { ...appended, firstSeq: 5, seq: 5 });
      const events = await store.getEvents(SESSION, { limit: 10 });
      deepEqual(
        events.map(({ seq, at }) => [seq, at]),
        [
          [1, 100],
          [2, 200],
          [3, 200],
          [4, 200],
          [5, 200],
        ],
      );
      deepEqual(await textsOf(store), ["a", "b", "c", "y"]);
    },
  },
  {
    name: "what append has answered for is there for every other handle, and after opening again",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const other = await subject.open();
      await store.append(lease, batchOf("a"));
      deepEqual(await textsOf(other), ["a"]);
      await store.close();
      await other.close();
      const later = await subject.open();
      deepEqual(await textsOf(later), ["a"]);
      equal((await later.append(lease, batchOf("b"))).status, "appended");
    },
  },
  {
    name: "the hash of the head covers the event before, header and body",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      let hash = (await store.getSession(SESSION))?.hash ?? "";
      const events = [answer("a"), answer("b")];
      await store.append(lease, batchOf("x", { events }));
      for (const [index, { type, v, body }] of events.entries()) {
        hash = eventHash(hash, { session: SESSION, seq: index + 2, type, v, at: 200 }, bodyHash(body));
      }
      equal((await store.getSession(SESSION))?.hash, hash);
    },
  },
  {
    name: "append compares expectedSeq when it is given: a stale one conflicts and stores nothing",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.submit(SESSION, submission("meanwhile"));
      const result = await store.append(lease, batchOf("stale", { expectedSeq: 1 }));
      equal(result.status, "conflict");
      deepEqual(await textsOf(store), ["meanwhile"]);
      equal((await store.append(lease, batchOf("fresh", { expectedSeq: 2 }))).status, "appended");
    },
  },
  {
    name: "a conflict gives the hydrated events between the expected position and the head",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const long = "long ".repeat(4000);
      await store.submit(SESSION, submission("short"));
      await store.submit(SESSION, submission("long", { events: [message(long)] }));
      const result = await store.append(lease, batchOf("stale", { expectedSeq: 1 }));
      const events = await store.getEvents(SESSION, { after: 1, limit: 10 });
      deepEqual(result, { status: "conflict", seq: 3, events });
      equal(JSON.stringify(events).includes(long), true);
    },
  },
  {
    name: "without expectedSeq an append never conflicts",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.submit(SESSION, submission("meanwhile"));
      equal((await store.append(lease, batchOf("receipt"))).status, "appended");
      deepEqual(await textsOf(store), ["meanwhile", "receipt"]);
    },
  },
  {
    name: "a position beyond the head shows that acknowledged events are lost",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await rejectsWith("E_LOG_LOST", store.append(lease, batchOf("a", { expectedSeq: 9 })));
    },
  },
  {
    name: "the epoch is always compared: an older lease is fenced and stores nothing",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS);
      const newer = await claimed(store, owner(2));
      const fenced = { status: "fenced", epoch: newer.epoch };
      deepEqual(await store.append(lease, batchOf("zombie")), fenced);
      deepEqual(await store.append(lease, batchOf("zombie", { expectedSeq: 1 })), fenced);
      await store.submit(SESSION, submission("meanwhile"));
      deepEqual(await store.append(lease, batchOf("zombie", { expectedSeq: 1 })), fenced);
      deepEqual(await textsOf(store), ["meanwhile"]);
    },
  },
  {
    name: "a released lease is fenced",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.release(lease, { seq: 1, due: null });
      deepEqual(await store.append(lease, batchOf("late")), { status: "fenced", epoch: lease.epoch });
    },
  },
  {
    name: "an expired lease that nobody else has claimed may still append",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS * 2);
      equal((await store.append(lease, batchOf("slow"))).status, "appended");
    },
  },
  {
    name: "the session stays due while the lease is held",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, batchOf("a"));
      equal((await store.getSession(SESSION))?.due, 100);
    },
  },
  {
    name: "append replaces the summary when it has one, and else keeps it",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, batchOf("a", { summary: "first" }));
      await store.append(lease, batchOf("b"));
      equal((await store.getSession(SESSION))?.summary, "first");
      await store.append(lease, batchOf("c", { summary: "second", at: 222 }));
      const record = await store.getSession(SESSION);
      deepEqual([record?.summary, record?.updatedAt, record?.createdAt], ["second", 222, 100]);
    },
  },
  {
    name: "append refuses an unknown session",
    async run(subject) {
      const { store } = await withLease(subject);
      const lease = { sessionId: OTHER_SESSION, epoch: 1 };
      await rejectsWith("E_SESSION_UNKNOWN", store.append(lease, batchOf("a")));
    },
  },
  {
    name: "a batch has 1 to 1,000 events, and an append id of 1 to 64 characters",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const refused: readonly Partial<AppendBatch>[] = [
        { events: [] },
        { events: Array(1001).fill(answer("a")) },
        { appendId: "" },
        { appendId: "x".repeat(65) },
        { at: Number.NaN },
        { at: 1.5 },
      ];
      for (const wrong of refused) {
        await rejectsWith("E_EVENT_INVALID", store.append(lease, batchOf("wrong", wrong)));
      }
      equal(await headOf(store), 1);
      const most = batchOf("most", { events: Array(1000).fill(answer("a")), appendId: "x".repeat(64) });
      equal((await store.append(lease, most)).status, "appended");
      equal(await headOf(store), 1001);
    },
  },
  {
    name: "sessions have logs of their own",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.create(OTHER_SESSION, creation());
      const otherLease = await claimed(store, owner(), OTHER_SESSION);
      await store.append(lease, batchOf("a"));
      await store.append(otherLease, batchOf("a"));
      await store.append(otherLease, batchOf("b"));
      deepEqual(await textsOf(store), ["a"]);
      deepEqual(await textsOf(store, OTHER_SESSION), ["a", "b"]);
    },
  },
];
