/**
 * Sandboxes in memory: a small but whole implementation of the contract, whose commands a test can hold, whose
 * daemons it can kill, and which counts how often each execution really ran. Commands are `echo TEXT`,
 * `exit NUMBER`, `sleep MILLISECONDS` and `wait NAME` (until the test releases that name). Writes wait at `written`
 * before they report, provisioning waits at `provision`, connecting at `attach`, removing at `destroy`.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../src/core/clock.ts";
import { NightshiftError } from "../../src/core/errors.ts";
import type { ExecId, SandboxId } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/text.ts";
import type {
  ExecReply,
  ExecRequest,
  ExecResult,
  PrepareReply,
  Sandbox,
  SandboxBackend,
  SandboxHandle,
  SandboxSpec,
} from "../../src/sandbox/contract.ts";

interface Run {
  readonly incarnation: string;
  readonly outcome: Promise<ExecResult>;
  readonly killed: AbortController;
}

interface Daemon {
  readonly id: SandboxId;
  incarnation: string;
  lives: number;
  floor: number;
  isAlive: boolean;
  /** Rejects when this incarnation dies. */
  died: PromiseWithResolvers<never>;
  readonly runs: Map<ExecId, Run>;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const ended = (output: string, exitCode = 0): ExecResult => ({
  ending: "exited",
  exitCode,
  output,
  droppedBytes: 0,
  durationMs: 1,
});

/** The machine on which all sandboxes of a test live. */
export class MemorySandboxes implements SandboxBackend {
  readonly kind = "test";
  /** Contents by path; outlives the sandboxes, as a workspace does. */
  readonly files = new Map<string, string>();
  /** How often each execution ran. */
  readonly ran = new Map<string, number>();
  /** What was asked of the backend, in order. */
  readonly asked: string[] = [];
  /** The next so many provisions fail. */
  failures = 0;
  /** The next so many executions cannot be noted down, and so do not begin. */
  journalFailures = 0;
  /** Held back until released. */
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly #daemons = new Map<string, Daemon>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A point that nothing passes before {@link release}. */
  hold(name: string): void {
    this.#gates.set(name, Promise.withResolvers());
  }

  release(name: string): void {
    this.#gates.get(name)?.resolve();
    this.#gates.delete(name);
  }

  /** The daemons die, and what runs in them; the next provision starts new ones. */
  kill(): void {
    for (const daemon of this.#daemons.values()) {
      if (daemon.isAlive) daemon.died.reject(new NightshiftError("E_SANDBOX_LOST", `${daemon.id} died`));
      daemon.isAlive = false;
      for (const { killed } of daemon.runs.values()) killed.abort();
    }
  }

  /** Connections break; the daemons and what runs in them live on. */
  cutConnections(): void {
    for (const daemon of this.#daemons.values()) {
      daemon.died.reject(new NightshiftError("E_SANDBOX_LOST", `the connection to ${daemon.id} broke`));
      daemon.died = mortal();
    }
  }

  get alive(): number {
    return [...this.#daemons.values()].filter(({ isAlive }) => isAlive).length;
  }

  async provision(
    spec: SandboxSpec,
    signal: AbortSignal,
  ): Promise<{ readonly handle: SandboxHandle; readonly incarnation: string }> {
    this.asked.push("provision");
    await this.pass("provision", signal);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", "no sandbox to be had");
    }
    let daemon = this.#daemons.get(spec.id);
    if (daemon?.isAlive !== true) {
      const lives = (daemon?.lives ?? 0) + 1;
      daemon = {
        id: spec.id,
        incarnation: `${spec.id}/life-${lives}`,
        lives,
        floor: daemon?.floor ?? 0,
        isAlive: true,
        died: mortal(),
        runs: daemon?.runs ?? new Map(),
      };
      this.#daemons.set(spec.id, daemon);
    }
    return { handle: { id: spec.id }, incarnation: daemon.incarnation };
  }

  async attach(handle: SandboxHandle, epoch: number, signal: AbortSignal): Promise<Sandbox> {
    this.asked.push("attach");
    await this.pass("attach", signal);
    const daemon = this.#daemons.get(String(handle.id));
    if (daemon?.isAlive !== true) throw new NightshiftError("E_SANDBOX_LOST", `${handle.id} is gone`);
    if (epoch < daemon.floor) throw new NightshiftError("E_SANDBOX_STALE", `epoch ${epoch} is stale`);
    daemon.floor = epoch;
    return new MemorySandbox(this, daemon, epoch);
  }

  async destroy(id: SandboxId): Promise<void> {
    this.asked.push("destroy");
    await this.pass("destroy", new AbortController().signal);
    const daemon = this.#daemons.get(id);
    if (daemon === undefined) return;
    daemon.isAlive = false;
    daemon.died.reject(new NightshiftError("E_SANDBOX_LOST", `${id} was removed`));
    for (const { killed } of daemon.runs.values()) killed.abort();
    this.#daemons.delete(id);
  }

  /** Waits while a gate of this name is held. */
  async pass(name: string, signal: AbortSignal): Promise<void> {
    const gate = this.#gates.get(name);
    if (gate === undefined) return;
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    await Promise.race([gate.promise, aborted]);
  }

  /** One operation, once. */
  async run(request: ExecRequest, killed: AbortSignal): Promise<ExecResult> {
    const { execId, operation } = request;
    this.ran.set(execId, (this.ran.get(execId) ?? 0) + 1);
    const input = request.input as { readonly [key: string]: string };
    try {
      if (operation === "shell") return await this.#shell(input.command ?? "", killed);
      const path = input.file_path ?? "";
      if (operation === "read") return ended(this.files.get(path) ?? "(no such file)");
      const change = this.#change(path, String(input.content), request.expectedBefore);
      await this.pass("written", killed);
      return change;
    } catch (error) {
      if (!killed.aborted) throw error;
      return { ...ended(""), ending: "cancelled", exitCode: null };
    }
  }

  async #shell(command: string, killed: AbortSignal): Promise<ExecResult> {
    const [program, ...words] = command.split(" ");
    const argument = words.join(" ");
    if (program === "exit") return ended("", Number(argument));
    if (program === "sleep") await this.#clock.sleep(Number(argument), killed);
    if (program === "wait") await this.pass(argument, killed);
    return ended(argument);
  }

  #change(path: string, content: string, expected: string | null | undefined): ExecResult {
    const before = this.files.get(path);
    const hash = before === undefined ? null : sha256(before);
    if (expected !== undefined && expected !== hash)
      return { ...ended("changed"), ending: "refused", exitCode: null };
    this.files.set(path, content);
    return ended(`wrote ${path}`);
  }

  /** Notes an execution down before it begins. */
  journal(): void {
    if (this.journalFailures === 0) return;
    this.journalFailures -= 1;
    throw new NightshiftError("E_SANDBOX_UNAVAILABLE", "the disk is full");
  }

  prepare(input: Json): PrepareReply {
    const { file_path: path = "", content = "" } = input as { readonly [key: string]: string };
    const before = this.files.get(path);
    return {
      status: "prepared",
      path,
      before: before === undefined ? null : sha256(before),
      after: sha256(content),
    };
  }
}

function mortal(): PromiseWithResolvers<never> {
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  return died;
}

class MemorySandbox implements Sandbox {
  readonly id: SandboxId;
  readonly incarnation: string;
  readonly #machine: MemorySandboxes;
  readonly #daemon: Daemon;
  readonly #epoch: number;
  readonly #died: Promise<never>;

  constructor(machine: MemorySandboxes, daemon: Daemon, epoch: number) {
    this.id = daemon.id;
    this.incarnation = daemon.incarnation;
    this.#machine = machine;
    this.#daemon = daemon;
    this.#epoch = epoch;
    this.#died = daemon.died.promise;
  }

  async execute(
    request: ExecRequest,
    options: { readonly signal: AbortSignal; readonly onOutput?: (text: string) => void },
  ): Promise<ExecReply> {
    await this.#check();
    const { runs, incarnation } = this.#daemon;
    let run = runs.get(request.execId);
    if (run !== undefined && run.incarnation !== incarnation)
      return { status: "unknown", incarnation, reason: "the daemon died while it ran" };
    if (run === undefined && request.incarnation !== incarnation) {
      const covers = request.incarnation.startsWith(`${this.id}/`);
      return covers
        ? { status: "not_started", incarnation }
        : { status: "unknown", incarnation, reason: "that was another sandbox" };
    }
    if (run === undefined) {
      this.#machine.journal();
      const killed = new AbortController();
      run = { incarnation, killed, outcome: this.#machine.run(request, killed.signal) };
      runs.set(request.execId, run);
    }
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    options.signal.addEventListener("abort", () => reject(options.signal.reason), { once: true });
    const result = await Promise.race([run.outcome, this.#died, aborted]);
    await this.#check();
    options.onOutput?.(result.output);
    return { status: "finished", result };
  }

  async prepare(_operation: "write" | "edit", input: Json): Promise<PrepareReply> {
    await this.#check();
    return this.#machine.prepare(input);
  }

  async cancel(execId: ExecId): Promise<void> {
    await this.#check();
    this.#daemon.runs.get(execId)?.killed.abort();
  }

  detach(): void {
    this.#machine.asked.push("detach");
  }

  async #check(): Promise<void> {
    if (this.#epoch < this.#daemon.floor)
      throw new NightshiftError("E_SANDBOX_STALE", `epoch ${this.#epoch} is stale`);
    if (!this.#daemon.isAlive || this.#died !== this.#daemon.died.promise) await this.#died;
  }
}
