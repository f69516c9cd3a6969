/** What the suite must catch, or else it proves nothing: each mutant leaves out one thing that durability rests on. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../simulator/random.ts";
import { type CrashState, Disk } from "./disk.ts";
import { Acknowledged, examine, writeState } from "./examine.ts";
import { crashRecording, type Recording } from "./suite.ts";
import type { Acknowledgement } from "./workload.ts";

/** Recordings of the workload, as it is and with commits that are told before they are synced. */
export interface Recordings {
  readonly synced: Recording;
  readonly unsynced: Recording;
}

interface Options {
  readonly states: number;
  readonly seed: string;
  readonly where: string;
}

/** Makes the mutant and says how many states showed it. */
export type Mutant = (recordings: Recordings, options: Options) => Promise<number>;

/** By the name of what is left out. */
export const MUTANTS: { readonly [name: string]: Mutant } = {
  "the sync of each commit": ({ unsynced }, options) => failures(unsynced, options),
  "every sync of the WAL": ({ synced }, options) => failures(without(synced, "log.db-wal"), options),
  "the sync of the database in checkpoints": ({ synced }, options) =>
    failures(without(synced, "log.db"), options),
  "the syncs of folders": ({ synced }, options) => failures(without(synced, ".", ".."), options),
  "the heads file, when the WAL is damaged": ({ synced }, options) => silentLosses(synced, options),
};

async function failures(recording: Recording, options: Options): Promise<number> {
  const { lost, refused } = await crashRecording(recording, options);
  return lost + refused;
}

/** The same work on a disk for which syncing these names does nothing. */
function without({ operations, logs }: Recording, ...names: readonly string[]): Recording {
  const kept = operations.filter((each) => !(each.kind === "sync" && names.includes(each.name)));
  return { operations: kept, logs };
}

/**
 * Turns one bit of the WAL after each of some answers. With the heads file that must never be a silent loss; without
 * it, it must be seen as one.
 */
async function silentLosses(recording: Recording, { states, seed, where }: Options): Promise<number> {
  const parent = mkdtempSync(join(where, "damage-"));
  const folder = join(parent, "state");
  const random = new Random(seed);
  const { operations, logs } = recording;
  const answers = operations.flatMap(({ kind }, index) => (kind === "acknowledge" ? [index] : []));
  const chosen = new Set(Array.from({ length: states }, () => random.pick(answers)));
  const disk = new Disk();
  const acknowledged = new Acknowledged();
  let losses = 0;
  try {
    for (const [index, operation] of operations.entries()) {
      disk.apply(operation);
      if (operation.kind === "acknowledge") acknowledged.add(JSON.parse(operation.line) as Acknowledgement);
      if (!chosen.has(index)) continue;
      const damaged = withDamagedWal(disk.flush(), random);
      writeState(folder, damaged);
      const protectedOutcome = await examine(folder, acknowledged, logs);
      if (protectedOutcome.kind === "lost")
        throw new Error(`in spite of the heads file: ${protectedOutcome.what}`);
      writeState(folder, damaged && new Map([...damaged].filter(([name]) => name !== "heads")));
      if ((await examine(folder, acknowledged, logs)).kind === "lost") losses += 1;
    }
    return losses;
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function withDamagedWal(state: CrashState, random: Random): CrashState {
  const wal = state?.get("log.db-wal");
  if (state === undefined || wal === undefined) return state;
  const damaged = Buffer.from(wal);
  const used = damaged.findLastIndex((byte) => byte !== 0);
  const at = random.between(32, Math.max(32, used));
  damaged[at] = (damaged[at] ?? 0) ^ (1 << random.between(0, 7));
  return new Map([...state, ["log.db-wal", damaged]]);
}
