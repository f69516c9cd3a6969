/**
 * The `process` backend: the exec daemon as an ordinary process of this machine. **It is no isolation**: commands
 * run with all rights of the user, can read every file that the user can read and reach every host. It exists for
 * trusted work, for containers that are a sandbox themselves, and for tests.
 *
 * The daemon is started in a session of its own and outlives the harness. Everything about it is found through the
 * sandbox's folder, whose name follows from the sandbox id; so a crash at any moment leaves nothing that a second
 * `provision` or a `destroy` does not find.
 */
import { existsSync, mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NightshiftError } from "../core/errors.ts";
import type { SandboxId } from "../core/ids.ts";
import type { Sandbox, SandboxBackend, SandboxHandle, SandboxSpec } from "./contract.ts";
import { attachToDaemon } from "./daemon/attached-sandbox.ts";
import { DaemonClient } from "./daemon/client.ts";
import { killTree } from "./daemon/kill.ts";
import type { Greeting } from "./daemon/protocol.ts";
import { type DaemonRecord, openSandboxFolder, readRecord, sandboxKey } from "./daemon/record.ts";
import { startDaemon } from "./process-start.ts";

/** Settings of the `process` backend. */
export interface ProcessBackendOptions {
  /** Absolute; holds a folder per sandbox. */
  readonly folder: string;
}

/** A backend that says what is dangerous about it. */
export interface ProcessBackend extends SandboxBackend {
  /** One sentence that a person must see before work begins. */
  readonly warning: string;
}

const PROVISION_MS_MAX = 20_000;
const ATTEMPTS_MAX = 5;
const RETRY_MS = 25;
const PROBE_MS_MAX = 2_000;
const SHUTDOWN_MS_MAX = 30_000;

/** Makes the `process` backend. Loud by intent: see the warning. */
export function createProcessBackend(options: ProcessBackendOptions): ProcessBackend {
  return new ProcessSandboxes(options.folder);
}

class ProcessSandboxes implements ProcessBackend {
  readonly kind = "process";
  readonly warning =
    "sandbox `process` is no isolation: commands run with all your rights, files, network and credentials";
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async provision(
    spec: SandboxSpec,
    signal: AbortSignal,
  ): Promise<{ readonly handle: SandboxHandle; readonly incarnation: string }> {
    if (!existsSync("/proc/self/stat")) {
      throw unavailable("the sandbox `process` needs Linux: it finds what commands have started in /proc");
    }
    checkWorkspace(spec.workspace);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const folder = openSandboxFolder(this.#folderOf(spec.id));
    const deadline = performance.now() + PROVISION_MS_MAX;
    let problem = "it did not answer";
    for (let attempt = 1; ; ) {
      signal.throwIfAborted();
      const found = await probe(folder);
      if (found !== undefined) {
        checkSameWorkspace(found, spec);
        return { handle: { backend: this.kind, folder }, incarnation: found.incarnation };
      }
      const outcome = await startDaemon(folder, spec, signal);
      // Another harness is starting it, or its daemon ended ours while cleaning up: then it answers soon.
      if (outcome.status === "failed") problem = outcome.message;
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

  async destroy(id: SandboxId, handle: SandboxHandle | undefined): Promise<void> {
    const named = handle?.["folder"];
    const path = typeof named === "string" ? named : this.#folderOf(id);
    // A handle comes from a log; what it names is removed only if it is a sandbox of this id.
    if (basename(path) !== id) throw unavailable(`${path} is not the folder of sandbox ${id}`);
    const exists = statSync(path, { throwIfNoEntry: false }) !== undefined;
    const folder = exists ? openSandboxFolder(path) : path;
    const record = readRecord(folder);
    if (record !== undefined) await shutDown(folder, record);
    // The daemon carries the marker too, from its first moment; so this finds one that has no record yet.
    await killTree({ marker: `${sandboxKey(folder)}.` }, 0);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
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

/** Asks the daemon to end everything and itself; if it does not answer, its process is killed by the caller. */
async function shutDown(folder: string, record: DaemonRecord): Promise<void> {
  try {
    const client = await DaemonClient.open({ folder, ...record }, PROBE_MS_MAX);
    await client.call({ method: "shutdown" }, { signal: AbortSignal.timeout(SHUTDOWN_MS_MAX) });
    client.close();
  } catch {
    // Dead, or deaf: the marker finds its process.
  }
}
