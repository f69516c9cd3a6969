/**
 * The egress proxy's process. It takes its policy, with the secrets, from stdin, reports on descriptor 3 how its
 * start went, and from then on lives by itself: it outlasts the harness that started it, and ends when it is told to,
 * when its record is gone, or when no harness has been there for too long.
 */
import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/clock.ts";
import { isNightshiftError, messageOf } from "../../core/errors.ts";
import { tryLock } from "../../sandbox/daemon/lock.ts";
import { bootId, readProcess } from "../../sandbox/daemon/processes.ts";
import { listenIn, reportStart } from "../../sandbox/daemon/standing.ts";
import type { EgressPolicy } from "./contract.ts";
import { type ControlRequest, serveControl } from "./control.ts";
import { DecisionLog } from "./decisions.ts";
import { EgressProxy } from "./proxy.ts";
import { EGRESS_FILES, readEgressRecord, writeEgressRecord } from "./record.ts";

/** What a proxy is told over stdin. */
export interface EgressConfig {
  /** Private, absolute, without symbolic links. */
  readonly folder: string;
  readonly policy: EgressPolicy;
  readonly noContactMs: number;
}

/** What a proxy says on descriptor 3, once. */
export type EgressStartReport =
  | { readonly status: "ready" }
  /** Another proxy has the folder. */
  | { readonly status: "busy" }
  | { readonly status: "failed"; readonly code: string; readonly message: string };

const WATCH_INTERVAL_MS = 2_000;
const EXIT_GRACE_MS = 500;
const TIMER_MS_MAX = 2_147_483_647;

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  bootMs: () => performance.now(),
  sleep: async (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};

class EgressProcess {
  readonly #config: EgressConfig;
  readonly #incarnation = randomBytes(12).toString("hex");
  readonly #log: DecisionLog;
  readonly #proxy: EgressProxy;
  readonly #control: Server = createServer();
  readonly #harnesses = new Set<Socket>();
  #contactTimer: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(config: EgressConfig) {
    this.#config = config;
    this.#log = new DecisionLog(config.folder, config.policy.limits, clock);
    this.#proxy = new EgressProxy({
      policy: config.policy,
      log: this.#log,
      resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
      note,
    });
  }

  async start(): Promise<void> {
    const { folder } = this.#config;
    const sockets = join(folder, EGRESS_FILES.sockets);
    mkdirSync(sockets, { recursive: true, mode: 0o700 });
    await listen(this.#proxy.server, sockets, EGRESS_FILES.socket);
    this.#control.on("connection", (socket) => this.#onHarness(socket));
    await listen(this.#control, folder, EGRESS_FILES.control);
    const self = readProcess(process.pid);
    if (self === undefined) throw new Error("/proc does not show this process");
    writeEgressRecord(folder, {
      incarnation: this.#incarnation,
      boot: bootId(),
      process: { pid: self.pid, startTime: self.startTime },
    });
    this.#onContact();
    setInterval(() => this.#watch(), WATCH_INTERVAL_MS).unref();
  }

  /** Ends the process; what was decided is on disk before. */
  async end(reason: string): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    note(`ends: ${reason}`);
    this.#proxy.close();
    this.#control.close();
    try {
      const { folder } = this.#config;
      if (readEgressRecord(folder)?.incarnation === this.#incarnation) {
        rmSync(join(folder, EGRESS_FILES.record));
      }
      await this.#log.close();
    } catch (error) {
      note(`could not tidy up: ${messageOf(error)}`);
    }
    setTimeout(() => process.exit(0), EXIT_GRACE_MS);
    for (const harness of this.#harnesses) harness.end();
    if (this.#harnesses.size === 0) process.exit(0);
  }

  #onHarness(socket: Socket): void {
    this.#harnesses.add(socket);
    this.#onContact();
    socket.once("close", () => {
      this.#harnesses.delete(socket);
      if (this.#isEnding && this.#harnesses.size === 0) process.exit(0);
      this.#onContact();
    });
    serveControl(socket, this.#incarnation, (request) => this.#perform(request));
  }

  async #perform(request: ControlRequest): Promise<void> {
    if (request.method === "configure") return this.#proxy.configure(request.policy);
    // After the answer has been queued.
    setImmediate(() => void this.end("a harness asked for it"));
  }

  /** Timers stand still while the machine sleeps, so a closed laptop loses nothing. */
  #onContact(): void {
    clearTimeout(this.#contactTimer);
    if (this.#harnesses.size > 0 || this.#isEnding) return;
    const { noContactMs } = this.#config;
    this.#contactTimer = setTimeout(
      () => void this.end(`no harness for ${noContactMs} ms`),
      Math.min(noContactMs, TIMER_MS_MAX),
    );
  }

  /** A proxy that nobody can find any more must not live on. */
  #watch(): void {
    this.#log.flush({ all: false });
    if (readEgressRecord(this.#config.folder)?.incarnation !== this.#incarnation)
      void this.end("its record is gone");
  }
}

async function listen(server: Server, folder: string, name: string): Promise<void> {
  rmSync(join(folder, name), { force: true });
  await listenIn(server, folder, name);
}

function note(text: string): void {
  process.stderr.write(`${new Date().toISOString()} egress ${process.pid} ${text}\n`);
}

function report(outcome: EgressStartReport): void {
  if (!reportStart(outcome)) note(`could not report: ${outcome.status}`);
}

async function main(): Promise<void> {
  const config = JSON.parse(readFileSync(0, "utf8")) as EgressConfig;
  process.chdir(config.folder);
  const lock = tryLock(join(config.folder, EGRESS_FILES.lock));
  if (lock === undefined) return report({ status: "busy" });
  const egress = new EgressProcess(config);
  process.on("SIGHUP", () => undefined);
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => void egress.end("SIGTERM"));
  process.on("uncaughtException", (error) => {
    note(`failed: ${error.stack ?? error.message}`);
    void egress.end("an error of its own").finally(() => process.exit(70));
  });
  await egress.start();
  report({ status: "ready" });
}

main().catch((error: unknown) => {
  const code = isNightshiftError(error) ? error.code : "E_EGRESS_UNAVAILABLE";
  note(`could not start: ${messageOf(error)}`);
  report({ status: "failed", code, message: messageOf(error) });
  process.exit(1);
});
