/** What the cases need from whoever runs them, and what they share. */
import { strict as assert } from "node:assert";
import type { Clock } from "../../core/clock.ts";
import { type ErrorCode, isNightshiftError } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type {
  ExecReply,
  ExecRequest,
  ExecResult,
  Operation,
  Sandbox,
  SandboxBackend,
  SandboxHandle,
  SandboxSpec,
} from "../contract.ts";

/** A harness in a process of its own. */
export interface OtherHarness {
  /** As `kill -9` does. Resolves when it is dead. */
  kill(): Promise<void>;
}

/** A backend with an empty workspace. Disposing of it destroys its sandbox. */
export interface SandboxRig extends AsyncDisposable {
  readonly backend: SandboxBackend;
  readonly spec: SandboxSpec;
  /** Absolute path of a folder outside of the workspace, for what a case makes. */
  readonly folder: string;
  /** A variable of the harness's own environment that no command may see. */
  readonly canary: { readonly name: string; readonly value: string };
  /** Attaches from another process and sends a request from there; resolves when it has been sent. */
  startHarness(handle: SandboxHandle, epoch: number, request: ExecRequest): Promise<OtherHarness>;
  /** Kills the daemon, and nothing else, as a crash would. */
  crash(): Promise<void>;
  /** Kills the pod from outside, and nothing else; only where there is one. */
  crashPod(): Promise<void>;
  /** Largest memory that the daemon has ever had, in bytes. */
  peakMemory(): number;
  /** Descriptions of the sandbox's daemons: one, but for the moment in which several are being started. */
  daemons(): readonly string[];
  /** Descriptions of every process of this sandbox that lives, its daemon among them. */
  survivors(): readonly string[];
  /** Paths of what is left of the sandbox outside of the workspace. */
  remains(): readonly string[];
}

/** A backend under test. */
export interface SandboxSubject {
  /** Backend name as in the registry. */
  readonly kind: string;
  /** Commands are kept apart from the machine and under limits. Without it, the cases about isolation make no sense. */
  readonly isolates: boolean;
  /** A real one: processes do not know any other. */
  readonly clock: Clock;
  open(options?: RigOptions): Promise<SandboxRig>;
}

/** How a rig is to be. */
export interface RigOptions {
  readonly noContactMs?: number;
  /** More of the spec, from the path of the rig's folder. */
  readonly spec?: (folder: string) => Partial<SandboxSpec>;
}

/** Plenty, so that only cases about limits meet them. */
export const LIMITS = { wallMs: 30_000, outputBytes: 100_000 } as const;

/** A signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

const PATIENCE_MS = 15_000;
const POLL_MS = 10;

/** What one execution may say about itself; the rest has defaults. */
export type RequestOptions = Partial<Pick<ExecRequest, "execId" | "incarnation" | "expectedBefore">> &
  Partial<ExecRequest["limits"]>;

/** A provisioned sandbox, attached under an epoch. */
export class Bench implements AsyncDisposable {
  readonly rig: SandboxRig;
  readonly clock: Clock;
  handle: SandboxHandle = {};
  /** By what means limits hold. */
  limits: { readonly [limit: string]: string } = {};
  #sandbox: Sandbox | undefined;
  #calls = 0;

  private constructor(subject: SandboxSubject, rig: SandboxRig) {
    this.clock = subject.clock;
    this.rig = rig;
  }

  /** A fresh sandbox, attached under epoch 1. */
  static async open(subject: SandboxSubject, options: RigOptions = {}): Promise<Bench> {
    const bench = new Bench(subject, await subject.open(options));
    await bench.provision();
    await bench.attach(1);
    return bench;
  }

  /** The latest connection. */
  get sandbox(): Sandbox {
    assert.ok(this.#sandbox, "attached");
    return this.#sandbox;
  }

  async provision(): Promise<string> {
    const { handle, incarnation, limits } = await this.rig.backend.provision(this.rig.spec, NEVER);
    this.handle = handle;
    this.limits = limits ?? {};
    return incarnation;
  }

  /** A new connection, which becomes the latest one. */
  async attach(epoch: number): Promise<Sandbox> {
    this.#sandbox = await this.rig.backend.attach(this.handle, epoch, NEVER);
    return this.#sandbox;
  }

  request(operation: Operation, input: Json, options: RequestOptions = {}): ExecRequest {
    const { execId, incarnation, expectedBefore, ...limits } = options;
    return {
      execId: execId ?? (`sesn_conformance/c1_${this.#calls++}/1` as ExecId),
      incarnation: incarnation ?? this.sandbox.incarnation,
      operation,
      input,
      limits: { ...LIMITS, ...limits },
      ...(expectedBefore === undefined ? {} : { expectedBefore }),
    };
  }

  ask(request: ExecRequest, signal: AbortSignal = NEVER): Promise<ExecReply> {
    return this.sandbox.execute(request, { signal });
  }

  /** The result of a request that has to finish. */
  async perform(operation: Operation, input: Json, options?: RequestOptions): Promise<ExecResult> {
    return finished(await this.ask(this.request(operation, input, options)));
  }

  /** The result of a command. */
  run(command: string, options?: RequestOptions): Promise<ExecResult> {
    return this.perform("shell", { command }, options);
  }

  /** What a command that has to succeed printed. */
  async output(command: string): Promise<string> {
    const result = await this.run(command);
    assert.equal(result.exitCode, 0, `${command}: ${JSON.stringify(result)}`);
    return result.output;
  }

  /** How often a command like `echo >> counter` has run. */
  async count(file: string): Promise<number> {
    return Number(await this.output(`cat ${file} 2>/dev/null | wc -l`));
  }

  /** Which of the processes whose ids are in a file live; zombies do not. */
  async alive(file: string): Promise<string[]> {
    const output = await this.output(
      `for pid in $(cat ${file}); do grep -qv ') Z ' /proc/$pid/stat 2>/dev/null && echo $pid; done; true`,
    );
    return output.split("\n").filter((line) => line !== "");
  }

  /** Waits until a command succeeds. */
  untilSucceeds(command: string): Promise<void> {
    return this.until(command, async () => (await this.run(command)).exitCode === 0);
  }

  /** Waits until a file is there, starting no process. */
  untilFile(path: string): Promise<void> {
    const look = async (): Promise<boolean> =>
      (await this.perform("glob", { pattern: path })).output === `${path}\n`;
    return this.until(path, look);
  }

  /** Waits for something to become true, but not for ever. */
  async until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const startMs = this.clock.monotonicMs();
    while (!(await isTrue())) {
      assert.ok(this.clock.monotonicMs() - startMs < PATIENCE_MS, `${what} within ${PATIENCE_MS} ms`);
      await this.clock.sleep(POLL_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sandbox?.detach();
    await this.rig[Symbol.asyncDispose]();
  }
}

/** The result, if that is what the reply is. */
export function finished(reply: ExecReply): ExecResult {
  assert.equal(reply.status, "finished", JSON.stringify(reply));
  return reply.status === "finished" ? reply.result : assert.fail();
}

/** Sees to it that a promise is rejected with a code. */
export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isNightshiftError(error, code), `rejects with ${code}, not ${String(error)}`);
    return true;
  });
}
