/** Finding processes of a session's sandboxes, and killing them. */
import { setTimeout as sleep } from "node:timers/promises";
import { readEgressRecord } from "../../../src/gateway/egress/record.ts";
import { readPodRecord } from "../../../src/sandbox/bubblewrap/pod-record.ts";
import { isAlive, listPids, readEnvironment, readProcess } from "../../../src/sandbox/daemon/processes.ts";
import { sandboxKey } from "../../../src/sandbox/daemon/record.ts";
import { readDockerRecord } from "../../../src/sandbox/docker/docker-record.ts";
import type { OwnEngine } from "../leftovers/own-engine.ts";
import { killHard, killHarness } from "../leftovers/scene.ts";
import type { CrashVictim } from "./matrix.ts";
import type { Stage } from "./stage.ts";

/** Daemons of all sandboxes that there are. */
export function daemonsOf(stage: Stage): number[] {
  const markers = stage.sandboxFolders().map((folder) => `${sandboxKey(folder)}.daemon`);
  if (markers.length === 0) return [];
  return listPids().filter((pid) => {
    const environment = readEnvironment(pid);
    return markers.some((marker) => environment.includes(marker));
  });
}

/** Processes 1 of all pods, as far as they are noted down. */
export function podsOf(stage: Stage): number[] {
  return stage.sandboxFolders().flatMap((folder) => {
    const inner = readPodRecord(folder)?.inner ?? readDockerRecord(folder)?.inner;
    return inner ? [inner.pid] : [];
  });
}

/** Stops them where they are. */
export function freeze(pids: readonly number[]): void {
  for (const pid of pids) send(pid, "SIGSTOP");
}

/** Lets them go on, those that are left. */
export function thaw(pids: readonly number[]): void {
  for (const pid of pids) send(pid, "SIGCONT");
}

/** Kills, verified dead. @throws when there is nobody to kill */
export async function strike(
  stage: Stage,
  victim: CrashVictim,
  engine: OwnEngine | undefined,
): Promise<void> {
  if (victim === "harness") return killHarness(stage.driver);
  if (victim === "engine") {
    if (engine === undefined) throw new Error("there is no engine that may be killed");
    return engine.kill();
  }
  const pids = { daemon: daemonsOf, pod: podsOf, proxy: proxiesOf }[victim](stage);
  const [first] = pids;
  if (first === undefined) throw new Error(`there is no ${victim} to kill`);
  for (const pid of pids) await killOne(pid);
}

function proxiesOf(stage: Stage): number[] {
  return stage.egressFolders().flatMap((folder) => {
    const record = readEgressRecord(folder);
    return record !== undefined && isAlive(record.process) ? [record.process.pid] : [];
  });
}

async function killOne(pid: number): Promise<void> {
  const identity = readProcess(pid);
  killHard(pid);
  while (identity !== undefined && isAlive(identity)) await sleep(1);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
