/** What the conformance suite needs to know of sandboxes that are exec daemons. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxId } from "../../core/ids.ts";
import type { OtherHarness, RigOptions, SandboxRig } from "../conformance/subject.ts";
import type { ExecRequest, SandboxBackend, SandboxHandle, SandboxSpec } from "../contract.ts";
import { findMembers, killTree } from "./kill.ts";
import { isAlive, listPids, type ProcessIdentity, readEnvironment } from "./processes.ts";
import { readRecord, sandboxKey } from "./record.ts";

const CANARY = { name: "NIGHTSHIFT_CONFORMANCE_CANARY", value: "canary-7e57ab1e" } as const;
const ID = "sbox_conformance_0" as SandboxId;
/** Long folder names are normal for state folders, and longer than a socket's address may be. */
const LONG_NAME: string = "a-state-folder-with-a-long-name-".repeat(4);

/** What is special about one backend's rig. */
export interface DaemonRigParts {
  /** @param folder - absolute; for what the backend keeps */
  createBackend(folder: string): SandboxBackend;
  /** Path of a program that is a harness: it takes its task from stdin. */
  readonly harness: string;
  /** The process that holds everything else of a sandbox alive, besides its daemon. */
  podOf?(sandboxFolder: string): ProcessIdentity | undefined;
}

/** A daemon's sandbox under test. */
export class DaemonRig implements SandboxRig {
  readonly backend: SandboxBackend;
  readonly spec: SandboxSpec;
  readonly canary: SandboxRig["canary"] = CANARY;
  readonly folder: string;
  readonly #parts: DaemonRigParts;
  readonly #state: string;

  constructor(parts: DaemonRigParts, options: RigOptions = {}) {
    process.env[CANARY.name] = CANARY.value;
    this.#parts = parts;
    this.folder = mkdtempSync(join(tmpdir(), "nightshift-sandbox-"));
    this.#state = join(this.folder, LONG_NAME);
    const workspace = join(this.folder, "workspace");
    mkdirSync(workspace);
    this.backend = parts.createBackend(this.#state);
    const { noContactMs = 60_000, spec } = options;
    this.spec = { id: ID, workspace, noContactMs, options: {}, ...spec?.(this.folder) };
  }

  async startHarness(handle: SandboxHandle, epoch: number, request: ExecRequest): Promise<OtherHarness> {
    const child = spawn(process.execPath, [this.#parts.harness], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(JSON.stringify({ folder: this.#state, handle, epoch, request }));
    await once(child.stdout, "data");
    return {
      kill: async () => {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      },
    };
  }

  async crash(): Promise<void> {
    const record = readRecord(this.#sandboxFolder);
    if (record === undefined) throw new Error("there is no daemon to crash");
    await end(record.process);
  }

  async crashPod(): Promise<void> {
    const pod = this.#parts.podOf?.(this.#sandboxFolder);
    if (pod === undefined) throw new Error("there is no pod to crash");
    await end(pod);
  }

  peakMemory(): number {
    const daemon = readRecord(this.#sandboxFolder)?.process;
    const pod = this.#parts.podOf?.(this.#sandboxFolder);
    return Math.max(...[daemon, pod].flatMap((each) => (each === undefined ? [] : peakMemoryOf(each.pid))));
  }

  daemons(): readonly string[] {
    const marker = `${sandboxKey(this.#sandboxFolder)}.daemon`;
    return listPids()
      .filter((pid) => readEnvironment(pid).includes(marker))
      .map(String);
  }

  survivors(): readonly string[] {
    const marker = `${sandboxKey(this.#sandboxFolder)}.`;
    return findMembers({ marker }).map(({ pid, startTime }) => `${pid} since ${startTime}`);
  }

  remains(): readonly string[] {
    return existsSync(this.#sandboxFolder) ? [this.#sandboxFolder] : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backend.destroy(ID, undefined);
    await killTree({ marker: `${sandboxKey(this.#sandboxFolder)}.` }, 0);
    // The kernel keeps a folder of its own there, and lets nobody look into it.
    const kept = this.spec.overlay && join(this.spec.overlay.work, "work");
    if (kept !== undefined && existsSync(kept)) chmodSync(kept, 0o700);
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #sandboxFolder(): string {
    return join(this.#state, ID);
  }
}

async function end(identity: ProcessIdentity): Promise<void> {
  process.kill(identity.pid, "SIGKILL");
  while (isAlive(identity)) await new Promise((resolve) => setTimeout(resolve, 1));
}

function peakMemoryOf(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(peak) * 1024;
}
