/** Runs many seeds, a share of them in each of a few threads. */
import { rmSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { makeTemplate } from "./disk.ts";
import type { Violation } from "./judge.ts";
import { type Pair, targetOf } from "./pairs.ts";
import { simulate } from "./simulation.ts";

/** Which seeds, and how. */
export interface SeedRange {
  readonly firstSeed: number;
  readonly seeds: number;
  /** Twice shows that a seed decides everything: both runs must tell the same story. */
  readonly runsPerSeed: number;
  /** Keep the story of every seed, not of failing ones only. */
  readonly keepsTraces: boolean;
  /** From one seed to the next; 1 if absent. */
  readonly step?: number;
  /** Only seeds that aim at such a pair. */
  readonly aim?: RegExp;
}

/** What came of one seed, in a form that crosses between threads. */
export interface SeedReport {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly events: number;
  readonly steps: number;
  readonly crashes: number;
  readonly strikes: readonly (readonly [Pair, number])[];
  readonly trace: string | null;
}

interface Share {
  readonly range: SeedRange;
  readonly offset: number;
  readonly stride: number;
}

const THREADS = 2;
/** Faults make many errors, and to walk the stack is most of what one costs: only a story that is read has stacks. */
const STACK_FRAMES = { silent: 0, told: 10 } as const;

/** Runs the seeds of a range in several threads. @param onReport - called for each, in any order */
export async function runSeeds(range: SeedRange, onReport: (report: SeedReport) => void): Promise<void> {
  const threads = Math.min(THREADS, range.seeds);
  await Promise.all(
    Array.from({ length: threads }, (_, offset) => runThread({ range, offset, stride: threads }, onReport)),
  );
}

/** Runs the seeds of a range one after the other on this thread, until one fails if `stopsEarly`. */
export async function runSeedsHere(
  range: SeedRange,
  onReport: (report: SeedReport) => void,
  stopsEarly = false,
): Promise<void> {
  await runEach(seedsOf(range), range, (report) => {
    onReport(report);
    return stopsEarly && report.violation !== null;
  });
}

function* seedsOf({ firstSeed, seeds, step = 1, aim }: SeedRange): Generator<number> {
  let count = 0;
  for (let seed = firstSeed; count < seeds; seed += step) {
    if (aim !== undefined && !aim.test(targetOf(seed))) continue;
    count += 1;
    yield seed;
  }
}

/** @param onReport - returns whether that is enough */
async function runEach(
  seeds: Iterable<number>,
  range: SeedRange,
  onReport: (report: SeedReport) => boolean,
): Promise<void> {
  const template = await makeTemplate({ clock: { monotonicMs: () => 0 }, probe: { isDead: () => false } });
  const frames = Error.stackTraceLimit;
  Error.stackTraceLimit = range.keepsTraces ? STACK_FRAMES.told : STACK_FRAMES.silent;
  try {
    for (const seed of seeds) if (onReport(await runSeed(seed, range, template))) return;
  } finally {
    Error.stackTraceLimit = frames;
    rmSync(template, { recursive: true, force: true });
  }
}

async function runSeed(seed: number, range: SeedRange, template: string): Promise<SeedReport> {
  const first = await simulate(seed, template);
  let { violation } = first;
  for (let run = 2; run <= range.runsPerSeed && violation === null; run++) {
    const again = await simulate(seed, template);
    if (again.digest !== first.digest)
      violation = {
        promise: "a-seed-decides-everything",
        detail: `run ${run} told another story than run 1`,
      };
  }
  const { events, steps, crashes, strikes, trace } = first;
  return {
    seed,
    violation,
    events,
    steps,
    crashes,
    strikes: [...strikes],
    trace: violation !== null || range.keepsTraces ? trace() : null,
  };
}

function runThread(share: Share, onReport: (report: SeedReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.on("message", onReport);
    worker.on("error", reject);
    worker.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`))));
  });
}

async function runShare({ range, offset, stride }: Share): Promise<void> {
  const seeds: number[] = [];
  for (let index = offset; index < range.seeds; index += stride) seeds.push(range.firstSeed + index);
  await runEach(seeds, range, (report) => {
    parentPort?.postMessage(report);
    return false;
  });
}

if (!isMainThread && workerData !== null && typeof workerData === "object" && "stride" in workerData)
  await runShare(workerData as Share);
