import { deepEqual, equal } from "node:assert/strict";
import type { AppendBatch, DayCharge } from "../contract.ts";
import {
  batchOf,
  claimed,
  headOf,
  OTHER_SESSION,
  owner,
  rejectsWith,
  SESSION,
  type StoreCase,
  submission,
  TTL_MS,
  textsOf,
  withLease,
  withTwoLeases,
} from "./subject.ts";

const DAY = 20_000;
const NOTHING = { requests: 0, tokens: 0, costMicroUsd: 0 };

/** One amount of each kind. */
function each(amount: number): DayCharge["delta"] {
  return { requests: amount, tokens: amount, costMicroUsd: amount };
}

/** A batch that charges the day. */
function charging(text: string, amount: number, spending: Partial<DayCharge> = {}): AppendBatch {
  return batchOf(text, { spending: { day: DAY, delta: each(amount), ...spending } });
}

/** What all sessions spend in a day: charged with the batch, together or not at all. */
export const dayCases: readonly StoreCase[] = [
  {
    name: "batches charge their day, over all sessions; another day is another account",
    async run(subject) {
      const { store, lease, otherLease } = await withTwoLeases(subject);
      deepEqual(await store.getDaySpending(DAY), NOTHING);
      await store.append(lease, charging("a", 5));
      await store.append(otherLease, charging("b", 7));
      await store.append(lease, charging("c", 1, { day: DAY + 1 }));
      await store.append(lease, batchOf("d"));
      deepEqual(await store.getDaySpending(DAY), each(12));
      deepEqual(await store.getDaySpending(DAY + 1), each(1));
      deepEqual(await store.getDaySpending(DAY - 1), NOTHING);
    },
  },
  {
    name: "a charge is there for every other handle, and after opening again",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const other = await subject.open();
      await store.append(lease, charging("a", 5));
      deepEqual(await other.getDaySpending(DAY), each(5));
      await store.close();
      await other.close();
      deepEqual(await (await subject.open()).getDaySpending(DAY), each(5));
    },
  },
  {
    name: "a repeated batch charges once, also when the day is full by now",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const batch = charging("a", 5, { cap: { tokens: 5 } });
      await store.append(lease, batch);
      const again = await (await subject.open()).append(lease, batch);
      deepEqual(again, { status: "appended", firstSeq: 2, seq: 2, repeated: true, fenced: false });
      deepEqual(await store.getDaySpending(DAY), each(5));
    },
  },
  {
    name: "a batch that would take the day above a cap is refused, and leaves log and day as they were",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, charging("a", 6, { cap: { costMicroUsd: 10 } }));
      for (const cap of [{ requests: 10 }, { tokens: 10 }, { costMicroUsd: 10 }]) {
        const result = await store.append(lease, charging("b", 5, { cap }));
        deepEqual(result, { status: "over_day", spent: each(6) });
      }
      deepEqual([await textsOf(store), await headOf(store)], [["a"], 2]);
      deepEqual(await store.getDaySpending(DAY), each(6));
      equal((await store.append(lease, charging("b", 4, { cap: each(10) }))).status, "appended");
      deepEqual(await store.getDaySpending(DAY), each(10));
    },
  },
  {
    name: "without a cap a charge is never refused, nor is one that adds nothing to what is above it",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const cap = { tokens: 10 };
      await store.append(lease, charging("a", 15));
      const delta = { ...NOTHING, requests: 1, costMicroUsd: 9 };
      equal((await store.append(lease, charging("b", 0, { delta, cap }))).status, "appended");
      equal((await store.append(lease, charging("c", -2, { cap }))).status, "appended");
      deepEqual(await store.getDaySpending(DAY), { requests: 14, tokens: 13, costMicroUsd: 22 });
    },
  },
  {
    name: "what is given back makes room, but a day is never charged less than nothing",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, charging("a", 8));
      await store.append(lease, charging("b", -3));
      deepEqual(await store.getDaySpending(DAY), each(5));
      await store.append(lease, charging("c", -9));
      await store.append(lease, charging("d", -1, { day: DAY + 1 }));
      deepEqual([await store.getDaySpending(DAY), await store.getDaySpending(DAY + 1)], [NOTHING, NOTHING]);
    },
  },
  {
    name: "what conflicts, or is fenced, charges nothing, whatever the day has room for",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.submit(SESSION, submission("meanwhile"));
      const full = { cap: { tokens: 1 } };
      const stale = { ...charging("a", 5, full), expectedSeq: 1 };
      equal((await store.append(lease, stale)).status, "conflict");
      subject.advance(TTL_MS);
      await claimed(store, owner(2));
      equal((await store.append(lease, charging("b", 5, full))).status, "fenced");
      deepEqual(await store.getDaySpending(DAY), NOTHING);
    },
  },
  {
    name: "two sessions that race for what is left of a day never take more than there is",
    async run(subject) {
      const { store, lease, otherLease } = await withTwoLeases(subject);
      const other = await subject.open();
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          index % 2 === 0
            ? store.append(lease, charging(`${index}`, 3, { cap: { costMicroUsd: 50 } }))
            : other.append(otherLease, charging(`${index}`, 3, { cap: { costMicroUsd: 50 } })),
        ),
      );
      const stored = results.filter(({ status }) => status === "appended").length;
      equal(results.filter(({ status }) => status === "over_day").length, 40 - stored);
      deepEqual([stored, await store.getDaySpending(DAY)], [16, each(48)]);
      equal((await textsOf(store)).length + (await textsOf(store, OTHER_SESSION)).length, 16);
    },
  },
  {
    name: "the newest 40 days are kept, whatever order they come in",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      await store.append(lease, charging("ahead", 9, { day: DAY + 50_000 }));
      for (let day = DAY; day < DAY + 45; day++) await store.append(lease, charging(`${day}`, 1, { day }));
      const kept = async (day: number): Promise<boolean> => (await store.getDaySpending(day)).tokens > 0;
      const days = [DAY, DAY + 5, DAY + 6, DAY + 44, DAY + 50_000];
      deepEqual(await Promise.all(days.map(kept)), [false, false, true, true, true]);
    },
  },
  {
    name: "a charge is whole numbers",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const wrong = [{ day: 1.5 }, { delta: each(0.5) }, { cap: { tokens: Number.NaN } }];
      for (const spending of wrong)
        await rejectsWith("E_EVENT_INVALID", store.append(lease, charging("a", 1, spending)));
      deepEqual([await textsOf(store), await store.getDaySpending(DAY)], [[], NOTHING]);
    },
  },
];
