/** What is noted down of a pod's processes, so that they are found after a crash of the daemon. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NightshiftError } from "../../core/errors.ts";
import { bootId, isAlive, type ProcessIdentity } from "../daemon/processes.ts";

/** The processes of one pod, seen from outside. */
export interface PodRecord {
  readonly boot: string;
  /** Bubblewrap's own process, which waits for the pod. */
  readonly outer: ProcessIdentity;
  /** Process 1 of the pod: with it, the kernel ends all others. Null: not known yet. */
  readonly inner: ProcessIdentity | null;
}

const RECORD_FILE = "pod.json";
const KILL_MS_MAX = 20_000;
const POLL_MS = 2;

/** Not synced: a loss of power takes the pod with it. */
export function writePodRecord(folder: string, record: Omit<PodRecord, "boot">): void {
  const path = join(folder, RECORD_FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify({ boot: bootId(), ...record })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The pod that was last noted down, unless the machine was started anew since. */
export function readPodRecord(folder: string): PodRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD_FILE), "utf8")) as PodRecord;
    return record.boot === bootId() && typeof record.outer.pid === "number" ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets the pod. */
export function removePodRecord(folder: string): void {
  rmSync(join(folder, RECORD_FILE), { force: true });
}

/** Ends these processes, verified gone. @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when one cannot be killed */
export async function endProcesses(processes: readonly ProcessIdentity[]): Promise<void> {
  const deadline = performance.now() + KILL_MS_MAX;
  for (;;) {
    const alive = processes.filter(isAlive);
    for (const { pid } of alive) kill(pid);
    const [first] = alive;
    if (first === undefined) return;
    if (performance.now() > deadline) {
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `process ${first.pid} of a pod cannot be killed`);
    }
    await sleep(POLL_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended in this moment.
  }
}
