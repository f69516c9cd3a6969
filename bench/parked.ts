/** Sessions that wait for a person or for a time to come, none of them due: what they cost the engine that watches them. */
import { join } from "node:path";
import type { Store } from "../src/store/contract.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { createWorkloadSession } from "./loop.ts";
import { runChild } from "./processes.ts";
import { alone, type Figure, type Result } from "./report.ts";
import { median } from "./statistics.ts";
import { OWNER, openStore } from "./store.ts";

/** What the child is to do. */
export interface ParkedChild {
  readonly folder: string;
  readonly scans: number;
  /** How long it watches. */
  readonly watchMs: number;
}

/** What it answers. */
export interface ParkedAnswer {
  readonly scanMs: number;
  /** JavaScript's heap and what it holds outside of it, over what the process had before it opened the store. */
  readonly heapMb: number;
  /** The same of all memory of the process. */
  readonly rssMb: number;
  /** Processor time while nothing happens. */
  readonly cpuMsPerSecond: number;
}

/** Sessions that are made at once; they share commits. */
const TOGETHER = 250;
const YEAR_MS = 365 * 24 * 3_600_000;

async function park(store: Store, index: number): Promise<void> {
  const sessionId = await createWorkloadSession(store);
  const claim = await store.claim(sessionId, { owner: OWNER, ttlMs: 60_000, at: Date.now() });
  if (claim.status !== "claimed") throw new Error("somebody else drives a session that was made just now");
  // Every other one waits for a person, the rest for a time to come.
  const due = index % 2 === 0 ? null : Date.now() + YEAR_MS + index;
  await store.release(claim.lease, { seq: claim.record.seq, due });
}

async function makeParked(folder: string, count: number): Promise<void> {
  const store = await openStore(folder, "thread");
  for (let start = 0; start < count; start += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, count - start) }, (_, index) => start + index);
    await Promise.all(some.map((index) => park(store, index)));
  }
  await store.close();
}

function figuresOf(count: number, answers: readonly ParkedAnswer[], hasTargets: boolean): Figure[] {
  const of = (field: keyof ParkedAnswer): number => median(answers.map((each) => each[field]));
  const name = `${count.toLocaleString("en")} parked`;
  const most = (atMost: number) => (hasTargets ? ({ of: "ours", atMost } as const) : null);
  return [
    alone(`${name}: one scan`, "ms", of("scanMs"), most(1)),
    alone(`${name}: all memory`, "MB more", of("rssMb"), most(10)),
    alone(`${name}: heap and external`, "MB more", of("heapMb"), most(10)),
    alone(`${name}: processor at rest`, "ms per second", of("cpuMsPerSecond")),
  ];
}

async function run({ folder, isTiny, reps, onProgress }: RunOptions): Promise<Result> {
  const counts = isTiny ? [0, 20] : [0, 10_000];
  const repetitions = reps ?? (isTiny ? 1 : 7);
  const answers = new Map<number, ParkedAnswer[]>();
  for (const count of counts) {
    onProgress(`parking ${count} sessions`);
    await makeParked(join(folder, String(count)), count);
    answers.set(count, []);
  }
  for (let rep = 0; rep < repetitions; rep++) {
    onProgress(`repetition ${rep + 1} of ${repetitions}`);
    for (const count of counts) {
      const child = { folder: join(folder, String(count)), scans: 200, watchMs: isTiny ? 100 : 3000 };
      const nodeArguments = ["--expose-gc"];
      answers.get(count)?.push(await runChild<ParkedAnswer>("./parked-child.ts", child, { nodeArguments }));
    }
  }
  const figures = counts.flatMap((count) => figuresOf(count, answers.get(count) ?? [], count > 0));
  return {
    parameters: { parked: counts, reps: repetitions },
    figures: figures.sort((left, right) => left.unit.localeCompare(right.unit)),
    notes: [
      "Memory is what the process has more, with store and engine running, than before the store was opened, after collections of garbage; it includes SQLite's page cache.",
    ],
  };
}

/** The cost of waiting. */
export const parked: Benchmark = {
  name: "parked",
  summary: "engine memory and scan cost with 10,000 parked sessions",
  run,
};
