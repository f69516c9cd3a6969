/** Whole processes: from the start of node to the model call of a session of 1,000 turns, against a node that does nothing. */
import { join } from "node:path";
import type { SessionId } from "../src/core/ids.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { buildPackage, resumeInChild } from "./package.ts";
import { runProcess } from "./processes.ts";
import { compared, type Result } from "./report.ts";
import { seedSession } from "./seed.ts";
import { type Pair, summarizePairs } from "./statistics.ts";
import { openStore } from "./store.ts";
import { Workload } from "./workload.ts";

/** A session whose request is lost more often than this in a row trips a breaker, so each is used for so many. */
const STARTS_PER_SESSION = 40;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function run({ folder, isTiny, reps, onProgress }: RunOptions): Promise<Result> {
  const turns = isTiny ? 10 : 1000;
  const repetitions = reps ?? (isTiny ? 1 : 31);
  const dist = await buildPackage(isTiny);
  const state = join(folder, "state");
  const store = await openStore(state, "inline");
  const sessions: SessionId[] = [];
  for (let index = 0; index <= repetitions / STARTS_PER_SESSION; index++) {
    onProgress(`writing session ${index + 1}`);
    sessions.push(await seedSession(store, new Workload(), { threads: 1, turns }));
  }
  await store.close();
  const resume = async (rep: number): Promise<void> => {
    const sessionId = sessions[Math.floor(Math.max(0, rep) / STARTS_PER_SESSION)];
    if (sessionId === undefined) throw new Error("there are too few sessions");
    const cache = join(folder, "compile-cache");
    const { messages } = await resumeInChild({ dist, cache, folder: state, sessionId, closes: false });
    if (messages !== 2 * turns + 1) throw new Error(`resumed with ${messages} messages`);
  };
  const bare = () => runProcess([process.execPath, "-e", "0"]);
  const pairs: Pair[] = [];
  // The first round only fills the compile cache and the page cache.
  for (let rep = -1; rep < repetitions; rep++) {
    onProgress(`repetition ${rep + 1} of ${repetitions}`);
    const ours = await timed(() => resume(rep));
    const baseline = await timed(bare);
    if (rep >= 0) pairs.push({ ours, baseline });
  }
  return {
    parameters: { turns, reps: repetitions },
    figures: [compared(`process, ${turns} turns`, "ms", summarizePairs(pairs), { of: "ratio", atMost: 3 })],
    notes: [
      "Baseline: `node -e 0`, from start to exit. Ours: the built package with its caches of compiled code.",
    ],
  };
}

/** Process start → model call. */
export const start: Benchmark = {
  name: "start",
  summary: "process start to model call, against a bare node",
  run,
};
