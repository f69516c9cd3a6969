/** Several processes on one folder: real ones, also killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import {
  batchOf,
  claimed,
  creation,
  headOf,
  owner,
  SESSION,
  submission,
  textsOf,
} from "../../src/store/conformance/subject.ts";
import type { Store } from "../../src/store/contract.ts";
import { createSqliteIntegrity } from "../../src/store/sqlite/integrity.ts";
import { freshFolder, later, openStore } from "./place.ts";

const RACER = new URL("./racer.ts", import.meta.url).pathname;

interface Racer {
  readonly child: ChildProcess;
  readonly acknowledged: string[];
  readonly ended: Promise<unknown>;
  /** Resolves once so many texts are acknowledged, or at the end. */
  reached(count: number): Promise<unknown>;
}

/** Starts one that waits for its sign. */
async function startRacer(folder: string, name: string, writer: string, batches: number): Promise<Racer> {
  const child = spawn(process.execPath, [RACER, folder, SESSION, name, writer, String(batches)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  later(() => {
    child.kill("SIGKILL");
  });
  const ended = once(child, "close");
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const ready = once(lines, "line");
  await ready;
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  lines.on("line", (line) => {
    acknowledged.push(line);
    for (const { count, resolve } of waiting) if (acknowledged.length >= count) resolve();
  });
  const reached = (count: number) => {
    const enough = new Promise<void>((resolve) => waiting.push({ count, resolve }));
    return Promise.race([enough, ended]);
  };
  return { child, acknowledged, ended, reached };
}

async function checkLog(store: Store, acknowledged: readonly string[]): Promise<void> {
  const events = await store.getEvents(SESSION, { limit: 10_000 });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const texts = await textsOf(store);
  expect(new Set(texts).size).toBe(texts.length);
  expect(acknowledged.filter((text) => !texts.includes(text))).toEqual([]);
  expect(await headOf(store)).toBe(events.length);
}

test("processes that open a fresh folder and write at the same time leave one dense log", async () => {
  const folder = freshFolder();
  const writers = ["inline", "thread", "inline"];
  const racers = await Promise.all(
    writers.map((writer, index) => startRacer(folder, `${index}`, writer, 60)),
  );
  for (const { child } of racers) child.stdin?.write("go\n");
  for (const { ended } of racers) expect(await ended).toEqual([0, null]);
  const acknowledged = racers.flatMap((racer) => racer.acknowledged);
  // Whoever claims last fences the others once; all else is stored.
  expect(acknowledged.length).toBeGreaterThan(60 * 3 - 12);
  await checkLog(await openStore(folder), acknowledged);
});

test("a process that writes beside an open store wakes its subscribers", async () => {
  const folder = freshFolder();
  const store = await openStore(folder);
  const racer = await startRacer(folder, "other", "inline", 30);
  const woken = new Promise<void>((resolve) => {
    const stop = store.subscribe(() => {
      stop();
      resolve();
    });
  });
  racer.child.stdin?.write("go\n");
  await woken;
  await racer.ended;
  expect(await headOf(store)).toBe(31);
});

test.each(["inline", "thread"])("what was acknowledged survives SIGKILL (%s)", async (writer) => {
  const folder = freshFolder();
  const store = await openStore(folder);
  await store.create(SESSION, creation());
  const acknowledged: string[] = [];
  for (let round = 0; round < 6; round++) {
    const racer = await startRacer(folder, `${round}`, writer, 1_000_000);
    racer.child.stdin?.write("go\n");
    await racer.reached(1 + round * 7);
    racer.child.kill("SIGKILL");
    await racer.ended;
    acknowledged.push(...racer.acknowledged);
    await checkLog(store, acknowledged);
  }
  expect(acknowledged.length).toBeGreaterThan(6);
  await store.submit(SESSION, submission("after"));
  expect((await store.append(await claimed(store, owner(2)).catch(leaseOf), batchOf("last"))).status).toBe(
    "appended",
  );

  async function leaseOf() {
    const record = await store.getSession(SESSION);
    return { sessionId: SESSION, epoch: record?.epoch ?? 0 };
  }
});

test("a check in the same process does not cost an open store its locks", async () => {
  const folder = freshFolder();
  const store = await openStore(folder);
  await store.create(SESSION, creation());
  const other = await startRacer(folder, "other", "inline", 3);
  const { sessions } = await createSqliteIntegrity(folder).check();
  expect(sessions.map(({ problems }) => problems)).toEqual([[]]);
  other.child.stdin?.write("go\n");
  await other.ended;
  // The other process was not the last: had it thought so, it would have deleted the WAL that is written to here.
  await store.submit(SESSION, submission("after"));
  const third = await startRacer(folder, "third", "inline", 3);
  third.child.stdin?.write("go\n");
  await third.ended;
  expect(third.acknowledged.length).toBeGreaterThan(0);
  await checkLog(store, [...other.acknowledged, "after", ...third.acknowledged]);
});
