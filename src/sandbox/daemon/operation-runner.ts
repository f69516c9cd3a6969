/** Begins executions: commands as processes, everything else inside the daemon. */

import { hash } from "node:crypto";
import { closeSync } from "node:fs";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecRequest, ExecResult, PrepareReply } from "../contract.ts";
import { parseReadInput, parseSearchInput, parseShellInput, type ShellInput } from "../inputs.ts";
import { CommandRun } from "./command-run.ts";
import type { Environment } from "./environment.ts";
import type { Run, RunHooks, Runner } from "./executions.ts";
import { reasonOf } from "./files.ts";
import { type KillTarget, killTree } from "./kill.ts";
import { failed, type OperationContext, type OperationOutcome, refused } from "./operations.ts";
import type { PipePool } from "./pipes.ts";
import type { ProcessIdentity } from "./processes.ts";
import { readOperation } from "./read-operation.ts";
import { globOperation, grepOperation } from "./search-operations.ts";
import { Slots } from "./slots.ts";
import { pendingChange, prepareChange } from "./write-operation.ts";

/** Where and with what executions happen. */
export interface RunnerOptions {
  /** The workspace, without symbolic links. */
  readonly root: string;
  readonly environment: Environment;
  readonly pipes: PipePool;
  /** The shell that understands `-c`. */
  readonly shell: string;
  /** Begins every marker of this sandbox. */
  readonly key: string;
  /** Nothing but executions runs here, so what belongs to none of them dies with any that is ended. */
  readonly isPod?: boolean;
  /** Begins commands; see `CommandOptions`. */
  readonly reaper?: string;
}

/** The executions of a real sandbox. */
export class OperationRunner implements Runner {
  readonly #options: RunnerOptions;
  /** Changes are made one at a time, so that checking a file and replacing it belong together. */
  readonly #changes = new Slots(1, Number.POSITIVE_INFINITY);
  /** The first processes of the groups of commands. */
  readonly #leaders = new Map<ExecId, ProcessIdentity>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  async begin(request: ExecRequest, hooks: RunHooks): Promise<Run> {
    switch (request.operation) {
      case "shell": {
        const parsed = parseShellInput(request.input);
        return parsed.ok
          ? this.#beginCommand(request, parsed.value, hooks)
          : settled(refused(parsed.problem));
      }
      case "write":
      case "edit":
        return this.#beginChange(request, request.operation, hooks);
      case "read": {
        const parsed = parseReadInput(request.input);
        if (!parsed.ok) return settled(refused(parsed.problem));
        return this.#beginLookup(request, (context) => readOperation(parsed.value, context));
      }
      default: {
        const parsed = parseSearchInput(request.input);
        if (!parsed.ok) return settled(refused(parsed.problem));
        const search = request.operation === "glob" ? globOperation : grepOperation;
        return this.#beginLookup(request, (context) => search(parsed.value, context));
      }
    }
  }

  async sweep(exec: ExecId): Promise<void> {
    const leader = this.#leaders.get(exec);
    const group = leader === undefined ? {} : { leader, groupIsOurs: true };
    await killTree({ marker: this.#marker(exec), ...group, ...this.#strays() }, 0);
  }

  #strays(): Pick<KillTarget, "strays"> {
    // Anywhere else, every process of the machine would be a stray.
    if (this.#options.isPod !== true || process.pid !== 1) return {};
    const leaders = (): ProcessIdentity[] => [...this.#leaders.values()];
    return { strays: { marker: `${this.#options.key}.`, leaders } };
  }

  prepare(operation: "write" | "edit", input: Json): Promise<PrepareReply> {
    return prepareChange(this.#options.root, operation, input);
  }

  #marker(exec: ExecId): string {
    return `${this.#options.key}.${shortHash(exec)}`;
  }

  async #beginCommand(request: ExecRequest, input: ShellInput, hooks: RunHooks): Promise<Run> {
    const { limits, execId } = request;
    const pipe = await this.#options.pipes.take();
    try {
      await hooks.begun();
    } catch (error) {
      closeSync(pipe.readEnd);
      closeSync(pipe.writeEnd);
      throw error;
    }
    const run = new CommandRun({
      argv: [this.#options.shell, "-c", input.command],
      folder: this.#options.root,
      environment: this.#options.environment,
      marker: this.#marker(execId),
      limits: { ...limits, wallMs: Math.min(limits.wallMs, input.timeoutMs ?? limits.wallMs) },
      pipe,
      onSpawn: (process) => {
        this.#leaders.set(execId, process);
        hooks.spawned(process);
      },
      onOutput: hooks.output,
      ...(this.#options.reaper === undefined ? {} : { reaper: this.#options.reaper }),
      ...this.#strays(),
    });
    void run.gone.then(() => this.#leaders.delete(execId));
    return run;
  }

  /** A change is short and cannot be taken back half-way, so stopping it means waiting for its end. */
  #beginChange(request: ExecRequest, operation: "write" | "edit", hooks: RunHooks): Run {
    const startedAt = performance.now();
    const done = this.#change(request, operation, hooks).then((outcome) => timed(outcome, startedAt));
    return { done, stop: async () => void (await done) };
  }

  async #change(
    request: ExecRequest,
    operation: "write" | "edit",
    hooks: RunHooks,
  ): Promise<OperationOutcome> {
    await this.#changes.take(NEVER);
    try {
      const unique = shortHash(request.execId);
      const change = await pendingChange(this.#options.root, operation, request.input, unique);
      if (!change.ok) return refused(change.problem);
      await hooks.begun(change.value.temporary);
      return await change.value.apply(request.expectedBefore);
    } finally {
      this.#changes.give();
    }
  }

  #beginLookup({ limits }: ExecRequest, look: (context: OperationContext) => Promise<OperationOutcome>): Run {
    const startedAt = performance.now();
    const stopped = new AbortController();
    const timer = setTimeout(() => stopped.abort("timed_out"), limits.wallMs);
    const { root, environment } = this.#options;
    const done = look({ root, limits, environment, signal: stopped.signal })
      .catch((error: unknown) => (stopped.signal.aborted ? aborted(stopped.signal) : failed(reasonOf(error))))
      .then((outcome) => timed(outcome, startedAt))
      .finally(() => clearTimeout(timer));
    const stop = async (ending: "cancelled"): Promise<void> => {
      stopped.abort(ending);
      await done;
    };
    return { done, stop };
  }
}

const NEVER: AbortSignal = new AbortController().signal;

function settled(outcome: OperationOutcome): Run {
  return { done: Promise.resolve({ ...outcome, durationMs: 0 }), stop: async () => undefined };
}

function timed(outcome: OperationOutcome, startedAt: number): ExecResult {
  return { ...outcome, durationMs: Math.round(performance.now() - startedAt) };
}

function aborted(signal: AbortSignal): OperationOutcome {
  const ending = signal.reason === "timed_out" ? "timed_out" : "cancelled";
  return { ending, exitCode: null, output: "", droppedBytes: 0 };
}

/** Short enough for a file name, long enough to be unique among the executions of a sandbox. */
export function shortHash(text: string): string {
  return hash("sha256", text, "hex").slice(0, 20);
}
