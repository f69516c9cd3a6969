/** Crashes a recording at many moments, in many ways, and counts what becomes of it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../simulator/random.ts";
import { Disk } from "./disk.ts";
import { Acknowledged, complaints, examine, type Logs, readLogs, writeState } from "./examine.ts";
import { type Operation, record } from "./record.ts";
import type { Acknowledgement } from "./workload.ts";

const WORKLOAD = join(import.meta.dirname, "workload.ts");
/** One state in so many is shown to fsck as well. */
const CHECK_EVERY = 5;
/** At which sync each of the killed runs dies; the second one is that of the first session. */
const KILLS = [2, 3, 9, 31, 70, 120];

/** How the recorded program works. */
export interface Mode {
  readonly writer: "inline" | "thread";
  readonly sync: "synced" | "unsynced" | "killed";
}

/** What a program did, and what it had written in the end. */
export interface Recording {
  readonly operations: readonly Operation[];
  readonly logs: Logs;
}

/** What became of all states. */
export interface Tally {
  states: number;
  whole: number;
  lost: number;
  refused: number;
  /** The first failures, each with how to see it again. */
  readonly failures: string[];
}

const FAILURES_TOLD = 5;

/** Where files are fast; what is on them is only ever compared. */
export function scratchFolder(): string {
  return mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "nightshift-power-"));
}

/** Runs the workload in a folder of its own. @param where - an existing folder for temporary files */
export async function recordWorkload(mode: Mode, where: string): Promise<Recording> {
  const parent = mkdtempSync(join(where, "record-"));
  try {
    const folder = join(parent, "state");
    const operations = record(commandOf(mode, folder), folder);
    return { operations, logs: await readLogs(folder) };
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** The killed program is started again with the same work, so it repeats what it cannot know to be stored. */
function commandOf({ writer, sync }: Mode, folder: string): string[] {
  const command = (how: string): string[] => [process.execPath, WORKLOAD, folder, writer, how];
  if (sync !== "killed") return command(sync);
  const runs = [...KILLS.map((countdown) => `killed-${countdown}`), "synced"];
  return ["sh", "-c", runs.map((how) => command(how).join(" ")).join("; ")];
}

/**
 * Where the power goes: anywhere; just after an answer, when most is promised and least need be on the disk; and most
 * of all after an answer while something is not synced.
 */
function moments(operations: readonly Operation[], count: number, random: Random): number[] {
  const disk = new Disk();
  const answers: number[] = [];
  const doubtful: number[] = [];
  for (const [index, operation] of operations.entries()) {
    disk.apply(operation);
    if (operation.kind !== "acknowledge") continue;
    answers.push(index + 1);
    if (disk.hasUnsynced("log.db-wal")) doubtful.push(index + 1);
  }
  const anywhere = (): number => random.between(0, operations.length);
  const among = (choice: readonly number[]): number => (choice.length > 0 ? random.pick(choice) : anywhere());
  const ways = [anywhere, () => among(answers), () => among(answers), () => among(doubtful)];
  const picked = Array.from({ length: count }, () => random.pick(ways)());
  return picked.sort((left, right) => left - right);
}

/** @param where - an existing folder for temporary files, best in memory */
export async function crashRecording(
  { operations, logs }: Recording,
  options: { readonly states: number; readonly seed: string; readonly where: string },
): Promise<Tally> {
  const tally: Tally = { states: 0, whole: 0, lost: 0, refused: 0, failures: [] };
  const parent = mkdtempSync(join(options.where, "crash-"));
  const folder = join(parent, "state");
  const random = new Random(options.seed);
  const disk = new Disk();
  const acknowledged = new Acknowledged();
  let done = 0;
  try {
    for (const moment of moments(operations, options.states, random)) {
      for (const operation of operations.slice(done, moment)) {
        disk.apply(operation);
        if (operation.kind === "acknowledge") acknowledged.add(JSON.parse(operation.line) as Acknowledgement);
      }
      done = moment;
      writeState(folder, disk.crash(random.fork(`state ${tally.states}`)));
      const found = tally.states % CHECK_EVERY === 0 ? await complaints(folder) : [];
      const outcome = await examine(folder, acknowledged, logs);
      const complaint = outcome.kind === "whole" ? found[0] : undefined;
      const what =
        complaint === undefined ? outcome : { kind: "refused" as const, what: `fsck: ${complaint}` };
      count(tally, what, `seed ${options.seed}, state ${tally.states}, after operation ${moment}`);
    }
    return tally;
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function count(
  tally: Tally,
  outcome: { readonly kind: "whole" | "lost" | "refused"; readonly what?: string },
  place: string,
): void {
  tally.states += 1;
  tally[outcome.kind] += 1;
  if (outcome.what !== undefined && tally.failures.length < FAILURES_TOLD)
    tally.failures.push(`${outcome.kind}, ${place}: ${outcome.what}`);
}
