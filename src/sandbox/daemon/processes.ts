/**
 * The process table, read from /proc. A process is named by pid *and* start time, because pids are used again.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";

/** Names one process of this boot, for ever. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since boot. */
  readonly startTime: string;
}

/** What the kernel says of a process. */
export interface ProcessInfo extends ProcessIdentity {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly state: string;
}

/** State of a process that has ended and that its parent has not looked at yet. */
export const ZOMBIE = "Z";

/** The process with this pid, or undefined when it is gone; a zombie counts as gone unless asked for. */
export function readProcess(pid: number, { zombies = false } = {}): ProcessInfo | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "X", parent, group, session] = fields;
  if (state === "X" || (state === ZOMBIE && !zombies)) return undefined;
  return {
    pid,
    startTime: fields[19] ?? "",
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    state,
  };
}

/** Every pid that may be seen, the highest, which are mostly the newest, first. */
export function listPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((one, other) => other - one);
}

/** True while exactly this process lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readProcess(identity.pid)?.startTime === identity.startTime;
}

/** A process can name any part of its memory its environment; ordinary ones are far shorter than this. */
const ENVIRONMENT_BYTES_MAX = 2 ** 20;
/** One for all, as each part is copied from it at once. */
const CHUNK: Buffer = Buffer.allocUnsafe(65_536);

/** The environment that a process was started with, or how it begins; empty when it may not be read. */
export function readEnvironment(pid: number): Buffer {
  try {
    const file = openSync(`/proc/${pid}/environ`, "r");
    try {
      return readUpTo(file, ENVIRONMENT_BYTES_MAX);
    } finally {
      closeSync(file);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function readUpTo(file: number, bytesMax: number): Buffer {
  const parts: Buffer[] = [];
  for (let left = bytesMax; left > 0; ) {
    const bytes = readSync(file, CHUNK, 0, Math.min(CHUNK.length, left), null);
    if (bytes === 0) break;
    parts.push(Buffer.from(CHUNK.subarray(0, bytes)));
    left -= bytes;
  }
  return Buffer.concat(parts);
}

/** Differs after every start of the machine: identities from another boot name nothing here. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
