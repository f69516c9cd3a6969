/**
 * A simulated exec daemon: incarnation, journal, epoch floor, limits, and an end of its own when no harness has
 * contact. It does what the contract of the sandbox asks of a real one.
 */
import { NightshiftError } from "../../src/core/errors.ts";
import type { ExecId, SandboxId } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/text.ts";
import type {
  ExecReply,
  ExecRequest,
  ExecResult,
  PrepareReply,
  SandboxSpec,
} from "../../src/sandbox/contract.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Plan, Workspace } from "./workspace.ts";

/** What outlives a daemon, unless it is lost: executions by incarnation, and the floor. */
export interface DaemonJournal {
  floor: number;
  readonly incarnations: Map<string, Map<ExecId, { result: ExecResult | null }>>;
}

/** Told when something happens that the outside world can see. */
export interface EffectObserver {
  /** A run begins, asked for by a harness with the lease of that epoch. */
  onRun(request: ExecRequest, epoch: number, incarnation: string): void;
  /** The effect of a run happens. */
  onEffect(request: ExecRequest, epoch: number, incarnation: string): void;
}

/** One harness's line to the daemon. */
export interface DaemonLine {
  /** Under which it attached. */
  readonly epoch: number;
  /** Of its lease, which should be the same. */
  readonly leaseEpoch: number;
  /** Ends everything that waits on this line. */
  readonly broken: AbortController;
}

interface Execution {
  readonly request: ExecRequest;
  readonly leaseEpoch: number;
  readonly ended: PromiseWithResolvers<ExecResult>;
  readonly startedMs: number;
  timers: (() => void)[];
  result: ExecResult | null;
}

/** What a daemon is made of. */
export interface DaemonParts {
  readonly spec: SandboxSpec;
  readonly incarnation: string;
  readonly journal: DaemonJournal;
  readonly workspace: Workspace;
  readonly scheduler: Scheduler;
  readonly observer: EffectObserver;
  /** Called when it ends by itself. */
  readonly onAlone: () => void;
}

/** One life of a daemon. */
export class Daemon {
  readonly incarnation: string;
  readonly #parts: DaemonParts;
  readonly #entries: Map<ExecId, { result: ExecResult | null }>;
  readonly #executions = new Map<ExecId, Execution>();
  readonly #lines = new Set<DaemonLine>();
  #isAlive = true;
  #aloneTimer: () => void = () => undefined;

  constructor(parts: DaemonParts) {
    this.incarnation = parts.incarnation;
    this.#parts = parts;
    this.#entries = new Map();
    parts.journal.incarnations.set(parts.incarnation, this.#entries);
    this.#watchContact();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  isRunning(exec: ExecId): boolean {
    return this.#executions.get(exec)?.result === null;
  }

  /** Opens a line under an epoch and raises the floor; lines of lower epochs are refused from now on. */
  attach(epoch: number, leaseEpoch: number): DaemonLine {
    this.#checkAlive();
    const { journal, spec } = this.#parts;
    if (epoch < journal.floor) throw stale(spec.id);
    journal.floor = epoch;
    for (const line of this.#lines) {
      if (line.epoch < epoch) this.#drop(line, stale(spec.id));
    }
    const line = { epoch, leaseEpoch, broken: new AbortController() };
    this.#lines.add(line);
    this.#watchContact();
    return line;
  }

  /** Closes a line from the harness's side. */
  detach(line: DaemonLine): void {
    this.#drop(line, lost(this.#parts.spec.id));
  }

  /** @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE` */
  check(line: DaemonLine): void {
    if (line.broken.signal.aborted) throw line.broken.signal.reason;
    this.#checkAlive();
    if (line.epoch < this.#parts.journal.floor) throw stale(this.#parts.spec.id);
  }

  async execute(
    line: DaemonLine,
    request: ExecRequest,
    onOutput: (text: string) => void,
  ): Promise<ExecReply> {
    this.check(line);
    if (request.incarnation !== this.incarnation) return this.#answerForEarlier(request);
    const execution = this.#executions.get(request.execId) ?? this.#start(line, request, onOutput);
    if (JSON.stringify(execution.request.input) !== JSON.stringify(request.input))
      throw new NightshiftError("E_EXEC_MISMATCH", `${request.execId} came with another request`);
    return { status: "finished", result: await execution.ended.promise };
  }

  /** What a change would do. Touches nothing. */
  prepare(operation: "write" | "edit", input: Json): PrepareReply {
    return this.#parts.workspace.prepare(operation, input);
  }

  /** Kills a run; unknown ids are fine. */
  cancel(line: DaemonLine, execId: ExecId): void {
    this.check(line);
    const execution = this.#executions.get(execId);
    if (execution !== undefined && execution.result === null)
      this.#end(execution, { ending: "cancelled", exitCode: null, output: "" });
  }

  /** Ends it and all it runs, at once. */
  die(): void {
    this.#isAlive = false;
    this.#aloneTimer();
    for (const execution of this.#executions.values()) for (const cancel of execution.timers) cancel();
    for (const line of [...this.#lines]) this.#drop(line, lost(this.#parts.spec.id));
  }

  #start(line: DaemonLine, request: ExecRequest, onOutput: (text: string) => void): Execution {
    const { scheduler, observer, workspace } = this.#parts;
    observer.onRun(request, line.leaseEpoch, this.incarnation);
    const plan = workspace.plan(request);
    const execution: Execution = {
      request,
      leaseEpoch: line.leaseEpoch,
      ended: Promise.withResolvers(),
      startedMs: scheduler.monotonicMs(),
      timers: [],
      result: null,
    };
    this.#executions.set(request.execId, execution);
    if (plan.effectMs !== null) this.#entries.set(request.execId, { result: null });
    this.#schedule(execution, plan, onOutput);
    return execution;
  }

  /** The effect comes at its time, the end at its own; the wall limit may come before either. */
  #schedule(execution: Execution, plan: Plan, onOutput: (text: string) => void): void {
    const { scheduler, observer } = this.#parts;
    const { wallMs } = execution.request.limits;
    let done: { readonly output: string; readonly exitCode: number | null } | null = null;
    const perform = (): void => {
      done = plan.perform();
      if (plan.effectMs !== null && done.exitCode !== null)
        observer.onEffect(execution.request, execution.leaseEpoch, this.incarnation);
      onOutput(done.output);
    };
    const finish = (): void => {
      if (done === null) perform();
      const { output, exitCode } = done ?? { output: "", exitCode: null };
      this.#end(execution, { ending: exitCode === null ? "refused" : "exited", exitCode, output });
    };
    const timeOut = (): void => this.#end(execution, { ending: "timed_out", exitCode: null, output: "" });
    execution.timers = [
      scheduler.after(Math.min(plan.durationMs, wallMs), plan.durationMs > wallMs ? timeOut : finish),
    ];
    const { effectMs } = plan;
    if (effectMs !== null && effectMs < Math.min(plan.durationMs, wallMs))
      execution.timers.push(scheduler.after(effectMs, perform));
  }

  #end(execution: Execution, how: Pick<ExecResult, "ending" | "exitCode" | "output">): void {
    for (const cancel of execution.timers) cancel();
    const durationMs = this.#parts.scheduler.monotonicMs() - execution.startedMs;
    const result: ExecResult = { ...how, droppedBytes: 0, durationMs };
    execution.result = result;
    const entry = this.#entries.get(execution.request.execId);
    if (entry !== undefined) entry.result = result;
    execution.ended.resolve(result);
  }

  #answerForEarlier(request: ExecRequest): ExecReply {
    const { incarnation } = request;
    const entries = this.#parts.journal.incarnations.get(incarnation);
    if (entries === undefined) return { status: "unknown", incarnation, reason: "the journal was lost" };
    const entry = entries.get(request.execId);
    if (entry?.result) return { status: "finished", result: entry.result };
    if (entry !== undefined)
      return { status: "unknown", incarnation, reason: "the daemon died during the run" };
    if (["read", "glob", "grep"].includes(request.operation))
      return { status: "unknown", incarnation, reason: "reading is not journaled" };
    return { status: "not_started", incarnation };
  }

  #drop(line: DaemonLine, reason: NightshiftError): void {
    this.#lines.delete(line);
    line.broken.abort(reason);
    if (this.#isAlive) this.#watchContact();
  }

  #watchContact(): void {
    this.#aloneTimer();
    const { scheduler, spec, onAlone } = this.#parts;
    if (this.#lines.size === 0) this.#aloneTimer = scheduler.after(spec.noContactMs, onAlone);
  }

  #checkAlive(): void {
    if (!this.#isAlive) throw lost(this.#parts.spec.id);
  }
}

/** The sandbox is gone, or cannot be reached. */
export function lost(id: SandboxId | string): NightshiftError {
  return new NightshiftError("E_SANDBOX_LOST", `${id} does not answer`);
}

function stale(id: SandboxId): NightshiftError {
  return new NightshiftError("E_SANDBOX_STALE", `a newer harness has attached to ${id}`);
}
