/** The processes of a simulation: harnesses that run the real engine, and the client of the people. */
import { isNightshiftError, messageOf } from "../../src/core/errors.ts";
import type { ClientEventInput, EventBody } from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import { runEngine } from "../../src/runtime/engine.ts";
import { createSessionBranch } from "../../src/runtime/session-branch.ts";
import { SessionServices } from "../../src/runtime/session-services.ts";
import { type Harness, wake } from "../../src/runtime/wake.ts";
import type { Lease } from "../../src/store/contract.ts";
import type { Worker } from "../../src/worker/contract.ts";
import { createLoopWorker } from "../../src/worker/index.ts";
import { SimulatedWorkspaces } from "./checkouts.ts";
import { Client, type Progress } from "./client.ts";
import { createSimulatedModel } from "./model.ts";
import { createSimulatedNotifier } from "./notifier.ts";
import { Process, type Surroundings } from "./process.ts";
import { SimulatedAttempts } from "./program.ts";
import type { Random } from "./random.ts";
import { SimulatedReferee } from "./referee.ts";
import { SimulatedBackend } from "./sandbox.ts";
import type { Crowd, RunningHarness, Scene } from "./scene.ts";
import { SimulatedStore } from "./store.ts";
import { REDACTOR, TOOLS } from "./workload.ts";

/** Small, so that short logs have snapshots too. */
const SNAPSHOT_EVENTS = 15;
/** Failures of the machine, which a harness may report and survive. */
const OUTER_CODES: ReadonlySet<string> = new Set([
  "E_STORE_BUSY",
  "E_STORE_IO",
  "E_STORE_FULL",
  "E_CANCELLED",
]);

/** Starts, watches and replaces processes. */
export class Population implements Crowd {
  readonly #scene: Scene;
  readonly #surroundings: Surroundings;
  readonly #random: Random;
  readonly #harnesses: RunningHarness[] = [];
  readonly #dead = new Set<string>();
  readonly #progress: Progress = { sessions: 0, actions: 0 };
  #client: Client;
  #started = 0;
  #busyPeople = 0;

  constructor(scene: Scene, surroundings: Surroundings, random: Random) {
    this.#scene = scene;
    this.#surroundings = surroundings;
    this.#random = random;
    this.#client = this.#startClient();
  }

  isDead(name: string): boolean {
    return this.#dead.has(name);
  }

  running(): readonly RunningHarness[] {
    return this.#harnesses.filter(({ process }) => process.isRunning);
  }

  living(): readonly RunningHarness[] {
    return this.#harnesses.filter(({ process }) => !process.isDead);
  }

  startHarness(): void {
    const process = this.#newProcess("h");
    const store = this.#storeOf(process);
    const { dayCaps } = this.#scene.workload;
    const harness: Harness = {
      store,
      clock: process.clock,
      owner: {
        harness: process.name,
        bootId: "boot",
        pidNamespace: "space",
        pid: this.#started,
        startTime: "0",
      },
      redactor: REDACTOR,
      tools: TOOLS,
      version: "simulated",
      leaseTtlMs: this.#scene.workload.leaseTtlMs,
      snapshotEvents: SNAPSHOT_EVENTS,
      ...(dayCaps !== null && { dayCaps }),
      ...(this.#scene.workload.isTold && { notifier: createSimulatedNotifier(process, this.#scene) }),
      resolve: async (config, lease) => this.#resolve(process, store, config, lease),
    };
    const running = { process, harness };
    this.#harnesses.push(running);
    const onFailure = (session: SessionId, error: unknown): void => this.#onFailure(process, session, error);
    void process.at("timer.after", null).then(() => {
      // Engines run until they die: of its own, because a signal keeps whoever listens to it.
      runEngine(harness, { concurrency: 8, onFailure }, new AbortController().signal).then(
        () => this.#exit(running, "stopped"),
        (error: unknown) => this.#exit(running, messageOf(error), error),
      );
    });
  }

  wakeWith({ process, harness }: RunningHarness, session: SessionId): void {
    wake(harness, session).then(
      (result) => this.#surroundings.trace.note(process.name, "woke", result.status),
      (error: unknown) => this.#onFailure(process, session, error),
    );
  }

  crash(process: Process): void {
    process.kill();
    this.#dead.add(process.name);
    const isClient = process === this.#client.process;
    this.#surroundings.scheduler.after(this.#random.between(0, 8000), () => {
      if (!isClient) return this.startHarness();
      this.#client = this.#startClient();
      this.startPeople();
    });
    if (isClient) this.#busyPeople = 0;
  }

  sendNow(session: SessionId, events: readonly ClientEventInput[]): boolean {
    return !this.#client.process.isDead && this.#client.sendNow(session, events);
  }

  /** The people begin, or go on with what is left after their client died. */
  startPeople(): void {
    this.#keepBusy(this.#client.run(this.#scene.workload, this.#progress));
  }

  /** Have the people done all they wanted? */
  arePeopleDone(): boolean {
    const { sessions, actions } = this.#scene.workload;
    const isLeft = this.#progress.sessions < sessions.length || this.#progress.actions < actions.length;
    return !isLeft && this.#busyPeople === 0 && !this.#client.process.isDead;
  }

  /** Does any process stand still? Then what it will do is still to come. */
  isStopped(): boolean {
    return this.living().some(({ process }) => !process.isRunning);
  }

  /** Waits for nothing: what still runs is dropped. */
  abandon(): void {
    for (const { process } of this.#harnesses) process.kill();
    this.#client.process.kill();
  }

  #keepBusy(doing: Promise<void>): void {
    const client = this.#client;
    this.#busyPeople += 1;
    void doing.finally(() => {
      if (this.#client === client) this.#busyPeople -= 1;
    });
  }

  #startClient(): Client {
    const process = this.#newProcess("c");
    void this.#scene.machine.open(process);
    return new Client(this.#scene, process, this.#storeOf(process), this.#random.fork(process.name));
  }

  #newProcess(kind: string): Process {
    return new Process(`${kind}${++this.#started}`, this.#surroundings);
  }

  #storeOf(process: Process): SimulatedStore {
    const store = new SimulatedStore(process, this.#scene.machine, this.#scene);
    this.#scene.machine.register(process, store);
    return store;
  }

  #resolve(
    process: Process,
    store: SimulatedStore,
    config: EventBody<"session.created">,
    lease: Lease,
  ): Awaited<ReturnType<Harness["resolve"]>> {
    const { sessionId: session, epoch } = lease;
    const backend = new SimulatedBackend(this.#scene.sandboxes, process, this.#scene, epoch);
    const provider = this.#scene.provider(config.metadata.label ?? "");
    const random = this.#random.fork(`${process.name} ${session} ${epoch}`);
    const worker: Worker = {
      kind: "loop",
      advance: (turn) => {
        const parts = { process, session, number: turn.request, epoch, provider, watch: this.#scene, random };
        const model = createSimulatedModel(parts);
        const { agent, policy } = config;
        const fallback = agent.fallback && { ...agent.fallback, model };
        const worker = { model, tools: TOOLS, clock: process.clock, policy, ...(fallback && { fallback }) };
        return createLoopWorker(worker).advance(turn);
      },
    };
    const workspaces = new SimulatedWorkspaces(this.#scene.checkouts, process, random.fork("files"));
    const { checkouts } = this.#scene;
    const referee = new SimulatedReferee({
      ...{ process, session, checkouts, store, watch: this.#scene },
      random: random.fork("referee"),
      isMet: this.#scene.workload.isMet,
    });
    const own = { store, clock: process.clock, workspaces: () => Promise.resolve(workspaces) };
    const services = new SessionServices(process.clock);
    const isProgram = config.agent.worker === "command";
    return {
      ...(isProgram ? { attempts: new SimulatedAttempts({ process, config, lease, store }) } : {}),
      worker: isProgram ? null : worker,
      backend,
      workspaces: own.workspaces,
      referee,
      branch: createSessionBranch(own),
      services,
    };
  }

  #onFailure(process: Process, session: SessionId, error: unknown): void {
    const code = isNightshiftError(error) ? error.code : "none";
    this.#surroundings.trace.note(process.name, "fails", code);
    if (!OUTER_CODES.has(code))
      this.#scene.judge.complain(
        "decide-is-total",
        `${process.name} failed in ${session}: ${code} ${stackOf(error)}`,
      );
  }

  /** An engine that gives up takes its process with it; somebody starts it anew. */
  #exit(running: RunningHarness, why: string, error?: unknown): void {
    this.#surroundings.trace.note(running.process.name, "exits", why);
    if (error !== undefined)
      this.#scene.judge.complain("the-engine-goes-on", `${running.process.name} gave up: ${stackOf(error)}`);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
