/**
 * Killing everything that an execution has started. A process belongs to it when it carries the execution's
 * marker in its environment (inherited through setsid, nohup and double forks), is in its process group or
 * session, or descends from one that does.
 *
 * Without a process namespace this is a search, and a search can be fled from: so processes are killed as they are
 * found, the newest first, and an empty search counts only when nothing ended under its eyes. What it cannot find
 * is a process that has emptied its environment, left its session and lost its parent: that takes intent. Where
 * all processes there are were started by executions (in a pod), these strays can be named, and die too.
 */
import { NightshiftError } from "../../core/errors.ts";
import {
  isAlive,
  listPids,
  type ProcessIdentity,
  type ProcessInfo,
  readEnvironment,
  readProcess,
  ZOMBIE,
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
  /** In a pod: what belongs to nobody belongs to the target too. */
  readonly strays?: Strays;
  /** Whoever could start more of it has ended all of it already: then it takes no third look at a busy machine. */
  readonly isOver?: boolean;
}

/** How to tell whom a process in a pod belongs to. */
export interface Strays {
  /** Occurs in the environment of everything that has not emptied it. */
  readonly marker: string;
  /** The first processes of the executions that run. */
  leaders(): readonly ProcessIdentity[];
}

/** How long processes may take to end after SIGTERM. */
export const TERM_GRACE_MS = 500;
const POLL_MS = 5;
const KILL_ROUND_MS = 250;
const KILL_DEADLINE_MS = 20_000;
/** On a busy machine strangers come and go all the time, so this doubt has an end. */
const UNSURE_LOOKS_MAX = 50;
/**
 * A process has no environment for a moment while it begins another program, so one look makes no stray; but who
 * is always a new process would never be looked at twice.
 */
const LENIENT_LOOKS = 3;
const NOTHING: Buffer = Buffer.alloc(0);

const NOBODY: ReadonlySet<number> = new Set();

/** The living processes of a target, never this one. */
export function findMembers(target: KillTarget): ProcessInfo[] {
  return [...search(target, () => undefined, NOBODY).members];
}

/**
 * Ends every process of the target and answers when none is left. SIGTERM first, if there is a grace period.
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when a process cannot be killed
 */
export async function killTree(target: KillTarget, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    const members = findMembers(target);
    for (const member of members) send(member, "SIGTERM");
    await waitUntilGone(members, graceMs);
  }
  const deadline = performance.now() + KILL_DEADLINE_MS;
  let unsureLooks = 0;
  let doubtful: ReadonlySet<number> = new Set();
  let looks = 0;
  // A fork can slip past one look at the table, not past two.
  for (let emptyLooks = 0; emptyLooks < 2; ) {
    killGroup(target);
    const suspects = looks++ < LENIENT_LOOKS ? doubtful : undefined;
    const look = search(target, (member) => send(member, "SIGKILL"), suspects);
    const isSure = !look.hasVanished && [...look.doubtful].every((pid) => doubtful.has(pid));
    doubtful = look.doubtful;
    const isClear = look.members.length === 0 && !look.hasStrays;
    const isEmpty = isClear && (isSure || target.isOver === true || ++unsureLooks > UNSURE_LOOKS_MAX);
    emptyLooks = isEmpty ? emptyLooks + 1 : 0;
    await waitUntilGone(look.members, KILL_ROUND_MS);
    const survivor = look.members.find(isAlive);
    if (survivor && performance.now() > deadline) {
      const { pid, state } = survivor;
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `process ${pid} cannot be killed (state ${state})`);
    }
  }
}

interface Look {
  readonly members: readonly ProcessInfo[];
  /**
   * Zombies and processes without an environment. If they were so at the last look too, they are what they seem;
   * else they may have left a successor behind since they were listed, or be about to run another program.
   */
  readonly doubtful: ReadonlySet<number>;
  /** Something ended between being listed and being looked at. */
  readonly hasVanished: boolean;
  /** Something seems to belong to nobody, and is no member yet. */
  readonly hasStrays: boolean;
}

/**
 * One look at all processes, the newest first.
 * @param suspects - strays are members only if they are among these; undefined: all are
 */
function search(
  target: KillTarget,
  onMember: (member: ProcessInfo) => void,
  suspects?: ReadonlySet<number>,
): Look {
  const marker = Buffer.from(target.marker);
  const members = new Map<number, ProcessInfo>();
  const others: ProcessInfo[] = [];
  const owned = new Set<number>();
  const doubtful = new Set<number>();
  let hasVanished = false;
  const add = (info: ProcessInfo): void => {
    members.set(info.pid, info);
    onMember(info);
  };
  for (const pid of listPids()) {
    if (pid === process.pid) continue;
    const info = readProcess(pid, { zombies: true });
    if (info === undefined) {
      hasVanished = true;
      continue;
    }
    const environment = info.state === ZOMBIE ? NOTHING : readEnvironment(pid);
    if (environment.length === 0) doubtful.add(pid);
    if (info.state === ZOMBIE) continue;
    if (environment.includes(marker) || isInGroup(info, target)) add(info);
    else others.push(info);
    if (target.strays && environment.includes(target.strays.marker)) owned.add(info.pid);
  }
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    for (const info of others) if (members.has(info.parent) && !members.has(info.pid)) add(info);
  }
  const strays = target.strays ? straysAmong(others, members, owned, target.strays) : [];
  for (const info of strays) {
    doubtful.add(info.pid);
    if (suspects === undefined || suspects.has(info.pid)) add(info);
  }
  const hasStrays = strays.some(({ pid }) => !members.has(pid));
  return { members: [...members.values()], doubtful, hasVanished, hasStrays };
}

/** Those that nobody vouches for: no marker of their own or of an ancestor, no group of an execution that runs. */
function straysAmong(
  others: readonly ProcessInfo[],
  members: ReadonlyMap<number, ProcessInfo>,
  owned: Set<number>,
  strays: Strays,
): ProcessInfo[] {
  const leaders = new Set(
    strays
      .leaders()
      .filter(isAlive)
      .map(({ pid }) => pid),
  );
  const rest = others.filter(({ pid }) => !members.has(pid));
  for (const info of rest) if (leaders.has(info.group) || leaders.has(info.session)) owned.add(info.pid);
  for (let size = -1; size !== owned.size; ) {
    size = owned.size;
    for (const info of rest) if (owned.has(info.parent)) owned.add(info.pid);
  }
  return rest.filter(({ pid }) => !owned.has(pid));
}

/** A leader that is gone could have left its number to a stranger, so then the group counts only if vouched for. */
function isInGroup(info: ProcessInfo, { leader, groupIsOurs }: KillTarget): boolean {
  if (leader === undefined || (info.group !== leader.pid && info.session !== leader.pid)) return false;
  return groupIsOurs === true || isAlive(leader);
}

/** The kernel signals a whole group at once: nothing in it can flee by forking. */
function killGroup({ leader, groupIsOurs }: KillTarget): void {
  if (leader === undefined || !(groupIsOurs === true && isAlive(leader))) return;
  try {
    process.kill(-leader.pid, "SIGKILL");
  } catch {
    // It ended in this moment.
  }
}

function send(member: ProcessInfo, signal: NodeJS.Signals): void {
  try {
    if (isAlive(member)) process.kill(member.pid, signal);
  } catch {
    // It ended in this moment, or belongs to another user; the next look at the table tells.
  }
}

async function waitUntilGone(members: readonly ProcessInfo[], limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (members.some(isAlive) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
