import { deepEqual, equal } from "node:assert/strict";
import { bodyHash, eventHash, genesisHash } from "../../core/chain.ts";
import {
  createdEvent,
  creation,
  message,
  OTHER_SESSION,
  rejectsWith,
  SESSION,
  type StoreCase,
  submission,
  withSession,
} from "./subject.ts";

/** Making sessions and listing them. */
export const createCases: readonly StoreCase[] = [
  {
    name: "create makes a session whose first event is session.created",
    async run(subject) {
      const store = await subject.open();
      const result = await store.create(SESSION, creation());
      deepEqual(result, { firstSeq: 1, seq: 1, repeated: false });
      const events = await store.getEvents(SESSION, { limit: 10 });
      const { body } = createdEvent().event;
      deepEqual(events, [{ type: "session.created", seq: 1, at: 100, body }]);
    },
  },
  {
    name: "a new session is due at once, has no owner and epoch 0",
    async run(subject) {
      const store = await withSession(subject);
      const record = await store.getSession(SESSION);
      const { body, type, v } = createdEvent();
      const header = { session: SESSION, seq: 1, type, v, at: 100 };
      deepEqual(record, {
        sessionId: SESSION,
        createdAt: 100,
        updatedAt: 100,
        seq: 1,
        hash: eventHash(genesisHash(SESSION), header, bodyHash(body)),
        epoch: 0,
        owner: null,
        held: false,
        due: 100,
        summary: null,
      });
    },
  },
  {
    name: "create stores every event of its batch",
    async run(subject) {
      const store = await subject.open();
      const events = [createdEvent(), message("one"), message("two")];
      deepEqual(await store.create(SESSION, creation({ events })), { firstSeq: 1, seq: 3, repeated: false });
      equal((await store.getEvents(SESSION, { limit: 10 })).length, 3);
    },
  },
  {
    name: "create refuses a batch that does not start with session.created, and stores nothing",
    async run(subject) {
      const store = await subject.open();
      await rejectsWith("E_EVENT_INVALID", store.create(SESSION, creation({ events: [message("one")] })));
      equal(await store.getSession(SESSION), undefined);
    },
  },
  {
    name: "create with the same append id and bytes gives the first answer again",
    async run(subject) {
      const store = await withSession(subject);
      await store.submit(SESSION, submission("later"));
      deepEqual(await store.create(SESSION, creation()), { firstSeq: 1, seq: 1, repeated: true });
    },
  },
  {
    name: "create refuses an id that is taken",
    async run(subject) {
      const store = await withSession(subject);
      await rejectsWith("E_SESSION_EXISTS", store.create(SESSION, creation({ appendId: "another" })));
    },
  },
  {
    name: "create refuses the same append id with other bytes",
    async run(subject) {
      const store = await withSession(subject);
      const other = creation({ events: [createdEvent("other")] });
      await rejectsWith("E_APPEND_MISMATCH", store.create(SESSION, other));
      const longer = creation({ events: [createdEvent(), message("more")] });
      await rejectsWith("E_APPEND_MISMATCH", store.create(SESSION, longer));
    },
  },
  {
    name: "a session is there for whoever opens the store later",
    async run(subject) {
      const store = await withSession(subject);
      const record = await store.getSession(SESSION);
      await store.close();
      deepEqual(await (await subject.open()).getSession(SESSION), record);
    },
  },
  {
    name: "getSession of an unknown session is undefined",
    async run(subject) {
      const store = await withSession(subject);
      equal(await store.getSession(OTHER_SESSION), undefined);
    },
  },
  {
    name: "listSessions goes from the newest to the oldest, page by page",
    async run(subject) {
      const store = await withSession(subject);
      await store.create(OTHER_SESSION, creation());
      const [first, ...rest] = await store.listSessions({ limit: 1 });
      deepEqual([first?.sessionId, rest.length], [OTHER_SESSION, 0]);
      const next = await store.listSessions({ limit: 5, after: OTHER_SESSION });
      deepEqual(next, [await store.getSession(SESSION)]);
      deepEqual(await store.listSessions({ limit: 5, after: SESSION }), []);
    },
  },
  {
    name: "listSessions refuses an unknown position and a limit that is none",
    async run(subject) {
      const store = await withSession(subject);
      await rejectsWith("E_SESSION_UNKNOWN", store.listSessions({ limit: 5, after: OTHER_SESSION }));
      await rejectsWith("E_USAGE", store.listSessions({ limit: 0 }));
    },
  },
];
