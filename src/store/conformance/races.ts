import { deepEqual, equal } from "node:assert/strict";
import type { Store } from "../contract.ts";
import {
  batchOf,
  claimed,
  headOf,
  owner,
  SESSION,
  type StoreCase,
  type StoreSubject,
  submission,
  TTL_MS,
  textsOf,
  withLease,
} from "./subject.ts";

const ROUNDS = 20;
const RACERS = 6;

/** Some handles, as different processes would have them. */
async function handles(subject: StoreSubject): Promise<readonly Store[]> {
  const first = await subject.open();
  const second = await subject.open();
  return Array.from({ length: RACERS }, (_, index) => (index % 2 === 0 ? first : second));
}

async function checkDense(store: Store): Promise<void> {
  const events = await store.getEvents(SESSION, { limit: 10_000 });
  deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  );
  equal(events.length, await headOf(store));
}

/** Many callers at once. */
export const raceCases: readonly StoreCase[] = [
  {
    name: "of racing appends with the same expectedSeq exactly one wins",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const racers = await handles(subject);
      for (let round = 1; round <= ROUNDS; round++) {
        const results = await Promise.all(
          racers.map((racer, index) =>
            racer.append(lease, batchOf(`${round}/${index}`, { expectedSeq: round })),
          ),
        );
        const winners = results.filter(({ status }) => status === "appended");
        deepEqual([winners.length, await headOf(store)], [1, round + 1]);
        equal(results.filter(({ status }) => status === "conflict").length, RACERS - 1);
      }
      await checkDense(store);
    },
  },
  {
    name: "racing appends without expectedSeq and racing submissions are all stored, without gaps",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const racers = await handles(subject);
      const writes = Array.from({ length: ROUNDS }, (_, round) =>
        racers.map((racer, index) =>
          index % 3 === 0
            ? racer.submit(SESSION, submission(`${round}/${index}`))
            : racer.append(lease, batchOf(`${round}/${index}`)),
        ),
      );
      const results = await Promise.all(writes.flat());
      equal(new Set(results.map((result) => ("seq" in result ? result.seq : 0))).size, ROUNDS * RACERS);
      equal(new Set(await textsOf(store)).size, ROUNDS * RACERS);
      await checkDense(store);
    },
  },
  {
    name: "a batch that races with itself is stored once",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      const racers = await handles(subject);
      for (let round = 0; round < ROUNDS; round++) {
        const results = await Promise.all(racers.map((racer) => racer.append(lease, batchOf(`${round}`))));
        const places = results.map((result) => (result.status === "appended" ? result.seq : 0));
        deepEqual(places, Array(RACERS).fill(round + 2));
        equal(results.filter((result) => result.status === "appended" && !result.repeated).length, 1);
      }
      await checkDense(store);
    },
  },
  {
    name: "of racing claims exactly one wins, and the others are told who",
    async run(subject) {
      await withLease(subject);
      const racers = await handles(subject);
      for (let round = 0; round < ROUNDS; round++) {
        subject.advance(TTL_MS);
        const claims = await Promise.all(
          racers.map((racer, index) => racer.claim(SESSION, { owner: owner(index), ttlMs: TTL_MS, at: 1 })),
        );
        const winner = claims.find((claim) => claim.status === "claimed");
        equal(winner?.lease.epoch, round + 2);
        const losers = claims.filter((claim) => claim.status === "held");
        equal(losers.length, RACERS - 1);
        for (const loser of losers) deepEqual(loser.owner, winner?.record.owner);
      }
    },
  },
  {
    name: "a message that is submitted while the driver leaves is never stranded",
    async run(subject) {
      const { store } = await withLease(subject);
      const [driver = store, client = store] = await handles(subject);
      const endings = new Set<string>();
      for (let round = 0; round < ROUNDS * 2; round++) {
        subject.advance(TTL_MS);
        const lease = await claimed(driver);
        const seq = await headOf(driver);
        const leave = () => driver.release(lease, { seq, due: null });
        const send = () => client.submit(SESSION, submission(`${round}`));
        const [release] =
          round % 2 === 0
            ? await Promise.all([leave(), send()])
            : await Promise.all([send(), leave()]).then(([sent, left]) => [left, sent] as const);
        endings.add(release.status);
        const record = await store.getSession(SESSION);
        // Either the driver knows that it must read on, or the session is due again.
        if (release.status === "released") deepEqual([record?.due, record?.held], [300, false]);
        else deepEqual([release, record?.held], [{ status: "moved", seq: seq + 1 }, true]);
      }
      equal(endings.has("fenced"), false);
      await checkDense(store);
    },
  },
  {
    name: "a zombie's append that races with its successor's is refused",
    async run(subject) {
      const { store, lease } = await withLease(subject);
      subject.advance(TTL_MS);
      const newer = await claimed(store, owner(2));
      const racers = await handles(subject);
      const results = await Promise.all(
        racers.map((racer, index) => racer.append(index % 2 === 0 ? lease : newer, batchOf(`${index}`))),
      );
      deepEqual(
        results.map(({ status }) => status),
        results.map((_, index) => (index % 2 === 0 ? "fenced" : "appended")),
      );
      equal(await headOf(store), 1 + RACERS / 2);
    },
  },
];
