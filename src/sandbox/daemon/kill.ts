/**
 * Killing everything that an execution has started. A process belongs to it when it carries the execution's
 * marker in its environment (inherited through setsid, nohup and double forks), is in its process group or
 * session, or descends from one that does.
 */
import { NightshiftError } from "../../core/errors.ts";
import {
  isAlive,
  listProcesses,
  type ProcessIdentity,
  type ProcessInfo,
  readEnvironment,
} from "./processes.ts";

/** The environment variable that marks what an execution has started. */
export const MARKER_VARIABLE = "NIGHTSHIFT_EXEC";

/** What to kill. */
export interface KillTarget {
  /** Occurs in the environment of everything that belongs to the target, and nowhere else. */
  readonly marker: string;
  /** First process of a process group of its own. */
  readonly leader?: ProcessIdentity;
  /** The group is known to be this execution's although its leader may be gone. */
  readonly groupIsOurs?: boolean;
}

/** How long processes may take to end after SIGTERM. */
export const TERM_GRACE_MS = 500;
const POLL_MS = 5;
const KILL_ROUND_MS = 250;
const KILL_DEADLINE_MS = 20_000;

/** The living processes of a target, never this one. */
export function findMembers(target: KillTarget): ProcessInfo[] {
  const marker = Buffer.from(target.marker);
  const processes = listProcesses().filter(({ pid }) => pid !== process.pid);
  const members = new Set(
    processes.filter((info) => isInGroup(info, target) || readEnvironment(info.pid).includes(marker)),
  );
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    const pids = new Set([...members].map(({ pid }) => pid));
    for (const info of processes) if (pids.has(info.parent)) members.add(info);
  }
  return [...members];
}

/** A leader that is gone could have left its number to a stranger, so then the group counts only if vouched for. */
function isInGroup(info: ProcessInfo, { leader, groupIsOurs }: KillTarget): boolean {
  if (leader === undefined || (info.group !== leader.pid && info.session !== leader.pid)) return false;
  return groupIsOurs === true || isAlive(leader);
}

/**
 * Ends every process of the target and answers when none is left. SIGTERM first, if there is a grace period.
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when a process cannot be killed
 */
export async function killTree(target: KillTarget, graceMs: number): Promise<void> {
  let members = findMembers(target);
  if (graceMs > 0 && members.length > 0) {
    signalAll(members, "SIGTERM");
    await waitUntilGone(members, graceMs);
  }
  const deadline = performance.now() + KILL_DEADLINE_MS;
  // A fork can slip past one look at the table, not past two.
  for (let emptyLooks = 0; emptyLooks < 2; ) {
    members = findMembers(target);
    emptyLooks = members.length === 0 ? emptyLooks + 1 : 0;
    signalAll(members, "SIGKILL");
    await waitUntilGone(members, KILL_ROUND_MS);
    const [survivor] = members;
    if (survivor && performance.now() > deadline) {
      throw new NightshiftError(
        "E_SANDBOX_UNAVAILABLE",
        `process ${survivor.pid} cannot be killed (state ${survivor.state})`,
      );
    }
  }
}

function signalAll(members: readonly ProcessInfo[], signal: NodeJS.Signals): void {
  for (const member of members) {
    try {
      if (isAlive(member)) process.kill(member.pid, signal);
    } catch {
      // It ended in this moment, or belongs to another user; the next look at the table tells.
    }
  }
}

async function waitUntilGone(members: readonly ProcessInfo[], limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (members.some(isAlive) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
