/** How each step is made to stand still, without a clock: by a file, an answer or a process that waits. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readDockerRecord } from "../../../src/sandbox/docker/docker-record.ts";
import type { CrashStep } from "./matrix.ts";
import type { Stage } from "./stage.ts";
import { daemonsOf, freeze, podsOf, strike, thaw } from "./victims.ts";
import { LAST, MIDDLE } from "./workload.ts";

/** The moment had passed before it could be held; that says nothing about the harness. */
export class Missed extends Error {}

/** Starts a harness and answers when it stands in the step. @returns what lets it go on */
type Reach = (stage: Stage) => Promise<() => void>;

/** By step. */
export const REACH: { readonly [step in CrashStep]: Reach } = {
  provision: reachDaemon,
  "provision: pod": reachPod,
  exec: reachExec,
  checkpoint: reachCheckpoint,
  restore: reachRestore,
  destroy: reachDestroy,
  "layer: fetch": reachFetch,
  "layer: build": reachBuild,
};

/** Bubblewrap waits before it begins; else the daemon is stopped as soon as it is there. */
async function reachDaemon(stage: Stage): Promise<() => void> {
  if (stage.cell.backend === "bubblewrap") {
    stage.brake.arm("--unshare-all");
    stage.start();
    await stage.until("the start of a pod", () => stage.brake.isHeld);
    return () => stage.brake.release();
  }
  stage.start();
  const daemons = await newDaemons(stage);
  freeze(daemons);
  const isTooLate = stage.sandboxFolders().some((folder) => readDockerRecord(folder)) || isPublished(stage);
  if (isTooLate) throw new Missed("the pod was begun too soon");
  return () => thaw(daemons);
}

/** The daemon is stopped when its pod is noted down, and before it serves. */
async function reachPod(stage: Stage): Promise<() => void> {
  stage.start();
  const daemons = await newDaemons(stage);
  await stage.until("the pod", () => podsOf(stage).length > 0);
  freeze(daemons);
  if (isPublished(stage)) throw new Missed("the sandbox was ready too soon");
  return () => thaw(daemons);
}

async function newDaemons(stage: Stage): Promise<readonly number[]> {
  let daemons: readonly number[] = [];
  await stage.until("the daemon", () => {
    daemons = daemonsOf(stage);
    return daemons.length > 0;
  });
  return daemons;
}

function isPublished(stage: Stage): boolean {
  return stage.sandboxFolders().some((folder) => existsSync(join(folder, "daemon.json")));
}

/** A command waits for the answer of the counter. */
async function reachExec(stage: Stage): Promise<() => void> {
  stage.counter.hold(MIDDLE);
  stage.start();
  await stage.until("the command", () => stage.counter.count(MIDDLE) > 0);
  return () => stage.counter.letGo();
}

/** The import of the first checkpoint's files waits. */
async function reachCheckpoint(stage: Stage): Promise<() => void> {
  stage.brake.arm("fast-import");
  stage.start();
  await stage.until("the checkpoint", () => stage.brake.isHeld);
  return () => stage.brake.release();
}

/** The sandbox is lost during a command; the question which files a checkpoint has waits. */
async function reachRestore(stage: Stage): Promise<() => void> {
  await reachExec(stage);
  stage.brake.arm("--raw");
  await strike(stage, "daemon", undefined);
  await stage.until("the restore", () => stage.brake.isHeld);
  return () => {
    stage.brake.release();
    stage.counter.letGo();
  };
}

/** The daemon is stopped before it is asked to end. */
async function reachDestroy(stage: Stage): Promise<() => void> {
  stage.counter.hold(LAST);
  stage.start();
  await stage.until("the last command", () => stage.counter.count(LAST) > 0);
  stage.brake.arm("fast-import");
  stage.counter.letGo();
  await stage.until("the last checkpoint", () => stage.brake.isHeld);
  const daemons = daemonsOf(stage);
  freeze(daemons);
  stage.brake.release();
  const isAsked = async (): Promise<boolean> =>
    (await stage.log()).some(({ type }) => type === "sandbox.destroy_requested");
  await stage.until("the end of the sandbox", isAsked);
  return () => thaw(daemons);
}

/** The registry does not answer. */
async function reachFetch(stage: Stage): Promise<() => void> {
  const { registry } = stage.project;
  registry?.hold(true);
  stage.start();
  await stage.until("the fetch", () => (registry?.requests.length ?? 0) > 0);
  return () => {
    registry?.hold(false);
    stage.project.letBuildsGo(stage.stateFolder);
  };
}

/** The dependency's own script waits. */
async function reachBuild(stage: Stage): Promise<() => void> {
  stage.start();
  await stage.until("the build", () => stage.project.waitingBuilds(stage.stateFolder).length > 0);
  return () => stage.project.letBuildsGo(stage.stateFolder);
}
