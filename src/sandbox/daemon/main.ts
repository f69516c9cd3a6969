/**
 * The exec daemon's process. It takes its configuration, with the token, from stdin (arguments and environment can
 * be read by others), reports on descriptor 3 how its start went, and from then on lives by itself: it outlasts
 * the harness that started it, and ends when it is told to or when no harness has been there for too long.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { basename, join } from "node:path";
import { isNightshiftError, messageOf } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import { INNER_WORKSPACE, type SandboxSpec } from "../contract.ts";
import {
  INNER_EGRESS_FOLDER,
  INNER_GATEWAY_FOLDER,
  type LimitsInForce,
  type Pod,
  type PodLauncher,
  type PodLauncherModule,
} from "../pod/contract.ts";
import { RemoteRunner } from "../pod/remote-runner.ts";
import type { Environment } from "./environment.ts";
import { Executions, type Runner } from "./executions.ts";
import { closeInheritedFiles } from "./inherited.ts";
import { JOURNAL_LIMITS, Journal } from "./journal.ts";
import { killTree } from "./kill.ts";
import { tryLock } from "./lock.ts";
import { OperationRunner } from "./operation-runner.ts";
import { PipePool } from "./pipes.ts";
import { bootId, readProcess } from "./processes.ts";
import { FILES, readRecord, sandboxKey, writeRecord } from "./record.ts";
import { Connections } from "./server.ts";
import { findShell } from "./shell.ts";
import { listenIn, reportStart } from "./standing.ts";

/** What a daemon is told over stdin. */
export interface DaemonConfig {
  readonly sandbox: string;
  /** Private, absolute, without symbolic links. */
  readonly folder: string;
  readonly workspace: string;
  readonly noContactMs: number;
  readonly token: string;
  /** What commands see; nothing else of the harness's environment does. */
  readonly environment: Environment;
  /** Where commands run; absent: beside the daemon. */
  readonly pod?: PodSetup;
}

/** How the daemon gets a pod. */
export interface PodSetup {
  /** URL of a module that is a `PodLauncherModule`. */
  readonly module: string;
  /** For the launcher. */
  readonly settings: Json;
  readonly spec: SandboxSpec;
}

/** What a daemon says on descriptor 3, once. */
export type StartReport =
  | { readonly status: "ready"; readonly incarnation: string; readonly limits?: LimitsInForce }
  /** Another daemon has the folder. */
  | { readonly status: "busy" }
  | { readonly status: "failed"; readonly code: string; readonly message: string };

const TIMER_MS_MAX = 2_147_483_647;
const WATCH_INTERVAL_MS = 2_000;
const EXIT_GRACE_MS = 1_000;
const NEVER: AbortSignal = new AbortController().signal;

class Daemon {
  readonly #config: DaemonConfig;
  readonly #key: string;
  readonly #incarnation = randomBytes(12).toString("hex");
  readonly #socket: string;
  readonly #server: Server = createServer();
  #executions: Executions | undefined;
  #pod: Pod | undefined;
  #connections: Connections | undefined;
  #contactTimer: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;

  constructor(config: DaemonConfig) {
    this.#config = config;
    this.#key = sandboxKey(config.folder);
    this.#socket = `${this.#incarnation}.sock`;
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  /** By what means limits hold; undefined where nothing is limited. */
  get limits(): LimitsInForce | undefined {
    return this.#pod?.limits;
  }

  /** Cleans up after earlier incarnations, then serves. */
  async start(): Promise<void> {
    const { folder } = this.#config;
    const root = realpathSync(this.#config.workspace);
    // Whoever began anything here had a journal first; to look for what it left costs as much as to begin.
    const isFirst = !existsSync(join(folder, FILES.journal));
    const journal = new Journal(join(folder, FILES.journal), JOURNAL_LIMITS);
    const launcher = await this.#loadLauncher();
    if (isFirst) await launcher?.sweep(folder);
    else await this.#endEarlier(journal, launcher);
    const [runner] = await Promise.all([
      launcher === undefined ? this.#workHere(root) : this.#workInPod(launcher, journal),
      journal.begin(this.#incarnation, bootId()),
    ]);
    const executions = new Executions(this.#incarnation, journal, runner);
    this.#executions = executions;
    this.#connections = new Connections({
      greeting: {
        sandbox: this.#config.sandbox,
        incarnation: this.#incarnation,
        workspace: root,
        pid: process.pid,
        ...(this.#pod ? { limits: { ...this.#pod.limits } } : {}),
      },
      token: this.#config.token,
      journal,
      executions,
      shutdown: () => this.end("a harness asked for it"),
      onContact: (harnesses) => this.#onContact(harnesses),
    });
    this.#connections.serve(this.#server);
    await listenIn(this.#server, this.#config.folder, this.#socket);
    this.#publish(root);
    this.#onContact(0);
    setInterval(() => this.#watch(), WATCH_INTERVAL_MS).unref();
  }

  /** Ends every run and this process, verified; resolves when all is dead but the process itself. */
  end(reason: string): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async #end(reason: string): Promise<void> {
    note(`ends: ${reason}`);
    try {
      await this.#executions?.end();
      // With process 1 of a pod the kernel ends all that is in it; beside the daemon it takes a search.
      if (this.#pod === undefined) await killTree({ marker: `${this.#key}.` }, 0);
      else await this.#pod.end();
    } finally {
      const { folder } = this.#config;
      if (readRecord(folder)?.incarnation === this.#incarnation) rmSync(join(folder, FILES.record));
      this.#server.close(() => process.exit(0));
      // After the answer to whoever asked for the end has been queued.
      setImmediate(() => this.#connections?.close());
      setTimeout(() => process.exit(0), EXIT_GRACE_MS);
    }
  }

  /** Backends are named by whoever asks for one, so that a daemon loads no other. */
  async #loadLauncher(): Promise<PodLauncher | undefined> {
    const { pod } = this.#config;
    if (pod === undefined) return undefined;
    const { createPodLauncher } = (await import(pod.module)) as PodLauncherModule;
    return createPodLauncher(pod.settings);
  }

  /** What an earlier daemon was running is dead before anything new can begin. */
  async #endEarlier(journal: Journal, launcher: PodLauncher | undefined): Promise<void> {
    await killTree({ marker: `${this.#key}.` }, 0);
    await launcher?.sweep(this.#config.folder);
    // What was begun in a pod has numbers and paths that mean something else out here.
    if (launcher !== undefined) return;
    const boot = bootId();
    for (const { entry, boot: entryBoot } of journal.unfinished()) {
      removeLeftover(entry.temporary);
      if (entry.process === undefined || entryBoot !== boot) continue;
      await killTree({ marker: `${this.#key}.`, leader: entry.process }, 0);
    }
  }

  async #workHere(root: string): Promise<Runner> {
    const { environment } = this.#config;
    const pipes = new PipePool(this.#preparePipeFolder());
    await pipes.fill();
    return new OperationRunner({ root, environment, pipes, shell: findShell(environment), key: this.#key });
  }

  async #workInPod(launcher: PodLauncher, journal: Journal): Promise<Runner> {
    const { folder, pod, environment } = this.#config;
    if (pod === undefined) throw new Error("there is no pod to work in");
    const { egress, gateway } = pod.spec;
    this.#preparePipeFolder();
    const launched = await launcher.launch(pod.spec, folder, NEVER);
    this.#pod = launched;
    const runner = new RemoteRunner(launched, (reason) => void this.end(reason));
    await runner.start({
      key: this.#key,
      root: INNER_WORKSPACE,
      environment,
      leftovers: journal.unfinished().flatMap(({ entry }) => entry.temporary ?? []),
      egress: egress === undefined ? null : join(INNER_EGRESS_FOLDER, basename(egress)),
      gateway: gateway === undefined ? null : join(INNER_GATEWAY_FOLDER, basename(gateway)),
    });
    return runner;
  }

  #preparePipeFolder(): string {
    const { folder } = this.#config;
    for (const name of readdirSync(folder)) if (name.endsWith(".sock")) rmSync(join(folder, name));
    const pipes = join(folder, FILES.pipes);
    rmSync(pipes, { recursive: true, force: true });
    mkdirSync(pipes, { mode: 0o700 });
    return pipes;
  }

  #publish(workspace: string): void {
    const self = readProcess(process.pid);
    if (self === undefined) throw new Error("/proc does not show this process");
    writeRecord(this.#config.folder, {
      incarnation: this.#incarnation,
      boot: bootId(),
      process: { pid: self.pid, startTime: self.startTime },
      workspace,
      socket: this.#socket,
      token: this.#config.token,
    });
  }

  /** Timers stand still while the machine sleeps, so a closed laptop loses nothing. */
  #onContact(harnesses: number): void {
    clearTimeout(this.#contactTimer);
    this.#contactTimer = undefined;
    if (harnesses > 0) return;
    const { noContactMs } = this.#config;
    this.#contactTimer = setTimeout(
      () => void this.end(`no harness for ${noContactMs} ms`),
      Math.min(noContactMs, TIMER_MS_MAX),
    );
  }

  /** A daemon that nobody can find any more must not live on. */
  #watch(): void {
    if (readRecord(this.#config.folder)?.incarnation === this.#incarnation) return;
    void this.end("its record is gone");
  }
}

/** The new content of a change that was cut short; should it not go away, work can begin all the same. */
function removeLeftover(path: string | undefined): void {
  try {
    if (path !== undefined) rmSync(path, { force: true });
  } catch (error) {
    note(`could not remove ${path}: ${messageOf(error)}`);
  }
}

function note(text: string): void {
  process.stderr.write(`${new Date().toISOString()} daemon ${process.pid} ${text}\n`);
}

function report(outcome: StartReport): void {
  if (!reportStart(outcome)) note(`could not report: ${outcome.status}`);
}

async function main(): Promise<void> {
  closeInheritedFiles();
  const config = JSON.parse(readFileSync(0, "utf8")) as DaemonConfig;
  process.chdir(config.folder);
  const lock = tryLock(join(config.folder, FILES.lock));
  if (lock === undefined) return report({ status: "busy" });
  const daemon = new Daemon(config);
  process.on("SIGHUP", () => undefined);
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => void daemon.end("SIGTERM"));
  process.on("uncaughtException", (error) => {
    note(`failed: ${error.stack ?? error.message}`);
    void daemon.end("an error of its own").finally(() => process.exit(70));
  });
  await daemon.start();
  const { incarnation, limits } = daemon;
  report({ status: "ready", incarnation, ...(limits ? { limits } : {}) });
  note(`serves as ${daemon.incarnation}`);
}

main().catch((error: unknown) => {
  const code = isNightshiftError(error) ? error.code : "E_SANDBOX_UNAVAILABLE";
  note(`could not start: ${messageOf(error)}`);
  report({ status: "failed", code, message: messageOf(error) });
  process.exit(1);
});
