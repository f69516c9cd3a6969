/**
 * Sandboxes that are exec daemons, whatever their commands run in: one folder per sandbox, whose name follows from
 * the sandbox id, so that a crash at any moment leaves nothing that a second `provision` or a `destroy` does not find.
 */
import { mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NightshiftError } from "../../core/errors.ts";
import type { SandboxId } from "../../core/ids.ts";
import type {
  Fence,
  ProvisionedSandbox,
  Sandbox,
  SandboxBackend,
  SandboxHandle,
  SandboxSpec,
} from "../contract.ts";
import { attachToDaemon } from "./attached-sandbox.ts";
import { DaemonClient } from "./client.ts";
import type { Environment } from "./environment.ts";
import { Floors } from "./fence.ts";
import { killTree } from "./kill.ts";
import type { PodSetup } from "./main.ts";
import { bootId } from "./processes.ts";
import type { Greeting } from "./protocol.ts";
import { type DaemonRecord, openSandboxFolder, readRecord, sandboxKey } from "./record.ts";
import { type StartOutcome, startDaemon } from "./start.ts";

/** What is special about a backend. */
export interface DaemonKind {
  /** Backend name as in the registry. */
  readonly kind: string;
  /** Absolute; holds a folder per sandbox. */
  readonly folder: string;
  /** Looks, before anything is made, whether this can work. @throws NightshiftError `E_SANDBOX_UNAVAILABLE` */
  check(spec: SandboxSpec): void | Promise<void>;
  /** What commands see. */
  environment(spec: SandboxSpec): Environment;
  /** Where commands run; absent: beside the daemon. */
  pod?(spec: SandboxSpec): PodSetup;
  /** Ends what a daemon that is dead has left behind besides processes that carry the sandbox's marker. */
  sweep?(folder: string): Promise<void>;
}

const PROVISION_MS_MAX = 20_000;
const ATTEMPTS_MAX = 5;
const RETRY_MS = 25;
const PROBE_MS_MAX = 2_000;
const SHUTDOWN_MS_MAX = 30_000;

/** A backend of daemons. */
export class DaemonSandboxes implements SandboxBackend {
  readonly kind: string;
  readonly #kind: DaemonKind;
  readonly #folder: string;

  constructor(kind: DaemonKind) {
    this.kind = kind.kind;
    this.#kind = kind;
    this.#folder = kind.folder;
  }

  async provision(spec: SandboxSpec, signal: AbortSignal): Promise<ProvisionedSandbox> {
    if (process.platform !== "linux") {
      throw unavailable(`the sandbox ${this.kind} needs Linux: it finds what commands have started in /proc`);
    }
    if (spec.fence !== undefined) this.#floors().raise(spec.fence);
    checkWorkspace(spec.workspace);
    await this.#kind.check(spec);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const folder = openSandboxFolder(this.#folderOf(spec.id));
    const deadline = performance.now() + PROVISION_MS_MAX;
    let problem = "it did not answer";
    for (let attempt = 1; ; ) {
      signal.throwIfAborted();
      const found = await probe(folder);
      if (found !== undefined) {
        checkSameWorkspace(found, spec);
        await this.#endIfStale(folder, spec);
        const { incarnation, limits } = found;
        return { handle: { backend: this.kind, folder }, incarnation, ...(limits ? { limits } : {}) };
      }
      const outcome = await this.#start(folder, spec, signal);
      // Another harness is starting it, or its daemon ended ours while cleaning up: then it answers soon.
      if (outcome.status === "failed" || outcome.status === "ended") problem = outcome.message;
      if (outcome.status === "failed" && attempt++ >= ATTEMPTS_MAX) break;
      if (performance.now() > deadline) break;
      if (outcome.status !== "ready") await sleep(RETRY_MS);
    }
    throw new NightshiftError(
      "E_SANDBOX_UNAVAILABLE",
      `the daemon of sandbox ${spec.id} cannot be started: ${problem}`,
      { retryable: true, hint: `Look into ${join(folder, "daemon.log")}.` },
    );
  }

  async attach(handle: SandboxHandle, epoch: number, signal: AbortSignal): Promise<Sandbox> {
    const folder = handle["folder"];
    if (typeof folder !== "string") {
      throw new NightshiftError("E_SANDBOX_LOST", "this handle names no sandbox folder");
    }
    const id = (folder.split("/").at(-1) ?? "") as SandboxId;
    const record = readRecord(folder);
    if (record === undefined) {
      throw new NightshiftError("E_SANDBOX_LOST", `sandbox ${id} has no running daemon (${folder})`);
    }
    return attachToDaemon({ folder, socket: record.socket, token: record.token }, id, epoch, signal);
  }

  async destroy(id: SandboxId, handle: SandboxHandle | undefined, fence?: Fence): Promise<void> {
    if (fence !== undefined) this.#floors().raise(fence);
    const named = handle?.["folder"];
    const path = typeof named === "string" ? named : this.#folderOf(id);
    // A handle comes from a log; what it names is removed only if it is a sandbox of this id.
    if (basename(path) !== id) throw unavailable(`${path} is not the folder of sandbox ${id}`);
    const exists = statSync(path, { throwIfNoEntry: false }) !== undefined;
    const folder = exists ? openSandboxFolder(path) : path;
    const record = readRecord(folder);
    const isOver = record !== undefined && (await shutDown(folder, record));
    // The daemon carries the marker too, from its first moment; so this finds one that has no record yet.
    // One that is about to end has no environment any more, and so no marker.
    const leader = record?.boot === bootId() ? { leader: record.process } : {};
    await killTree({ marker: `${sandboxKey(folder)}.`, isOver, ...leader }, 0);
    await this.#kind.sweep?.(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** A higher epoch may have come while it was made: then nobody may be left with it who does not know of it. */
  async #endIfStale(folder: string, { id, fence }: SandboxSpec): Promise<void> {
    if (fence === undefined) return;
    try {
      this.#floors().check(fence);
    } catch (stale) {
      await this.#endUnlessTaken(folder, id, fence.epoch);
      throw stale;
    }
  }

  /** Who has attached under a higher epoch has taken it over. */
  async #endUnlessTaken(folder: string, id: SandboxId, epoch: number): Promise<void> {
    try {
      const limit = AbortSignal.timeout(PROBE_MS_MAX);
      (await this.attach({ backend: this.kind, folder }, epoch, limit)).detach();
    } catch {
      return;
    }
    await this.destroy(id, { folder });
  }

  #floors(): Floors {
    return new Floors(`${realPathOf(this.#folder)}.floors`);
  }

  #start(folder: string, spec: SandboxSpec, signal: AbortSignal): Promise<StartOutcome> {
    const pod = this.#kind.pod?.(spec);
    const environment = this.#kind.environment(spec);
    return startDaemon({ folder, spec, environment, ...(pod ? { pod } : {}) }, signal);
  }

  #folderOf(id: SandboxId): string {
    if (!/^[A-Za-z0-9_-]{1,120}$/.test(id)) {
      throw unavailable(`${JSON.stringify(id)} is no sandbox id`);
    }
    return join(realPathOf(this.#folder), id);
  }
}

function unavailable(message: string): NightshiftError {
  return new NightshiftError("E_SANDBOX_UNAVAILABLE", message);
}

/** Folders count under their real path, so that a link to the state folder makes no second sandbox. */
function realPathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function checkWorkspace(workspace: string): void {
  const found = isAbsolute(workspace) ? statSync(workspace, { throwIfNoEntry: false }) : undefined;
  if (!found?.isDirectory())
    throw unavailable(`the workspace ${workspace} is not an existing absolute folder`);
}

function checkSameWorkspace(found: Greeting, spec: SandboxSpec): void {
  if (found.workspace === realpathSync(spec.workspace)) return;
  throw unavailable(`sandbox ${spec.id} exists with another workspace, ${found.workspace}`);
}

/** Who serves the folder, if anybody does. */
async function probe(folder: string): Promise<Greeting | undefined> {
  const record = readRecord(folder);
  if (record === undefined) return undefined;
  try {
    const client = await DaemonClient.open({ folder, ...record }, PROBE_MS_MAX);
    client.close();
    return client.greeting;
  } catch {
    return undefined;
  }
}

/**
 * Asks the daemon to end everything and itself; if it does not answer, its process is killed by the caller.
 * @returns whether it has ended everything
 */
async function shutDown(folder: string, record: DaemonRecord): Promise<boolean> {
  try {
    const client = await DaemonClient.open({ folder, ...record }, PROBE_MS_MAX);
    await client.call({ method: "shutdown" }, { signal: AbortSignal.timeout(SHUTDOWN_MS_MAX) });
    client.close();
    return true;
  } catch {
    // Dead, or deaf: the marker finds its process.
    return false;
  }
}
