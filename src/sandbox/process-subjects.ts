/** The `process` backend as a subject of the conformance suite. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../core/clock.ts";
import type { SandboxId } from "../core/ids.ts";
import type { OtherHarness, SandboxRig, SandboxSubject } from "./conformance.ts";
import type { ExecRequest, SandboxBackend, SandboxHandle, SandboxSpec } from "./contract.ts";
import { findMembers, killTree } from "./daemon/kill.ts";
import { isAlive } from "./daemon/processes.ts";
import { readRecord, sandboxKey } from "./daemon/record.ts";
import { createProcessBackend } from "./process.ts";

const CANARY = { name: "NIGHTSHIFT_CONFORMANCE_CANARY", value: "canary-7e57ab1e" } as const;
const ID = "sbox_conformance_0" as SandboxId;
/** Long folder names are normal for state folders, and longer than a socket's address may be. */
const LONG_NAME: string = "a-state-folder-with-a-long-name-".repeat(4);

/** Subjects by backend name. */
export function processSubjects(clock: Clock): readonly SandboxSubject[] {
  return [{ kind: "process", clock, open: async (options) => new ProcessRig(options?.noContactMs) }];
}

class ProcessRig implements SandboxRig {
  readonly backend: SandboxBackend;
  readonly spec: SandboxSpec;
  readonly canary: SandboxRig["canary"] = CANARY;
  readonly #folder: string;
  readonly #state: string;

  constructor(noContactMs = 60_000) {
    process.env[CANARY.name] = CANARY.value;
    this.#folder = mkdtempSync(join(tmpdir(), "nightshift-sandbox-"));
    this.#state = join(this.#folder, LONG_NAME);
    const workspace = join(this.#folder, "workspace");
    mkdirSync(workspace);
    this.backend = createProcessBackend({ folder: this.#state });
    this.spec = { id: ID, workspace, noContactMs, options: {} };
  }

  get #sandboxFolder(): string {
    return join(this.#state, ID);
  }

  async startHarness(handle: SandboxHandle, epoch: number, request: ExecRequest): Promise<OtherHarness> {
    const entry = import.meta.url.endsWith(".ts") ? "./process-harness.ts" : "./process-harness.js";
    const child = spawn(process.execPath, [fileURLToPath(new URL(entry, import.meta.url))], {
      stdio: ["pipe", "pipe", "inherit"],
    });
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
    process.kill(record.process.pid, "SIGKILL");
    while (isAlive(record.process)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  peakMemory(): number {
    const pid = readRecord(this.#sandboxFolder)?.process.pid;
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(peak) * 1024;
  }

  survivors(): readonly string[] {
    return findMembers({ marker: `${sandboxKey(this.#sandboxFolder)}.` }).map(
      ({ pid, startTime }) => `${pid} since ${startTime}`,
    );
  }

  remains(): readonly string[] {
    return existsSync(this.#sandboxFolder) ? [this.#sandboxFolder] : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.backend.destroy(ID, undefined);
    await killTree({ marker: `${sandboxKey(this.#sandboxFolder)}.` }, 0);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
