/** Many agents in one process: turns per second, against a naive loop in which all of them share a log and its syncs. */
import { join } from "node:path";
import type { Store } from "../src/store/contract.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { HarnessLoop } from "./loop.ts";
import { NaiveGroup } from "./naive.ts";
import { compared, type Result } from "./report.ts";
import { summarizePairs } from "./statistics.ts";
import { openStore } from "./store.ts";
import { Workload } from "./workload.ts";

class Crowd {
  readonly #loops: readonly HarnessLoop[];

  private constructor(loops: readonly HarnessLoop[]) {
    this.#loops = loops;
  }

  static async start(store: Store, agents: number, workload: Workload): Promise<Crowd> {
    const starting = Array.from({ length: agents }, () => HarnessLoop.start(store, workload));
    return new Crowd(await Promise.all(starting));
  }

  async advance(turns: number): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.advance(turns)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}

/** @returns turns per second */
async function rate(turns: number, work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (turns / (performance.now() - startedMs)) * 1000;
}

async function run({ folder, isTiny, reps, onProgress }: RunOptions): Promise<Result> {
  const agentCount = isTiny ? 4 : 64;
  const slice = isTiny ? 2 : 25;
  const repetitions = reps ?? (isTiny ? 1 : 20);
  const workload = new Workload();
  const store = await openStore(join(folder, "state"), "thread");
  const crowd = await Crowd.start(store, agentCount, workload);
  const group = new NaiveGroup(join(folder, "group.jsonl"), agentCount, workload);
  const sides = [
    { rates: [] as number[], advance: () => crowd.advance(slice) },
    { rates: [] as number[], advance: () => group.advance(slice) },
  ] as const;
  for (const { advance } of sides) await advance();
  for (let rep = 0; rep < repetitions; rep++) {
    onProgress(`repetition ${rep + 1} of ${repetitions}`);
    for (const { rates, advance } of rep % 2 === 0 ? sides : sides.toReversed()) {
      rates.push(await rate(agentCount * slice, advance));
    }
  }
  await crowd.stop();
  await store.close();
  group.close();
  const [ours, naive] = sides;
  const pairs = ours.rates.map((value, index) => ({
    ours: value,
    baseline: naive.rates[index] ?? Number.NaN,
  }));
  const target = { of: "ratio", atLeast: 0.8 } as const;
  return {
    parameters: { agents: agentCount, "turns per slice": slice, reps: repetitions },
    figures: [compared(`${agentCount} agents`, "turns per second", summarizePairs(pairs), target)],
    notes: ["Baseline: one file; whatever events are pending when a sync begins share it."],
  };
}

/** Turns per second of many agents. */
export const agents: Benchmark = {
  name: "agents-64",
  summary: "64 agents in one process, against a naive group commit",
  run,
};
