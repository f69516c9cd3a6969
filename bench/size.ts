/** What a session takes on disk, snapshots, indexes, heads file and all, against the JSON of its events. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SessionId } from "../src/core/ids.ts";
import type { Store } from "../src/store/contract.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { HarnessLoop } from "./loop.ts";
import { NaiveLoop } from "./naive.ts";
import { alone, counted, type Figure, type Result } from "./report.ts";
import { openStore } from "./store.ts";
import { LARGE_RESULT_BYTES, RESULT_BYTES, Workload } from "./workload.ts";

const PAGE = 1000;

async function measure(folder: string, turns: number, resultBytes: number): Promise<Figure[]> {
  const workload = new Workload(resultBytes);
  const state = join(folder, `${turns}-${resultBytes}`);
  const store = await openStore(state, "inline");
  const loop = await HarnessLoop.start(store, workload);
  await loop.advance(turns);
  await loop.stop();
  const json = await jsonBytes(store, loop.sessionId);
  const openBytes = folderBytes(state);
  await store.close();
  const name = `${turns.toLocaleString("en")} turns${resultBytes === RESULT_BYTES ? "" : ", 64 KB results"}`;
  const target = { of: "ratio", atMost: 1.3 } as const;
  return [
    counted(
      `${name}: log`,
      "bytes per turn, against the events' JSON",
      folderBytes(state) / turns,
      json / turns,
      target,
    ),
    counted(
      `${name}: log while open`,
      "bytes per turn, against the events' JSON",
      openBytes / turns,
      json / turns,
    ),
    counted(
      `${name}: log`,
      "bytes per turn, against naive JSONL",
      folderBytes(state) / turns,
      naiveBytes(join(folder, `${turns}-${resultBytes}.jsonl`), turns, workload) / turns,
    ),
  ];
}

/** As `nightshift events --json` prints them. */
async function jsonBytes(store: Store, sessionId: SessionId): Promise<number> {
  let bytes = 0;
  for (let after = 0; ; ) {
    const events = await store.getEvents(sessionId, { after, limit: PAGE });
    for (const event of events) bytes += Buffer.byteLength(JSON.stringify(event)) + 1;
    const last = events.at(-1);
    if (last === undefined) return bytes;
    after = last.seq;
  }
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function naiveBytes(path: string, turns: number, workload: Workload): number {
  const loop = new NaiveLoop(path, workload);
  loop.advance(turns);
  loop.close();
  return statSync(path).size;
}

async function run({ folder, isTiny, onProgress }: RunOptions): Promise<Result> {
  const cases = isTiny
    ? [{ turns: 50, resultBytes: RESULT_BYTES }]
    : [
        { turns: 1000, resultBytes: RESULT_BYTES },
        { turns: 10_000, resultBytes: RESULT_BYTES },
        { turns: 1000, resultBytes: LARGE_RESULT_BYTES },
      ];
  const figures: Figure[] = [];
  for (const { turns, resultBytes } of cases) {
    onProgress(`${turns} turns with results of ${resultBytes} bytes`);
    figures.push(...(await measure(folder, turns, resultBytes)));
  }
  const [first, last] = [figures[0]?.ours, figures.findLast(({ name }) => name.startsWith("10,000"))?.ours];
  if (first !== undefined && last !== undefined) {
    figures.push(alone("10,000 : 1,000 turns", "growth of bytes per turn", last / first));
  }
  return {
    parameters: { turns: cases.map(({ turns }) => turns) },
    figures: figures.sort((left, right) => left.unit.localeCompare(right.unit)),
    notes: [
      "The events' JSON is one line per event with its type, position, time and whole body. While a store is open, its write-ahead log is on disk too.",
    ],
  };
}

/** Bytes per turn. */
export const size: Benchmark = {
  name: "size",
  summary: "bytes per turn with snapshots, against the JSON of the events",
  run,
};
