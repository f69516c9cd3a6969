/**
 * What the harness costs per turn: model and tool answer at once, so the time from one model call to the next is
 * all overhead. Ours and the naive loop take turns on the same disk, some dozen milliseconds each.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../src/store/contract.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { DiskProbe, type SyncTimes } from "./disk.ts";
import { HarnessLoop } from "./loop.ts";
import { NaiveLoop } from "./naive.ts";
import { alone, compared, type Figure, type Result } from "./report.ts";
import { median, type Pair, summarizePairs } from "./statistics.ts";
import { openStore, type WriterKind } from "./store.ts";
import { LARGE_RESULT_BYTES, RESULT_BYTES, Workload } from "./workload.ts";

/** Turns around a size, measured in slices; a session that has passed them makes room for a new one. */
interface Window {
  readonly size: number;
  readonly from: number;
  readonly until: number;
  /** Turns that are timed together. */
  readonly slice: number;
  /** The same where each turn also renders its request. */
  readonly renderedSlice: number;
  /** Slices of one repetition, so that each size is measured over about as many turns. */
  readonly slices: number;
}

const WINDOWS: readonly Window[] = [
  { size: 10, from: 5, until: 15, slice: 10, renderedSlice: 10, slices: 10 },
  { size: 100, from: 50, until: 150, slice: 100, renderedSlice: 100, slices: 1 },
  { size: 1000, from: 900, until: 1120, slice: 100, renderedSlice: 10, slices: 1 },
  { size: 10_000, from: 9500, until: 10_550, slice: 100, renderedSlice: 5, slices: 1 },
];
const TINY_WINDOWS: readonly Window[] = [
  { size: 10, from: 5, until: 15, slice: 5, renderedSlice: 5, slices: 1 },
  { size: 20, from: 15, until: 25, slice: 5, renderedSlice: 5, slices: 1 },
];

type Kind = WriterKind | "naive";
const KINDS: readonly Kind[] = ["inline", "naive", "thread"];

/** Something that can be told to take turns. */
interface Subject {
  advance(turns: number, renders: boolean): Promise<void> | void;
  close(): Promise<void> | void;
}

/** Of one turn. */
interface Cost {
  readonly ms: number;
  /** Processor time of all threads. */
  readonly cpuMs: number;
}

/** A subject kept within its window. */
class Runner {
  readonly #window: Window;
  readonly #make: () => Promise<Subject>;
  #subject: Subject | undefined;
  #turn = 0;

  constructor(window: Window, make: () => Promise<Subject>) {
    this.#window = window;
    this.#make = make;
  }

  /** Takes the turns of one repetition. */
  async time(renders: boolean): Promise<Cost> {
    const { slices, slice, renderedSlice } = this.#window;
    const turns = renders ? renderedSlice : slice;
    let [totalMs, totalCpuMs] = [0, 0];
    for (let index = 0; index < slices; index++) {
      const subject = await this.#within(turns);
      const [startedMs, startedCpu] = [performance.now(), process.cpuUsage()];
      await subject.advance(turns, renders);
      totalMs += performance.now() - startedMs;
      const { user, system } = process.cpuUsage(startedCpu);
      totalCpuMs += (user + system) / 1000;
      this.#turn += turns;
    }
    return { ms: totalMs / (slices * turns), cpuMs: totalCpuMs / (slices * turns) };
  }

  async close(): Promise<void> {
    await this.#subject?.close();
    this.#subject = undefined;
  }

  async #within(turns: number): Promise<Subject> {
    const { from, until } = this.#window;
    if (this.#subject !== undefined && this.#turn + turns <= until) return this.#subject;
    await this.close();
    this.#subject = await this.#make();
    await this.#subject.advance(from, false);
    this.#turn = from;
    return this.#subject;
  }
}

/** The costs of one window, one per repetition. */
interface Times {
  readonly size: number;
  readonly renders: boolean;
  readonly of: { readonly [kind in Kind]: Cost[] };
}

interface Measured {
  readonly times: readonly Times[];
  readonly syncs: SyncTimes;
}

async function measure(
  options: RunOptions,
  resultBytes: number,
  windows: readonly Window[],
): Promise<Measured> {
  const reps = options.reps ?? (options.isTiny ? 1 : 15);
  const places = await makePlaces(options.folder, resultBytes, windows);
  const times = windows.flatMap(({ size }) => [false, true].map((renders) => emptyTimes(size, renders)));
  const disk = new DiskProbe(options.folder);
  for (let rep = 0; rep < reps; rep++) {
    options.onProgress(`repetition ${rep + 1} of ${reps}`);
    disk.measure();
    for (const { size, renders, of } of times) {
      // Who comes first changes, so that nobody always inherits another one's garbage or dirty pages.
      for (let index = 0; index < KINDS.length; index++) {
        const kind = KINDS[(index + rep) % KINDS.length] ?? "naive";
        const runner = places.runners.get(`${kind} ${size}`);
        if (runner !== undefined) of[kind].push(await runner.time(renders));
      }
    }
  }
  await places.close();
  disk.close();
  return { times, syncs: disk.times };
}

function emptyTimes(size: number, renders: boolean): Times {
  return { size, renders, of: { inline: [], thread: [], naive: [] } };
}

interface Places {
  readonly runners: ReadonlyMap<string, Runner>;
  close(): Promise<void>;
}

/** Each size has state of its own, so that a short session does not profit from a long one's store, nor suffer. */
async function makePlaces(folder: string, resultBytes: number, windows: readonly Window[]): Promise<Places> {
  const workload = new Workload(resultBytes);
  const runners = new Map<string, Runner>();
  const stores: Store[] = [];
  for (const window of windows) {
    for (const writer of ["inline", "thread"] as const) {
      const store = await openStore(join(folder, `${writer}-${window.size}`), writer);
      stores.push(store);
      runners.set(`${writer} ${window.size}`, new Runner(window, () => startOurs(store, workload)));
    }
    const naiveFolder = join(folder, `naive-${window.size}`);
    mkdirSync(naiveFolder);
    let files = 0;
    const make = async () => new NaiveLoop(join(naiveFolder, `${files++}.jsonl`), workload);
    runners.set(`naive ${window.size}`, new Runner(window, make));
  }
  const close = async () => {
    for (const runner of runners.values()) await runner.close();
    for (const store of stores) await store.close();
  };
  return { runners, close };
}

async function startOurs(store: Store, workload: Workload): Promise<Subject> {
  const loop = await HarnessLoop.start(store, workload);
  return { advance: (turns, renders) => loop.advance(turns, renders), close: () => loop.stop() };
}

function figuresOf({ times, syncs }: Measured): Figure[] {
  const figures: Figure[] = [];
  for (const writer of ["inline", "thread"] as const) {
    const target = { of: "ratio", atMost: writer === "inline" ? 1 : 1.2 } as const;
    for (const renders of [false, true]) {
      for (const { size, of } of times.filter((each) => each.renders === renders)) {
        const pairs = pairsOf(of[writer].map(msOf), of.naive.map(msOf));
        const name = `${writer}, ${size} turns${renders ? ", rendered" : ""}`;
        figures.push(compared(name, "ms per turn", summarizePairs(pairs), renders ? null : target));
      }
    }
  }
  return [
    ...figures,
    ...growths(times),
    ...processorTimes(times),
    alone("after an append", "ms per sync of this disk", syncs.grown),
    alone("in place", "ms per sync of this disk", syncs.inPlace),
  ];
}

function msOf({ ms }: Cost): number {
  return ms;
}

/** Of all threads together; what is left of a turn's time is waiting for the disk. */
function processorTimes(times: readonly Times[]): Figure[] {
  const plain = times.filter(({ renders }) => !renders);
  return (["inline", "thread"] as const).flatMap((writer) =>
    plain.map(({ size, of }) => {
      const pairs = pairsOf(
        of[writer].map(({ cpuMs }) => cpuMs),
        of.naive.map(({ cpuMs }) => cpuMs),
      );
      return compared(`${writer}, ${size} turns`, "ms of processor per turn", summarizePairs(pairs), null);
    }),
  );
}

/** The longest sessions against the shortest, repetition by repetition. */
function growths(times: readonly Times[]): Figure[] {
  const plain = times.filter(({ renders }) => !renders);
  const [shortest, longest] = [plain[0], plain.at(-1)];
  if (shortest === undefined || longest === undefined) return [];
  return (["inline", "thread", "naive"] as const).map((kind) => {
    const growth = summarizePairs(pairsOf(longest.of[kind].map(msOf), shortest.of[kind].map(msOf)));
    const target = kind === "naive" ? null : ({ of: "ratio", atMost: 1.1 } as const);
    return compared(`${kind}, ${longest.size} : ${shortest.size}`, "growth, ms per turn", growth, target);
  });
}

function pairsOf(ours: readonly number[], baseline: readonly number[]): Pair[] {
  return ours.map((value, index) => ({ ours: value, baseline: baseline[index] ?? median(baseline) }));
}

async function run(options: RunOptions, resultBytes: number, windows: readonly Window[]): Promise<Result> {
  const chosen = options.isTiny ? TINY_WINDOWS : windows;
  const measured = await measure(options, resultBytes, chosen);
  return {
    parameters: {
      turns: chosen.map(({ size }) => size),
      "result bytes": resultBytes,
      reps: measured.times[0]?.of.naive.length ?? 0,
    },
    figures: figuresOf(measured),
    notes: [
      "Baseline: one line of JSON and one fdatasync per event, two events a turn. In the rows of the growth, the baseline is the same subject at the smallest size.",
    ],
  };
}

/** Overhead per turn of workload W. */
export const turn: Benchmark = {
  name: "turn",
  summary: "overhead per turn, against a naive JSONL + fdatasync loop",
  run: (options) => run(options, RESULT_BYTES, WINDOWS),
};

/** The same with results that become blobs. */
export const turnLarge: Benchmark = {
  name: "turn-64k",
  summary: "the same with results of 64 KB, which become blobs",
  run: (options) =>
    run(
      options,
      LARGE_RESULT_BYTES,
      WINDOWS.filter(({ size }) => size <= 1000),
    ),
};
