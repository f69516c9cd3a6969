/** One control group of ours: a folder that the kernel fills. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a group limits. */
export type Controller = "memory" | "pids" | "cpu";

/** A group and what it holds. */
export interface GroupPlan {
  readonly version: 1 | 2;
  /** Absolute. */
  readonly folder: string;
  readonly controllers: readonly Controller[];
}

const CPU_PERIOD_MICROSECONDS = 100_000;
const CPU_QUOTA_MICROSECONDS_MIN = 1_000;
/** The dead take some memory of the kernel, so even they have a limit. */
const DEAD_FACTOR_MAX = 30;

/** Makes the group, or finds it made. */
export function makeGroup({ folder }: GroupPlan): void {
  mkdirSync(folder, { recursive: true });
}

/** Puts the limits of one controller in force. @throws when the kernel refuses */
export function limitMemory({ version, folder }: GroupPlan, bytes: number): void {
  if (version === 2) {
    writeFileSync(join(folder, "memory.max"), String(bytes));
    writeIfPresent(join(folder, "memory.swap.max"), "0");
    return;
  }
  // The sum with swap may not be below memory alone, in either direction; a second try covers a change downwards.
  const sum = join(folder, "memory.memsw.limit_in_bytes");
  writeIfPresent(sum, String(bytes));
  writeFileSync(join(folder, "memory.limit_in_bytes"), String(bytes));
  writeIfPresent(sum, String(bytes));
}

/** Processes and threads at the same time. @throws when the kernel refuses */
export function limitProcesses({ folder }: GroupPlan, processes: number): void {
  writeFileSync(join(folder, "pids.max"), String(processes));
}

/** Cores; may be a fraction. @throws when the kernel refuses */
export function limitCpus({ version, folder }: GroupPlan, cpus: number): void {
  const quota = Math.max(Math.round(cpus * CPU_PERIOD_MICROSECONDS), CPU_QUOTA_MICROSECONDS_MIN);
  if (version === 2) {
    writeFileSync(join(folder, "cpu.max"), `${quota} ${CPU_PERIOD_MICROSECONDS}`);
    return;
  }
  writeFileSync(join(folder, "cpu.cfs_period_us"), String(CPU_PERIOD_MICROSECONDS));
  writeFileSync(join(folder, "cpu.cfs_quota_us"), String(quota));
}

/** How often the kernel has killed in the group for want of memory, as long as it exists. */
export function memoryKills({ version, folder }: GroupPlan): number {
  const text = readIfPresent(join(folder, version === 2 ? "memory.events" : "memory.oom_control"));
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/**
 * Lets a group have as many processes as it may although dead ones still count. Process 1 of a pod is no `init`: what
 * loses its parent and ends is never waited for, and stays in the kernel's table until the pod ends. It has ended all
 * the same, and holds nothing but its number.
 * @param processes - how many may live
 * @returns the limit to set where this process may not write it
 */
export function forgiveDead({ folder }: Pick<GroupPlan, "folder">, processes: number): number | undefined {
  const counted = Number(readIfPresent(join(folder, "pids.current")));
  if (!(counted > processes / 2)) return undefined;
  const dead = Math.max(counted - livingThreads(folder), 0);
  const limit = processes + Math.min(dead, processes * DEAD_FACTOR_MAX);
  const file = join(folder, "pids.max");
  writeIfPresent(file, String(limit));
  return readIfPresent(file).trim() === String(limit) ? undefined : limit;
}

function livingThreads(folder: string): number {
  let threads = 0;
  for (const pid of membersOf({ folder })) {
    const status = readIfPresent(`/proc/${pid}/status`);
    if (!/^State:\tZ/m.test(status)) threads += Number(/^Threads:\t(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return threads;
}

/** Pids of its processes; none when the group is gone. */
export function membersOf({ folder }: Pick<GroupPlan, "folder">): number[] {
  return readIfPresent(join(folder, "cgroup.procs"))
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0);
}

/** One blow at all of its processes; nothing in it can fork any more, so that repeating it comes to an end. */
export function strike({ folder }: Pick<GroupPlan, "folder">): void {
  writeIfPresent(join(folder, "pids.max"), "0");
  writeIfPresent(join(folder, "cgroup.kill"), "1");
  for (const pid of membersOf({ folder })) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended in this moment.
    }
  }
}

/** True when the group is gone; false while something still holds it. */
export function removeGroup({ folder }: Pick<GroupPlan, "folder">): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Files of the kernel are there or not; writing must not make one up. */
function writeIfPresent(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "r+" });
  } catch {
    // This kernel or group has no such file, or has it closed by a limit further up.
  }
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
