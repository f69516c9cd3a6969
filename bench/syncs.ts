/** How often the disk is told to sync, per turn: counted from outside with strace, because a store may believe anything. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { runChild, runProcess } from "./processes.ts";
import { counted, type Figure, type Result, type Target } from "./report.ts";
import type { WriterKind } from "./store.ts";

/** What the child is to do. */
export interface SyncsChild {
  readonly kind: WriterKind | "naive" | "naive group";
  readonly folder: string;
  readonly agents: number;
  readonly turns: number;
}

interface Case {
  readonly name: string;
  readonly agents: number;
  readonly ours: WriterKind;
  readonly baseline: "naive" | "naive group";
  readonly target: Target | null;
}

const AGENTS = 64;
/** Checkpoints of the write-ahead log sync too, about once in a hundred turns. */
const TWO_AND_CHECKPOINTS: Target = { of: "ours", atMost: 2.1 };

const CASES: readonly Case[] = [
  { name: "1 agent, inline", agents: 1, ours: "inline", baseline: "naive", target: TWO_AND_CHECKPOINTS },
  { name: "1 agent, thread", agents: 1, ours: "thread", baseline: "naive", target: TWO_AND_CHECKPOINTS },
  {
    name: `${AGENTS} agents, thread`,
    agents: AGENTS,
    ours: "thread",
    baseline: "naive group",
    target: { of: "ours", atMost: 1 },
  },
];

/** Two runs of different length: what start and end cost falls out of the difference. */
async function syncsPerTurn(
  folder: string,
  child: Omit<SyncsChild, "turns" | "folder">,
  turns: number,
): Promise<number> {
  const short = await countSyncs(folder, { ...child, turns });
  const long = await countSyncs(folder, { ...child, turns: 3 * turns });
  return (long - short) / (2 * turns * child.agents);
}

async function countSyncs(folder: string, child: Omit<SyncsChild, "folder">): Promise<number> {
  const name = `${child.kind}-${child.agents}-${child.turns}`.replaceAll(" ", "-");
  const trace = join(folder, `${name}.trace`);
  const under = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", trace];
  await runChild("./syncs-child.ts", { ...child, folder: join(folder, name) }, { under });
  return readFileSync(trace, "utf8").split("\n").filter(isSync).length;
}

/** A call that another thread's output interrupts is printed in two parts; the second one is not counted. */
function isSync(line: string): boolean {
  return /^\d+\s+(fsync|fdatasync|sync_file_range|msync)\(/.test(line);
}

async function run({ folder, isTiny, onProgress }: RunOptions): Promise<Result> {
  await runProcess(["strace", "--version"]);
  const turns = isTiny ? 5 : 500;
  const figures: Figure[] = [];
  for (const { name, agents, ours, baseline, target } of CASES) {
    onProgress(name);
    const perAgent = agents === 1 ? turns : Math.max(5, Math.round(turns / 20));
    const [oursPerTurn, baselinePerTurn] = [
      await syncsPerTurn(folder, { kind: ours, agents }, perAgent),
      await syncsPerTurn(folder, { kind: baseline, agents }, perAgent),
    ];
    figures.push(counted(name, "syncs per turn", oursPerTurn, baselinePerTurn, target));
  }
  return {
    parameters: { turns },
    figures,
    notes: [
      "Two commits a turn, each with one sync; what is above 2 are checkpoints of the write-ahead log.",
    ],
  };
}

/** Sync calls per turn. */
export const syncs: Benchmark = {
  name: "syncs",
  summary: "sync calls per turn, counted with strace",
  run,
};
