/**
 * One simulation: a machine, the processes on it, the sandboxes and the provider beside it, and the judge who sees
 * all of them. This file connects; what each part does is told in its own.
 */
import type { EventInput } from "../../src/core/events/index.ts";
import type { ExecId, SandboxId, Sequence, SessionId } from "../../src/core/ids.ts";
import type { SealedEvent } from "../../src/core/seal.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import { createScriptedModel, type ScriptedModel } from "../../src/model/scripted.ts";
import type { Notification } from "../../src/runtime/notify/contract.ts";
import type { ExecRequest } from "../../src/sandbox/contract.ts";
import { aimOf } from "./aim.ts";
import { CheckoutHost, type Files } from "./checkouts.ts";
import type { FaultPlan } from "./faults.ts";
import { FaultInjector } from "./faults.ts";
import { createInvariants } from "./invariants/index.ts";
import { type Invariant, Judge } from "./judge.ts";
import { ObservedLog } from "./log.ts";
import { Machine } from "./machine.ts";
import { Population } from "./population.ts";
import type { Process, Striker } from "./process.ts";
import { Random } from "./random.ts";
import { SandboxHost, serviceOf } from "./sandbox.ts";
import type { Scene } from "./scene.ts";
import { Scheduler } from "./scheduler.ts";
import type { Writer } from "./store.ts";
import { Trace } from "./trace.ts";
import { planWorkload, type Workload } from "./workload.ts";
import { WorldActions } from "./world-actions.ts";

/** What a simulation is made from. */
export interface WorldOptions {
  readonly seed: number;
  readonly template: string;
  readonly faults: FaultPlan;
  /** Absent: the one of the seed. */
  readonly workload?: Workload;
  /** Looks besides those of the invariants. */
  readonly watch?: readonly Invariant[];
}

/** Everything there is in one simulation. */
export class World implements Scene {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly judge: Judge;
  readonly machine: Machine;
  readonly sandboxes: SandboxHost;
  readonly checkouts = new CheckoutHost();
  readonly faults: FaultInjector;
  readonly workload: Workload;
  readonly population: Population;
  readonly actions: WorldActions;
  readonly logs = new Map<SessionId, ObservedLog>();
  /** Newest lease of each session. */
  readonly #epochs = new Map<SessionId, number>();
  /** Newest lease under which somebody has attached to the session's sandbox. */
  readonly #attached = new Map<SessionId, number>();
  readonly #changed = new Map<SessionId, number>();
  readonly #models = new Map<string, ScriptedModel>();
  readonly #random: Random;

  constructor({ seed, template, faults, workload, watch = [] }: WorldOptions) {
    this.#random = new Random(`seed ${seed}`);
    const random = (label: string): Random => this.#random.fork(label);
    this.scheduler = new Scheduler(random("scheduler"));
    this.trace = new Trace(this.scheduler);
    this.workload = workload ?? planWorkload(random("workload"), aimOf(faults.target));
    this.judge = new Judge([...createInvariants(this.workload.dayCaps), ...watch], ({ promise, detail }) =>
      this.trace.note("judge", promise, detail),
    );
    this.machine = new Machine({
      scheduler: this.scheduler,
      random: random("machine"),
      template,
      clock: this.scheduler,
      probe: { isDead: ({ harness }) => this.population.isDead(harness) },
    });
    this.sandboxes = new SandboxHost({
      scheduler: this.scheduler,
      random: random("sandboxes"),
      trace: this.trace,
      checkouts: this.checkouts,
      onBegin: (session, files, epoch) => this.#begin(session, files, epoch),
      observer: {
        onRun: (request, epoch, incarnation) => this.judge.onRun(this.#run(request, epoch, incarnation)),
        onEffect: (request, epoch, incarnation) => this.#noteEffect(request, epoch, incarnation),
      },
    });
    const striker: Striker = { strike: (...moment) => this.faults.strike(...moment) };
    const surroundings = { scheduler: this.scheduler, trace: this.trace, striker };
    this.population = new Population(this, surroundings, random("population"));
    this.actions = new WorldActions(this, this.population, random("actions"));
    this.faults = new FaultInjector(faults, this.actions, random("faults"), this.trace);
  }

  log(session: SessionId): ObservedLog {
    const log = this.logs.get(session) ?? new ObservedLog(session);
    this.logs.set(session, log);
    return log;
  }

  sessionOf(label: string): SessionId | null {
    const found = [...this.logs.values()].filter((log) => log.label === label);
    return found.at(-1)?.session ?? null;
  }

  newestEpoch(session: SessionId): number {
    return this.#epochs.get(session) ?? 0;
  }

  provider(label: string): ScriptedModel {
    const existing = this.#models.get(label);
    if (existing !== undefined) return existing;
    const plan = this.workload.sessions.find((session) => session.label === label);
    const clock = {
      wallMs: () => this.scheduler.wallMs(),
      monotonicMs: () => this.scheduler.monotonicMs(),
      bootMs: () => this.scheduler.bootMs(),
      sleep: (ms: number, signal?: AbortSignal) => this.#sleep(ms, signal),
    };
    const model = createScriptedModel(plan?.respond ?? { turns: [] }, { clock, idleMs: 90_000 });
    this.#models.set(label, model);
    return model;
  }

  /** Reads what has been committed, judges it, and lets the others notice. */
  onCommit(session: SessionId, writer: Writer): void {
    const log = this.log(session);
    const { observer } = this.machine;
    for (const row of observer.rows(session, log.rows.length)) {
      const event = log.add(row, (hash) => observer.blob(hash));
      this.trace.note("log", `${log.label}#${row.seq}`, row.type);
      const isRunning = (exec: ExecId): boolean => this.sandboxes.isRunning(exec);
      const { checkouts } = this;
      const newestEpoch = this.newestEpoch(session);
      this.judge.onEvent({ log, row, event, writer, newestEpoch, checkouts, isRunning });
    }
    this.machine.announce();
  }

  onAcknowledged(session: SessionId, firstSeq: number, events: readonly SealedEvent[]): void {
    const log = this.log(session);
    const missing = events.findIndex((event, index) => {
      const row = log.rows[firstSeq - 1 + index];
      return row === undefined || row.type !== event.type || row.body !== event.body;
    });
    if (missing !== -1)
      this.judge.complain("acknowledged-is-kept", `event ${firstSeq + missing} is not in the log`);
    const head = this.machine.observer.head(session);
    if (head.seq < firstSeq + events.length - 1)
      this.judge.complain(
        "heads-agree",
        `the head of ${session} is ${head.seq}, behind what was acknowledged`,
      );
  }

  onSnapshot(session: SessionId, seq: number, body: string): void {
    this.judge.onSnapshot(this.log(session), seq, body);
  }

  holderOf(session: SessionId): string | null {
    const rest = this.machine.observer.find(session);
    if (rest === undefined || rest.holder === null || this.population.isDead(rest.holder)) return null;
    return rest.leaseUntilMs > this.scheduler.monotonicMs() ? rest.holder : null;
  }

  onClaimed(process: Process, session: SessionId, epoch: number, holder: string | null): void {
    this.trace.note(process.name, "claims", `epoch ${epoch}`);
    if (holder !== null)
      this.judge.complain(
        "one-driver",
        `${process.name} takes ${session} while the lease of ${holder} is in force`,
      );
    if (epoch <= this.newestEpoch(session))
      this.judge.complain("one-driver", `epoch ${epoch} of ${session} was given twice`);
    this.#epochs.set(session, epoch);
  }

  onAttach(session: SessionId, epoch: number): void {
    this.#attached.set(session, Math.max(epoch, this.#attached.get(session) ?? 0));
  }

  onRequest(
    _process: Process,
    session: SessionId,
    number: number,
    epoch: number,
    request: ModelRequest,
  ): void {
    const log = this.log(session);
    this.judge.onRequest({ log, number, epoch, request, messages: request.messages });
  }

  onRequestOver(session: SessionId, number: number, request: ModelRequest): void {
    this.judge.onRequestOver({ log: this.log(session), number, request });
  }

  onTold(session: SessionId, target: string, notification: Notification): void {
    this.trace.note("person", "is told", `${notification.kind} ${notification.id}`);
    this.judge.onTold({ log: this.log(session), target, notification });
  }

  onRelied(session: SessionId, seq: Sequence, fact: EventInput): void {
    this.judge.onRelied({ log: this.log(session), seq, fact });
  }

  onSandbox(session: SessionId, sandbox: SandboxId, what: "provision" | "destroy"): void {
    this.judge.onSandbox({ log: this.log(session), sandbox, what });
  }

  onChanged(session: SessionId, sandbox: SandboxId, epoch: number): void {
    const newestEpoch = this.#changed.get(session) ?? 0;
    this.judge.onSandboxChange({ sandbox, epoch, newestEpoch });
    this.#changed.set(session, Math.max(epoch, newestEpoch));
  }

  #begin(session: SessionId, files: Files, epoch: number): void {
    const { checkouts } = this;
    const newestEpoch = this.newestEpoch(session);
    this.judge.onBegin({ log: this.log(session), files, epoch, newestEpoch, checkouts });
  }

  #noteEffect(request: ExecRequest, epoch: number, incarnation: string): void {
    this.trace.note("daemon", "effect", `${request.operation} ${request.execId.slice(-6)} in ${incarnation}`);
    this.judge.onEffect(this.#run(request, epoch, incarnation));
  }

  #run(request: ExecRequest, epoch: number, incarnation: string): Parameters<Judge["onRun"]>[0] {
    const session = serviceOf(request.execId)?.session ?? (request.execId.split("/")[0] as SessionId);
    return {
      log: this.log(session),
      request,
      incarnation,
      epoch,
      attachedEpoch: this.#attached.get(session) ?? 0,
    };
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.scheduler.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        reject(signal.reason);
      });
    });
  }
}
