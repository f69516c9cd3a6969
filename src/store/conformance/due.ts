import { deepEqual, equal } from "node:assert/strict";
import { type SessionId, sessionId } from "../../core/ids.ts";
import type { Store } from "../contract.ts";
import {
  claimed,
  creation,
  owner,
  rejectsWith,
  SESSION,
  type StoreCase,
  TTL_MS,
  withSession,
} from "./subject.ts";

const NOW = 1000;
const query = { now: NOW, limit: 100 };

/** A session that nobody holds and that is due then. */
async function parked(store: Store, number: number, due: number | null): Promise<SessionId> {
  const id = sessionId(`parked${`${number}`.padStart(4, "0")}`);
  await store.create(id, creation());
  await store.release(await claimed(store, owner(), id), { seq: 1, due });
  return id;
}

/** Which sessions want waking. */
export const dueCases: readonly StoreCase[] = [
  {
    name: "listDue gives what is due, the longest due first, and the time of the next",
    async run(subject) {
      const store = await subject.open();
      const later = await parked(store, 1, NOW);
      const first = await parked(store, 2, NOW - 10);
      await parked(store, 3, NOW + 5);
      await parked(store, 4, NOW + 1);
      await parked(store, 5, null);
      deepEqual(await store.listDue(query), { ready: [first, later], nextDue: NOW + 1, heldForMs: null });
    },
  },
  {
    name: "listDue gives nothing when nothing is due or ever will be",
    async run(subject) {
      const store = await subject.open();
      await parked(store, 1, null);
      deepEqual(await store.listDue(query), { ready: [], nextDue: null, heldForMs: null });
    },
  },
  {
    name: "listDue gives at most limit of them",
    async run(subject) {
      const store = await subject.open();
      const first = await parked(store, 1, 10);
      const second = await parked(store, 2, 20);
      await parked(store, 3, 30);
      deepEqual((await store.listDue({ now: NOW, limit: 2 })).ready, [first, second]);
      await rejectsWith("E_USAGE", store.listDue({ now: NOW, limit: 0 }));
    },
  },
  {
    name: "listDue leaves out what is held, and says when the first lease expires",
    async run(subject) {
      const store = await subject.open();
      const ids = [await parked(store, 1, 10), await parked(store, 2, 20)];
      const [first = SESSION, second = SESSION] = ids;
      await claimed(store, owner(1), first);
      subject.advance(1000);
      await claimed(store, owner(2), second);
      deepEqual(await store.listDue(query), { ready: [], nextDue: null, heldForMs: TTL_MS - 1000 });
      subject.advance(TTL_MS - 1000);
      deepEqual(await store.listDue(query), { ready: [first], nextDue: null, heldForMs: 1000 });
      subject.kill(owner(2));
      deepEqual(await store.listDue(query), { ready: [first, second], nextDue: null, heldForMs: null });
    },
  },
  {
    name: "a session that was released without a due time is not due until something is submitted",
    async run(subject) {
      const store = await withSession(subject);
      await store.release(await claimed(store), { seq: 1, due: null });
      equal((await store.listDue(query)).ready.length, 0);
    },
  },
];
