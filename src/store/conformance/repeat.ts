import { deepEqual, equal } from "node:assert/strict";
import { event } from "../../core/events/index.ts";
import { NO_REDACTION, seal } from "../../core/seal.ts";
import {
  answer,
  batchOf,
  claimed,
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
  withSession,
} from "./subject.ts";

/** Repeating a call after a lost reply, and submitting without a lease. */
export const repeatCases: readonly StoreCase[] = [
  {
    name: "the same append id with the same bytes gives the first answer again and stores nothing",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const batch = batchOf("x", { expectedSeq: 1, events: [answer("a"), answer("b")] });
      await store.append(lease, batch);
      const again = { status: "appended", firstSeq: 2, seq: 3, repeated: true, fenced: false };
      deepEqual(await store.append(lease, batch), again);
      await store.append(lease, batchOf("later"));
      deepEqual(await store.append(lease, batch), again);
      deepEqual(await (await subject.open()).append(lease, batch), again);
      deepEqual(await textsOf(store), ["a", "b", "later"]);
    },
  },
  {
    name: "findAppend tells where a batch begins, and of no other",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, batchOf("x", { events: [answer("a"), answer("b")] }));
      await store.append(lease, batchOf("y"));
      const found = await Promise.all(
        ["append x", "append y", "append z"].map((id) => store.findAppend(SESSION, id)),
      );
      deepEqual(found, [2, 4, undefined]);
      await rejectsWith("E_SESSION_UNKNOWN", store.findAppend(OTHER_SESSION, "x"));
    },
  },
  {
    name: "a repeated append also says whether the caller is fenced by now",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, batchOf("a"));
      subject.advance(TTL_MS);
      const newer = await claimed(store, owner(2));
      const again = { status: "appended", firstSeq: 2, seq: 2, repeated: true };
      deepEqual(await store.append(lease, batchOf("a")), { ...again, fenced: true });
      deepEqual(await store.append(newer, batchOf("a")), { ...again, fenced: false });
      await store.release(newer, { seq: 2, due: null });
      deepEqual(await store.append(newer, batchOf("a")), { ...again, fenced: true });
    },
  },
  {
    name: "a known append id with other bytes is an error, and stores nothing",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const events = [answer("a"), answer("b")];
      await store.append(lease, batchOf("x", { events }));
      await store.append(lease, batchOf("y", { events: [answer("c")] }));
      const others = [
        [answer("a")],
        [answer("a"), answer("b"), answer("c")],
        [answer("a"), answer("B")],
        [answer("a"), message("b")],
        [answer("b"), answer("a")],
      ];
      for (const other of others) {
        await rejectsWith("E_APPEND_MISMATCH", store.append(lease, batchOf("x", { events: other })));
      }
      deepEqual(await textsOf(store), ["a", "b", "c"]);
    },
  },
  {
    name: "a known append id with the same bodies under another type is an error",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const [pause, resume] = [event("control.pause", {}), event("control.resume", {})].map((each) =>
        seal(each, NO_REDACTION),
      );
      if (pause === undefined || resume === undefined) throw new Error("two events were made");
      await store.append(lease, batchOf("x", { events: [pause] }));
      await rejectsWith("E_APPEND_MISMATCH", store.append(lease, batchOf("x", { events: [resume] })));
      equal((await store.append(lease, batchOf("x", { events: [pause] }))).status, "appended");
    },
  },
  {
    name: "submit adds client events without a lease and sets due",
    async run(subject) {
      const store = await withSession(subject);
      const lease = await claimed(store);
      await store.release(lease, { seq: 1, due: null });
      const batch = submission("x", { at: 321, events: [message("a"), message("b")] });
      deepEqual(await store.submit(SESSION, batch), { firstSeq: 2, seq: 3, repeated: false });
      deepEqual(await textsOf(store), ["a", "b"]);
      const record = await store.getSession(SESSION);
      deepEqual([record?.due, record?.updatedAt, record?.seq], [321, 321, 3]);
    },
  },
  {
    name: "submit leaves the lease as it is",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.submit(SESSION, submission("a"));
      const record = await store.getSession(SESSION);
      deepEqual([record?.held, record?.epoch, record?.owner], [true, lease.epoch, owner()]);
    },
  },
  {
    name: "submit refuses types that are not for clients, with all of its batch",
    async run(subject) {
      const store = await withSession(subject);
      const batch = submission("x", { events: [message("a"), answer("b")] });
      await rejectsWith("E_EVENT_FORBIDDEN", store.submit(SESSION, batch));
      deepEqual(await textsOf(store), []);
    },
  },
  {
    name: "submit refuses an unknown session",
    async run(subject) {
      const store = await withSession(subject);
      await rejectsWith("E_SESSION_UNKNOWN", store.submit(OTHER_SESSION, submission("a")));
    },
  },
  {
    name: "submit with the same append id gives the first answer again; with other bytes it is an error",
    async run(subject) {
      const store = await withSession(subject);
      await store.submit(SESSION, submission("a"));
      await store.submit(SESSION, submission("b"));
      deepEqual(await store.submit(SESSION, submission("a")), { firstSeq: 2, seq: 2, repeated: true });
      const other = submission("a", { events: [message("other")] });
      await rejectsWith("E_APPEND_MISMATCH", store.submit(SESSION, other));
      deepEqual(await textsOf(store), ["a", "b"]);
    },
  },
  {
    name: "a repeated submit does not wake the session again",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.submit(SESSION, submission("a"));
      await store.release(lease, { seq: 2, due: null });
      await store.submit(SESSION, submission("a"));
      equal((await store.getSession(SESSION))?.due, null);
    },
  },
  {
    name: "append ids are unique within a session, for drivers and clients alike",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, batchOf("a", { appendId: "same" }));
      await rejectsWith("E_APPEND_MISMATCH", store.submit(SESSION, submission("b", { appendId: "same" })));
    },
  },
];
