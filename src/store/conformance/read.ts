import { deepEqual, equal } from "node:assert/strict";
import { event } from "../../core/events/index.ts";
import { NO_REDACTION, seal } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import type { EventRange, Store } from "../contract.ts";
import {
  answer,
  batchOf,
  message,
  OTHER_SESSION,
  rejectsWith,
  SESSION,
  type StoreCase,
  type StoreSubject,
  submission,
  withLease,
  withSession,
} from "./subject.ts";

/** A log of nine events: created, then answers at even and messages at odd positions. */
async function withLog(subject: StoreSubject): Promise<Store> {
  const { store, lease } = await withLease(subject);
  const events = Array.from({ length: 8 }, (_, index) => {
    return index % 2 === 0 ? answer(`${index + 2}`) : message(`${index + 2}`);
  });
  await store.append(lease, batchOf("log", { events }));
  return store;
}

async function positions(store: Store, range: EventRange): Promise<number[]> {
  return (await store.getEvents(SESSION, range)).map(({ seq }) => seq);
}

/** Values that a careless encoding would change. */
const AWKWARD: Json = JSON.parse(
  '{"__proto__":{"a":1},"$blob":"no reference","$$blob":1,"b":[null,true,0.1,-1,1e300],"c":"\\u0000\\u2028é😀\\"\\\\"}',
) as Json;

function use(input: Json) {
  const body = {
    request: 1,
    call: "c1_0",
    provider_call_id: "p",
    name: "tool",
    input,
    evaluated_permission: "allow",
    effect: "read_only",
  } as const;
  return seal(event("agent.tool_use", body), NO_REDACTION);
}

/** Reading events. */
export const readCases: readonly StoreCase[] = [
  {
    name: "getEvents reads in order of seq, at most limit of them, after a position",
    async run(subject) {
      const store = await withLog(subject);
      deepEqual(await positions(store, { limit: 100 }), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
      deepEqual(await positions(store, { after: 0, limit: 2 }), [1, 2]);
      deepEqual(await positions(store, { after: 2, limit: 3 }), [3, 4, 5]);
      deepEqual(await positions(store, { after: 8, limit: 3 }), [9]);
    },
  },
  {
    name: "an empty answer means caught up",
    async run(subject) {
      const store = await withLog(subject);
      deepEqual(await positions(store, { after: 9, limit: 5 }), []);
      deepEqual(await positions(store, { after: 500, limit: 5 }), []);
    },
  },
  {
    name: "backwards, getEvents reads before a position, or from the end",
    async run(subject) {
      const store = await withLog(subject);
      deepEqual(await positions(store, { limit: 3, backwards: true }), [9, 8, 7]);
      deepEqual(await positions(store, { after: 4, limit: 9, backwards: true }), [3, 2, 1]);
      deepEqual(await positions(store, { after: 500, limit: 2, backwards: true }), [9, 8]);
      deepEqual(await positions(store, { after: 1, limit: 2, backwards: true }), []);
    },
  },
  {
    name: "types chooses events; the others do not count towards the limit",
    async run(subject) {
      const store = await withLog(subject);
      const types = ["user.message"];
      deepEqual(await positions(store, { limit: 9, types }), [3, 5, 7, 9]);
      deepEqual(await positions(store, { limit: 2, after: 3, types }), [5, 7]);
      deepEqual(await positions(store, { limit: 2, backwards: true, types }), [9, 7]);
      deepEqual(
        await positions(store, { limit: 9, types: ["session.created", "user.message"] }),
        [1, 3, 5, 7, 9],
      );
      deepEqual(await positions(store, { limit: 9, types: ["no.such"] }), []);
      deepEqual(await positions(store, { limit: 9, types: [] }), []);
    },
  },
  {
    name: "reading without verification gives the same events",
    async run(subject) {
      const store = await withLog(subject);
      const ranges: readonly EventRange[] = [
        { limit: 100 },
        { limit: 3, after: 2 },
        { limit: 4, backwards: true },
        { limit: 4, types: ["agent.message"] },
        { limit: 2, types: ["agent.message"], backwards: true, after: 7 },
      ];
      for (const range of ranges) {
        const checked = await store.getEvents(SESSION, range);
        deepEqual(await store.getEvents(SESSION, { ...range, verify: false }), checked);
      }
    },
  },
  {
    name: "events read back exactly as they were sealed",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const events = [use(AWKWARD), answer(""), message('😀 \u2028 é \\ " \u0000')];
      await store.append(lease, batchOf("x", { events }));
      for (const verify of [true, false]) {
        const read = await store.getEvents(SESSION, { after: 1, limit: 10, verify });
        const expected = events.map(({ type, event: { body } }, index) => ({
          type,
          body,
          seq: index + 2,
          at: 200,
        }));
        deepEqual(read, expected);
        equal(JSON.stringify(read), JSON.stringify(expected));
      }
    },
  },
  {
    name: "getEvents refuses an unknown session and a range that is none",
    async run(subject) {
      const store = await withSession(subject);
      await rejectsWith("E_SESSION_UNKNOWN", store.getEvents(OTHER_SESSION, { limit: 1 }));
      for (const range of [{ limit: 0 }, { limit: 10_001 }, { limit: 1.5 }, { limit: 1, after: -1 }]) {
        await rejectsWith("E_USAGE", store.getEvents(SESSION, range));
      }
    },
  },
  {
    name: "long texts become blobs and are back in place when read, also across the edges of parts",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const texts = ["a".repeat(8193), "é".repeat(40_000), `x${"😀".repeat(50_000)}`, "b".repeat(65_536)];
      await store.append(lease, batchOf("x", { events: texts.map(answer) }));
      const read = await store.getEvents(SESSION, { after: 1, limit: 10 });
      deepEqual(
        read.map(({ body }) => body),
        texts.map((text) => answer(text).event.body),
      );
    },
  },
  {
    name: "without hydration, references stand in the place of long texts",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const sealed = answer("long ".repeat(4000));
      await store.append(lease, batchOf("x", { events: [sealed] }));
      const [read] = await store.getEvents(SESSION, { after: 1, limit: 1, hydrate: false });
      deepEqual(read?.body, JSON.parse(sealed.body));
    },
  },
  {
    name: "getBlob gives a long text by its hash",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const text = "long ".repeat(4000);
      const sealed = answer(text);
      await store.append(lease, batchOf("x", { events: [sealed, message(text)] }));
      await store.submit(SESSION, submission("again", { events: [message(text)] }));
      equal(await store.getBlob(sealed.blobs[0]?.hash ?? ""), text);
    },
  },
  {
    name: "getBlob rejects for a hash that nobody stored",
    async run(subject) {
      const store = await withSession(subject);
      await rejectsWith("E_BLOB_MISSING", store.getBlob("0".repeat(64)));
    },
  },
  {
    name: "getSnapshot gives the newest snapshot made by the same fold",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      equal(await store.getSnapshot(SESSION, "fold"), undefined);
      await store.append(lease, batchOf("a", { snapshot: { fold: "fold", body: '{"a":1}' } }));
      const first = { fold: "fold", body: '{"a":1}', seq: 2, hash: (await store.getSession(SESSION))?.hash };
      await store.append(lease, batchOf("b"));
      deepEqual(await store.getSnapshot(SESSION, "fold"), first);
      const events = [answer("c"), answer("d")];
      await store.append(lease, batchOf("c", { events, snapshot: { fold: "newer", body: "{}" } }));
      const hash = (await store.getSession(SESSION))?.hash;
      deepEqual(await (await subject.open()).getSnapshot(SESSION, "newer"), {
        fold: "newer",
        body: "{}",
        seq: 5,
        hash,
      });
      equal(await store.getSnapshot(SESSION, "fold"), undefined);
    },
  },
  {
    name: "getSnapshot of an unknown session is undefined",
    async run(subject) {
      const store = await withSession(subject);
      equal(await store.getSnapshot(OTHER_SESSION, "fold"), undefined);
    },
  },
  {
    name: "a snapshot of an append that was refused is not kept",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const snapshot = { fold: "fold", body: "{}" };
      await store.submit(SESSION, submission("meanwhile"));
      equal((await store.append(lease, batchOf("a", { expectedSeq: 1, snapshot }))).status, "conflict");
      equal(await store.getSnapshot(SESSION, "fold"), undefined);
    },
  },
];
