import { deepEqual, equal } from "node:assert/strict";
import type { SessionId } from "../../core/ids.ts";
import type { Store, StoreChange } from "../contract.ts";
import { follow } from "../follow.ts";
import {
  batchOf,
  claimed,
  creation,
  OTHER_SESSION,
  rejectsWith,
  SESSION,
  type StoreCase,
  submission,
  textsOf,
  withLease,
  withSession,
} from "./subject.ts";

/** Resolves at the next notification. */
function nextChange(store: Store, sessionId?: SessionId): Promise<StoreChange | undefined> {
  return new Promise((resolve) => {
    const stop = store.subscribe((change) => {
      stop();
      resolve(change);
    }, sessionId);
  });
}

/** Notifications, following, closing. */
export const subscribeCases: readonly StoreCase[] = [
  {
    name: "subscribe calls back after a write of this store, with what was written",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const appended = nextChange(store);
      await store.append(lease, batchOf("a"));
      deepEqual(await appended, { sessionId: SESSION, seq: 2 });
      const submitted = nextChange(store);
      await store.submit(SESSION, submission("b"));
      deepEqual(await submitted, { sessionId: SESSION, seq: 3 });
    },
  },
  {
    name: "subscribe calls back after sessions are made, claimed and released",
    async run(subject) {
      const store = await subject.open();
      const writes = [
        () => store.create(SESSION, creation()),
        () => claimed(store),
        () => store.release({ sessionId: SESSION, epoch: 1 }, { seq: 1, due: 5 }),
      ];
      for (const write of writes) {
        const change = nextChange(store);
        await write();
        await change;
      }
    },
  },
  {
    name: "subscribe calls back after a write of another process",
    async run(subject) {
      const store = await withSession(subject);
      const other = await subject.open();
      const change = nextChange(other);
      await store.submit(SESSION, submission("a"));
      await change;
      deepEqual(await textsOf(other), ["a"]);
    },
  },
  {
    name: "a subscription to one session hears of that session, whoever writes to it",
    async run(subject) {
      const store = await withSession(subject);
      const other = await subject.open();
      for (const writer of [store, other]) {
        const change = nextChange(store, SESSION);
        await writer.submit(SESSION, submission(writer === store ? "a" : "b"));
        await change;
      }
    },
  },
  {
    name: "the way to stop a subscription stops that one alone",
    async run(subject) {
      const store = await withSession(subject);
      let calls = 0;
      const listener = () => {
        calls += 1;
      };
      const stopFirst = store.subscribe(listener);
      store.subscribe(listener);
      stopFirst();
      const change = nextChange(store);
      await store.submit(SESSION, submission("a"));
      await change;
      equal(calls, 1);
    },
  },
  {
    name: "following yields every event once, in order, until it is stopped",
    async run(subject) {
      const store = await withSession(subject);
      const other = await subject.open();
      const stop = new AbortController();
      const seen: number[] = [];
      const submitRest = async () => {
        for (let number = 2; number <= 6; number++) {
          await (number % 2 === 0 ? store : other).submit(SESSION, submission(`${number}`));
        }
      };
      const submitting = submitRest();
      for await (const { seq } of follow(store, SESSION, { after: 0, signal: stop.signal })) {
        seen.push(seq);
        if (seq === 6) stop.abort();
      }
      await submitting;
      deepEqual(seen, [1, 2, 3, 4, 5, 6]);
    },
  },
  {
    name: "close lets calls in progress settle first",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const appending = store.append(lease, batchOf("a"));
      const submitting = store.submit(SESSION, submission("b"));
      await store.close();
      equal((await appending).status, "appended");
      equal((await submitting).repeated, false);
      deepEqual((await textsOf(await subject.open())).sort(), ["a", "b"]);
    },
  },
  {
    name: "after close every call rejects",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.close();
      const calls = [
        () => store.create(OTHER_SESSION, creation()),
        () => store.append(lease, batchOf("a")),
        () => store.submit(SESSION, submission("a")),
        () => store.getEvents(SESSION, { limit: 1 }),
        () => store.getSession(SESSION),
        () => store.listSessions({ limit: 1 }),
        () => claimed(store),
        () => store.renew(lease, 1),
        () => store.release(lease, { seq: 1, due: null }),
        () => store.listDue({ now: 1, limit: 1 }),
        () => store.getBlob("0".repeat(64)),
        () => store.getSnapshot(SESSION, "fold"),
      ];
      for (const call of calls) await rejectsWith("E_STORE_CLOSED", call());
      await store.close();
    },
  },
];
