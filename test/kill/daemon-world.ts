// Real work in a real sandbox whose daemon is killed, and what must be true of it afterwards.
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isNightshiftError } from "../../src/core/errors.ts";
import type { ExecId, SandboxId } from "../../src/core/ids.ts";
import type { ExecReply, ExecRequest, Sandbox, SandboxSpec } from "../../src/sandbox/contract.ts";
import { findMembers } from "../../src/sandbox/daemon/kill.ts";
import { isAlive } from "../../src/sandbox/daemon/processes.ts";
import { readRecord, sandboxKey } from "../../src/sandbox/daemon/record.ts";
import { createProcessBackend, type ProcessBackend } from "../../src/sandbox/process.ts";

export const NEVER: AbortSignal = new AbortController().signal;

const LIMITS = { wallMs: 20_000, outputBytes: 10_000 };

/** A repeatable source of numbers: a failing run names its seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Something that was asked for, and how to see how often it happened. */
export interface Work {
  readonly request: ExecRequest;
  /** Effects that can be seen from outside. */
  count(): number;
}

/** A state folder, a workspace, and one sandbox in them. */
export class DaemonWorld implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "nightshift-kill-"));
  readonly state: string = join(this.folder, "state");
  readonly workspace: string = join(this.folder, "workspace");
  readonly backend: ProcessBackend = createProcessBackend({ folder: this.state });
  readonly spec: SandboxSpec = {
    id: "sbox_kill_0" as SandboxId,
    workspace: this.workspace,
    noContactMs: 60_000,
    options: {},
  };
  #epoch = 0;
  #calls = 0;

  constructor() {
    mkdirSync(this.workspace);
  }

  get sandboxFolder(): string {
    return join(this.state, this.spec.id);
  }

  /** As a driver does after waking. */
  async wake(): Promise<Sandbox> {
    const { handle, incarnation } = await this.backend.provision(this.spec, NEVER);
    const sandbox = await this.backend.attach(handle, ++this.#epoch, NEVER);
    assert.equal(sandbox.incarnation, incarnation);
    return sandbox;
  }

  /** Processes of the sandbox, the daemon among them. */
  survivors(): number[] {
    return findMembers({ marker: `${sandboxKey(this.sandboxFolder)}.` }).map(({ pid }) => pid);
  }

  async killDaemon(): Promise<void> {
    const record = readRecord(this.sandboxFolder);
    assert.ok(record, "a daemon runs");
    process.kill(record.process.pid, "SIGKILL");
    while (isAlive(record.process)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** A command whose runs are counted, and which takes some milliseconds. */
  command(incarnation: string, pauseMs: number): Work {
    const name = `counter-${this.#calls}`;
    const pause = (pauseMs / 1000).toFixed(3);
    const command = `echo run >> ${name}; sleep ${pause}; setsid -f sleep 300; echo $RANDOM end`;
    const count = (): number => readText(join(this.workspace, name)).split("\n").length - 1;
    return { request: this.#request(incarnation, "shell", { command }), count };
  }

  /** A write of a file of its own. */
  write(incarnation: string): Work {
    const name = `written-${this.#calls}`;
    const content = `${name}\n`.repeat(20_000);
    const count = (): number => {
      const text = readText(join(this.workspace, name));
      assert.ok(text === "" || text === content, `${name} is whole or not there: ${text.length} characters`);
      return text === "" ? 0 : 1;
    };
    const request = this.#request(incarnation, "write", { file_path: name, content });
    return { request: { ...request, expectedBefore: null }, count };
  }

  leftovers(): string[] {
    return readdirSync(this.workspace).filter((name) => name.endsWith(".tmp"));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #request(
    incarnation: string,
    operation: ExecRequest["operation"],
    input: ExecRequest["input"],
  ): ExecRequest {
    const execId = `sesn_kill/c1_${this.#calls++}/1` as ExecId;
    return { execId, incarnation, operation, input, limits: LIMITS };
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The reply, or undefined when the sandbox was lost before it came. */
export async function replyOrLost(sandbox: Sandbox, work: Work): Promise<ExecReply | undefined> {
  try {
    return await sandbox.execute(work.request, { signal: NEVER });
  } catch (error) {
    assert.ok(isNightshiftError(error, "E_SANDBOX_LOST"), String(error));
    return undefined;
  }
}

/** What a reply promises about the world. */
export function checkPromise(work: Work, reply: ExecReply): void {
  const count = work.count();
  const { execId, operation } = work.request;
  const what = `${operation} ${execId}: ${reply.status}, and it happened ${count} times`;
  if (reply.status === "finished") assert.equal(count, 1, what);
  else if (reply.status === "not_started") assert.equal(count, 0, what);
  else assert.ok(count <= 1, what);
}
