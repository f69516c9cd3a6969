import { deepEqual, equal } from "node:assert/strict";
import {
  batchOf,
  claimed,
  OTHER_SESSION,
  owner,
  rejectsWith,
  SESSION,
  type StoreCase,
  submission,
  TTL_MS,
  withLease,
  withSession,
} from "./subject.ts";

const request = { owner: owner(2), ttlMs: TTL_MS, at: 500 };

/** Claiming, renewing and releasing. */
export const leaseCases: readonly StoreCase[] = [
  {
    name: "claim takes a free lease with epoch + 1 and gives the record",
    async run(subject) {
      const store = await withSession(subject);
      const result = await store.claim(SESSION, { owner: owner(), ttlMs: TTL_MS, at: 500 });
      const record = await store.getSession(SESSION);
      deepEqual(result, { status: "claimed", lease: { sessionId: SESSION, epoch: 1 }, record });
      deepEqual([record?.epoch, record?.owner, record?.held], [1, owner(), true]);
    },
  },
  {
    name: "claim is told who holds a lease in force, and for how long",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS - 1);
      deepEqual(await store.claim(SESSION, request), { status: "held", owner: owner(), expiresInMs: 1 });
      equal((await (await subject.open()).claim(SESSION, request)).status, "held");
      equal((await store.append(lease, batchOf("a"))).status, "appended");
    },
  },
  {
    name: "claim is refused to the holder as well: two wakes in one harness are still two",
    async run(subject) {
      const { store } = await withLease(subject);
      equal((await store.claim(SESSION, { ...request, owner: owner() })).status, "held");
    },
  },
  {
    name: "claim takes an expired lease",
    async run(subject) {
      const { store } = await withLease(subject);
      subject.advance(TTL_MS);
      equal((await store.getSession(SESSION))?.held, false);
      const lease = await claimed(store, owner(2));
      equal(lease.epoch, 2);
      deepEqual((await store.getSession(SESSION))?.owner, owner(2));
    },
  },
  {
    name: "claim takes the lease of a dead owner at once",
    async run(subject) {
      const { store } = await withLease(subject);
      subject.kill(owner());
      equal((await store.getSession(SESSION))?.held, false);
      equal((await claimed(store, owner(2))).epoch, 2);
      equal((await store.claim(SESSION, { ...request, owner: owner(3) })).status, "held");
    },
  },
  {
    name: "claim takes a released lease, and epochs never repeat",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.release(lease, { seq: 1, due: null });
      deepEqual((await store.getSession(SESSION))?.owner, null);
      equal((await claimed(store)).epoch, 2);
      equal((await store.getSession(SESSION))?.epoch, 2);
    },
  },
  {
    name: "claim sets due to now if it was later or null, and leaves an earlier one",
    async run(subject) {
      const store = await withSession(subject);
      for (const [due, expected] of [
        [null, 150],
        [9000, 150],
        [40, 40],
      ] as const) {
        await store.release(await claimed(store), { seq: 1, due });
        await store.release(await claimed(store), { seq: 1, due });
        await claimed(store);
        equal((await store.getSession(SESSION))?.due, expected);
        const { epoch = 0 } = (await store.getSession(SESSION)) ?? {};
        await store.release({ sessionId: SESSION, epoch }, { seq: 1, due: null });
      }
    },
  },
  {
    name: "claim refuses an unknown session",
    async run(subject) {
      const store = await withSession(subject);
      await rejectsWith("E_SESSION_UNKNOWN", store.claim(OTHER_SESSION, request));
    },
  },
  {
    name: "a claim is there for every other handle, and after opening again",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const record = await store.getSession(SESSION);
      deepEqual(await (await subject.open()).getSession(SESSION), record);
      await store.close();
      const later = await subject.open();
      equal((await later.claim(SESSION, request)).status, "held");
      equal((await later.renew(lease, TTL_MS)).status, "renewed");
    },
  },
  {
    name: "renew prolongs the lease from now",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS - 1);
      deepEqual(await store.renew(lease, TTL_MS), { status: "renewed" });
      subject.advance(TTL_MS - 1);
      equal((await store.claim(SESSION, request)).status, "held");
      subject.advance(1);
      equal((await store.claim(SESSION, request)).status, "claimed");
    },
  },
  {
    name: "renew is refused once anybody else has claimed",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS);
      await claimed(store, owner(2));
      deepEqual(await store.renew(lease, TTL_MS), { status: "fenced", epoch: 2 });
    },
  },
  {
    name: "an expired but unclaimed lease is renewed",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS * 3);
      deepEqual(await store.renew(lease, TTL_MS), { status: "renewed" });
      equal((await store.claim(SESSION, request)).status, "held");
    },
  },
  {
    name: "a released lease is not renewed",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.release(lease, { seq: 1, due: null });
      deepEqual(await store.renew(lease, TTL_MS), { status: "fenced", epoch: 1 });
    },
  },
  {
    name: "release gives the lease back and sets due",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      deepEqual(await store.release(lease, { seq: 1, due: 7777 }), { status: "released" });
      const record = await store.getSession(SESSION);
      deepEqual([record?.owner, record?.held, record?.due, record?.epoch], [null, false, 7777, 1]);
    },
  },
  {
    name: "release succeeds only if the head is still seq: otherwise the lease stays held",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.submit(SESSION, submission("meanwhile"));
      deepEqual(await store.release(lease, { seq: 1, due: null }), { status: "moved", seq: 2 });
      const record = await store.getSession(SESSION);
      deepEqual([record?.held, record?.due], [true, 300]);
      equal((await store.append(lease, batchOf("a", { expectedSeq: 2 }))).status, "appended");
      deepEqual(await store.release(lease, { seq: 3, due: null }), { status: "released" });
      equal((await store.getSession(SESSION))?.due, null);
    },
  },
  {
    name: "release is refused once anybody else has claimed, and the second time",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS);
      const newer = await claimed(store, owner(2));
      deepEqual(await store.release(lease, { seq: 1, due: null }), { status: "fenced", epoch: 2 });
      deepEqual((await store.getSession(SESSION))?.owner, owner(2));
      await store.release(newer, { seq: 1, due: null });
      deepEqual(await store.release(newer, { seq: 1, due: null }), { status: "fenced", epoch: 2 });
    },
  },
  {
    name: "renew and release refuse an unknown session",
    async run(subject) {
      const store = await withSession(subject);
      const lease = { sessionId: OTHER_SESSION, epoch: 1 };
      await rejectsWith("E_SESSION_UNKNOWN", store.renew(lease, TTL_MS));
      await rejectsWith("E_SESSION_UNKNOWN", store.release(lease, { seq: 1, due: null }));
    },
  },
];
