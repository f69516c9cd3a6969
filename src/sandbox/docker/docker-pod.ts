/** A container that runs, and the end of those that are left. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { removePipeFolder } from "../bubblewrap/pipe-folder.ts";
import { endProcesses } from "../bubblewrap/pod-record.ts";
import { isAlive, type ProcessIdentity } from "../daemon/processes.ts";
import { sandboxKey } from "../daemon/record.ts";
import { type Controller, forgiveDead, type GroupPlan, memoryKills } from "../limits/control-group.ts";
import { findHierarchies } from "../limits/hierarchies.ts";
import type { LimitsInForce, Pod } from "../pod/contract.ts";
import { containerName, LABEL } from "./container.ts";
import { readDockerRecord, removeDockerRecord } from "./docker-record.ts";
import { Engine } from "./engine.ts";

const WATCH_MS = 1_000;
/** The runner ends when its wire does; whoever takes longer is ended. */
const GOODBYE_MS_MAX = 2_000;
const POLL_MS = 5;

/** What a pod is made of. */
export interface PodParts {
  readonly wire: Duplex;
  readonly engine: Engine;
  readonly folder: string;
  /** Process 1. */
  readonly inner: ProcessIdentity;
  readonly limits: LimitsInForce;
  /** How many processes may live. */
  readonly processes: number;
}

/** One container, watched through its process and its wire: the engine itself may be started anew meanwhile. */
export class DockerPod implements Pod {
  readonly wire: Duplex;
  readonly limits: LimitsInForce;
  readonly ended: Promise<{ readonly reason: string }>;
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #inner: ProcessIdentity;
  readonly #memory: GroupPlan | undefined;
  readonly #counting: GroupPlan | undefined;
  readonly #processes: number;
  #killsSeen: number;
  #ending: Promise<void> | undefined;

  constructor({ wire, engine, folder, inner, limits, processes }: PodParts) {
    this.wire = wire;
    this.limits = limits;
    this.#engine = engine;
    this.#folder = folder;
    this.#inner = inner;
    this.#processes = processes;
    this.#memory = groupOf(inner, "memory");
    this.#counting = groupOf(inner, "pids");
    this.#killsSeen = this.#kills();
    this.ended = this.#watch();
  }

  tookMemoryKill(): boolean {
    this.#forgiveDead();
    const kills = this.#kills();
    const isNew = kills > this.#killsSeen;
    this.#killsSeen = kills;
    return isNew;
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.wire.destroy();
    await endProcesses([this.#inner]);
    // Not by the record: whoever has removed the sandbox's folder has removed that, too.
    await removeFromEngine(this.#engine, sandboxKey(this.#folder));
    await sweepContainers(this.#folder);
  }

  async #watch(): Promise<{ readonly reason: string }> {
    const closed = new Promise<void>((resolve) => this.wire.once("close", resolve));
    const gone = new AbortController();
    await Promise.race([closed, whenGone(this.#inner, WATCH_MS, gone.signal)]);
    gone.abort();
    const deadline = performance.now() + GOODBYE_MS_MAX;
    while (isAlive(this.#inner) && performance.now() < deadline) await sleep(POLL_MS);
    await endProcesses([this.#inner]).catch(() => undefined);
    return { reason: await this.#reason() };
  }

  async #reason(): Promise<string> {
    try {
      const state = await this.#engine.inspectContainer(this.#name);
      return state === undefined ? "the container was removed" : `the container ended with ${state.exitCode}`;
    } catch {
      return "the container ended, and its engine does not say why";
    }
  }

  #forgiveDead(): void {
    if (this.#counting === undefined) return;
    const limit = forgiveDead(this.#counting, this.#processes);
    // Should the engine not answer, the next command asks again.
    if (limit !== undefined) void this.#engine.limitProcesses(this.#name, limit).catch(() => undefined);
  }

  get #name(): string {
    return containerName(sandboxKey(this.#folder));
  }

  #kills(): number {
    return this.#memory === undefined ? 0 : memoryKills(this.#memory);
  }
}

/** Ends what the engine holds for this folder, verified gone. Idempotent; asks no engine when nothing is noted down. */
export async function sweepContainers(folder: string): Promise<void> {
  const record = readDockerRecord(folder);
  if (record === undefined) return;
  // It dies with or without its engine.
  if (record.inner !== null) await endProcesses([record.inner]);
  await removeFromEngine(await Engine.open(record.engine), sandboxKey(folder));
  rmSync(join(folder, "pod"), { recursive: true, force: true });
  removePipeFolder(folder);
  removeDockerRecord(folder);
}

/**
 * Removes container and volume of a sandbox, if they are its own. Idempotent.
 * @returns false when the engine keeps the volume's name for now; nothing is mounted and nothing runs even then
 */
export async function removeFromEngine(engine: Engine, key: string): Promise<boolean> {
  const name = containerName(key);
  const container = await engine.inspectContainer(name);
  if (container?.labels[LABEL] === key) await engine.removeContainer(name);
  const volume = await engine.inspectVolume(name);
  if (volume?.[LABEL] !== key) return true;
  const mounted = await engine.removeVolume(name);
  if (mounted === undefined) return true;
  // Only root can; for others the engine does it when it is started anew.
  spawnSync("umount", ["--lazy", "--", mounted], { stdio: "ignore" });
  return false;
}

async function whenGone(identity: ProcessIdentity, intervalMs: number, signal: AbortSignal): Promise<void> {
  while (isAlive(identity) && !signal.aborted) {
    await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Where the kernel counts for the container, if this process may see it. */
function groupOf({ pid }: ProcessIdentity, controller: Controller): GroupPlan | undefined {
  try {
    const mountInfo = readFileSync("/proc/self/mountinfo", "utf8");
    const found = findHierarchies(mountInfo, readFileSync(`/proc/${pid}/cgroup`, "utf8"));
    const hierarchy =
      found.find(({ version, controllers }) => version === 1 && controllers.includes(controller)) ??
      found.find(({ version }) => version === 2);
    if (hierarchy === undefined) return undefined;
    return { version: hierarchy.version, folder: hierarchy.own, controllers: [controller] };
  } catch {
    return undefined;
  }
}
