/**
 * Opening a log until the next model call: the store is opened, the lease taken, the session folded, and the next
 * request committed. Each time in a process of its own, because that is where a session is resumed, on the built package.
 */
import { join } from "node:path";
import type { SessionId } from "../src/core/ids.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { NaiveLoop } from "./naive.ts";
import { buildPackage, type ModelCallSeen, resumeInChild } from "./package.ts";
import { runChild } from "./processes.ts";
import { compared, type Figure, type Result } from "./report.ts";
import { type LogLength, seedSession } from "./seed.ts";
import { type Pair, summarizePairs } from "./statistics.ts";
import { openStore } from "./store.ts";
import { Workload } from "./workload.ts";

interface Place {
  readonly length: LogLength;
  readonly folder: string;
  readonly sessionId: SessionId;
  /** Null where there is nothing to compare with. */
  readonly naivePath: string | null;
  readonly times: { readonly ours: number[]; readonly naive: number[] };
}

const LENGTHS: readonly LogLength[] = [
  { threads: 1, turns: 100 },
  { threads: 1, turns: 1000 },
  { threads: 1, turns: 5000 },
  { threads: 100, turns: 1000 },
];
const TINY_LENGTHS: readonly LogLength[] = [
  { threads: 1, turns: 10 },
  { threads: 3, turns: 10 },
];
/** A request that is lost more often than this in a row trips a breaker. */
const REPS_MAX = 40;

async function makePlace(folder: string, length: LogLength): Promise<Place> {
  const { threads, turns } = length;
  const workload = new Workload();
  const state = join(folder, `${threads}-${turns}`);
  const store = await openStore(state, "inline");
  const sessionId = await seedSession(store, workload, length);
  await store.close();
  return {
    length,
    folder: state,
    sessionId,
    naivePath: threads === 1 ? writeNaive(`${state}.jsonl`, turns, workload) : null,
    times: { ours: [], naive: [] },
  };
}

function writeNaive(path: string, turns: number, workload: Workload): string {
  const loop = new NaiveLoop(path, workload);
  loop.advance(turns);
  loop.close();
  return path;
}

async function time(place: Place, side: "ours" | "naive", dist: string, cache: string): Promise<void> {
  const { folder, sessionId, naivePath, length, times } = place;
  if (side === "naive" && naivePath === null) return;
  const { ms, messages } =
    side === "ours"
      ? await resumeInChild({ dist, cache, folder, sessionId, closes: true })
      : await runChild<ModelCallSeen>(
          "./naive-child.ts",
          { path: naivePath },
          { environment: { NODE_COMPILE_CACHE: cache } },
        );
  if (messages !== 2 * length.turns + 1) throw new Error(`${side} resumed with ${messages} messages`);
  times[side].push(ms);
}

function figuresOf(places: readonly Place[]): Figure[] {
  const figures = places
    .filter(({ naivePath }) => naivePath !== null)
    .map(({ length: { turns }, times }) => {
      const target = turns === 1000 ? ({ of: "ratio", atMost: 1 } as const) : null;
      return compared(`${turns} turns`, "ms", summarizePairs(pairsOf(times.ours, times.naive)), target);
    });
  const long = places.at(-1);
  const short = places.find(({ length }) => length.threads === 1 && length.turns === long?.length.turns);
  if (long === undefined || short === undefined) return figures;
  const { threads, turns } = long.length;
  const pairs = summarizePairs(pairsOf(long.times.ours, short.times.ours));
  const name = `${threads * turns} in threads of ${turns}`;
  return [...figures, compared(name, `ms, against ours at ${turns}`, pairs, { of: "ratio", atMost: 1.2 })];
}

function pairsOf(ours: readonly number[], baseline: readonly number[]): Pair[] {
  return ours.map((value, index) => ({ ours: value, baseline: baseline[index] ?? Number.NaN }));
}

async function run({ folder, isTiny, reps, onProgress }: RunOptions): Promise<Result> {
  const lengths = isTiny ? TINY_LENGTHS : LENGTHS;
  const repetitions = Math.min(REPS_MAX - 1, reps ?? (isTiny ? 1 : 25));
  const dist = await buildPackage(isTiny);
  const cache = join(folder, "compile-cache");
  const places: Place[] = [];
  for (const length of lengths) {
    onProgress(`writing ${length.threads} × ${length.turns} turns`);
    places.push(await makePlace(folder, length));
  }
  // The first round only fills the compile cache and the page cache.
  for (let rep = -1; rep < repetitions; rep++) {
    onProgress(`repetition ${rep + 1} of ${repetitions}`);
    for (const place of places) {
      const sides = rep % 2 === 0 ? (["ours", "naive"] as const) : (["naive", "ours"] as const);
      for (const side of sides) await time(place, side, dist, cache);
      if (rep < 0) for (const side of sides) place.times[side].pop();
    }
  }
  return {
    parameters: { reps: repetitions },
    figures: figuresOf(places),
    notes: [
      "Baseline: readFile, split, JSON.parse of each line, and the messages in a list; it writes nothing. Ours takes a lease and commits the next request, which are two syncs; the built package with its caches of compiled code.",
    ],
  };
}

/** Open → next model call. */
export const wakeUp: Benchmark = {
  name: "wake",
  summary: "opening a log until the next model call, against a naive reader",
  run,
};
