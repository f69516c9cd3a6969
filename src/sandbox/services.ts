/**
 * Services: programs that run beside a command, in its sandbox. Commands find them at `localhost`, and like every
 * command they have no route out. Made of the sandbox contract alone, so every backend has them.
 */
import type { Service } from "../core/contract/contract.ts";
import { isNightshiftError, NightshiftError } from "../core/errors.ts";
import type { ExecId } from "../core/ids.ts";
import type { ExecReply, ExecResult, Sandbox } from "./contract.ts";
import { commandOf, quoted } from "./shell-words.ts";

/** How services are started. */
export interface ServiceOptions {
  /**
   * Names this start among all of its sandbox: one name starts its services once in one incarnation, and whoever asks
   * again, from whatever process, finds those that run.
   */
  readonly run: string;
  /** For how long each may run, in milliseconds; whatever uses them has to be over by then. */
  readonly lifeMs: number;
  /** Aborting it only stops waiting, as for every execution. */
  readonly signal: AbortSignal;
}

/** What became of it. */
export type ServicesStart =
  | { readonly status: "ready"; readonly services: RunningServices }
  /** Everything that had been started is stopped again. */
  | { readonly status: "failed"; readonly failure: ServiceFailure };

/** Services that are ready. */
export interface RunningServices {
  /** The first that has ended with a failure since it was ready; null as long as none has. */
  failure(): ServiceFailure | null;
  /** Kills them, with everything that they have started, verified dead before it answers. Idempotent. */
  stop(): Promise<void>;
}

/** Why a service cannot be used, for people and in reports. */
export interface ServiceFailure {
  /** As the contract has it. */
  readonly argv: readonly string[];
  /** It ended by itself; or what it waits for did not come true within its time; or that cannot be looked at. */
  readonly reason: "ended" | "not_ready" | "cannot_look";
  /** One line, with the next step to be guessed from it. */
  readonly message: string;
  /** The end of what it printed. */
  readonly output: string;
}

const OUTPUT_BYTES_MAX = 64 * 1024;
const POLL_SECONDS = "0.05";
const HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
/** How the look says that it will never succeed. */
const CANNOT_LOOK = 99;

/**
 * Starts services one after the other, each when the one before is ready.
 * @throws NightshiftError `E_CONFIG` for an address that is not in the sandbox; what the sandbox throws; what the signal
 *   aborts with
 */
export async function startServices(
  sandbox: Sandbox,
  services: readonly Service[],
  options: ServiceOptions,
): Promise<ServicesStart> {
  const looks = services.map(({ ready }) => lookFor(ready));
  const started: RunningService[] = [];
  try {
    for (const [index, service] of services.entries()) {
      const each = new RunningService(sandbox, service, `${options.run}.${index + 1}`, options);
      started.push(each);
      const failure = await each.untilReady(looks[index] ?? "");
      if (failure === null) continue;
      await stopAll(started);
      return { status: "failed", failure };
    }
  } catch (error) {
    // Who is no longer waited for, or cannot be reached, may be found again under its name.
    const isOver = options.signal.aborted || isNightshiftError(error, "E_SANDBOX_LOST");
    if (!isOver) await stopAll(started).catch(() => undefined);
    throw error;
  }
  return { status: "ready", services: running(started) };
}

/** Services that {@link startServices} has started under this name, in this incarnation, and that were ready. */
export function watchServices(
  sandbox: Sandbox,
  services: readonly Service[],
  options: ServiceOptions,
): RunningServices {
  return running(
    services.map((each, index) => new RunningService(sandbox, each, `${options.run}.${index + 1}`, options)),
  );
}

function running(started: readonly RunningService[]): RunningServices {
  const failure = (): ServiceFailure | null => started.map((each) => each.failure()).find(Boolean) ?? null;
  return { failure, stop: () => stopAll(started) };
}

async function stopAll(started: readonly RunningService[]): Promise<void> {
  for (const each of started.toReversed()) await each.stop();
}

class RunningService {
  readonly #sandbox: Sandbox;
  readonly #service: Service;
  readonly #signal: AbortSignal;
  readonly #execId: ExecId;
  readonly #done: Promise<ExecResult>;
  #printed = "";
  #result: ExecResult | null = null;
  #isStopped = false;

  constructor(sandbox: Sandbox, service: Service, name: string, { lifeMs, signal }: ServiceOptions) {
    this.#sandbox = sandbox;
    this.#service = service;
    this.#signal = signal;
    this.#execId = `${sandbox.id}/service/${name}` as ExecId;
    this.#done = this.#run(this.#execId, `exec ${commandOf(service.argv)}`, lifeMs, (text) => {
      this.#printed = (this.#printed + text).slice(-OUTPUT_BYTES_MAX);
    });
    this.#done.then(
      (result) => (this.#result = result),
      // Whoever waits for it is told; nobody has to.
      () => undefined,
    );
  }

  /** Null when it is. */
  async untilReady(look: string): Promise<ServiceFailure | null> {
    const lookId = `${this.#execId}.ready` as ExecId;
    const looked = this.#run(lookId, look, this.#service.within_ms);
    // One that goes to the background ends well, and is ready later.
    const endedBadly = this.#done.then((result) => (isFine(result) ? looked : null));
    const result = await Promise.race([looked, endedBadly]);
    if (result !== null && isFine(result)) return this.failure();
    await this.#sandbox.cancel(lookId);
    await looked.catch(() => undefined);
    if (result === null) return this.failure();
    return this.#failureFor(result);
  }

  #failureFor({ ending, exitCode, output }: ExecResult): ServiceFailure {
    const seconds = this.#service.within_ms / 1000;
    if (ending === "exited" && exitCode === CANNOT_LOOK)
      return this.#failed("cannot_look", `whether it is ready cannot be seen: ${output.trim()}`);
    const how =
      ending === "timed_out" ? `was not ready within ${seconds} s` : `could not be waited for (${ending})`;
    return this.#failed("not_ready", how);
  }

  failure(): ServiceFailure | null {
    if (this.#isStopped || this.#result === null || isFine(this.#result)) return null;
    const { ending, exitCode } = this.#result;
    const how = exitCode === null ? "was ended by a signal" : `ended with exit ${exitCode}`;
    return this.#failed("ended", ending === "exited" ? how : `ended: ${ending}`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#sandbox.cancel(this.#execId);
    await this.#done.catch(() => undefined);
  }

  #failed(reason: ServiceFailure["reason"], how: string): ServiceFailure {
    const { argv } = this.#service;
    const message = `the service \`${commandOf(argv).slice(0, 200)}\` ${how}`;
    return { argv, reason, message, output: this.#result?.output ?? this.#printed };
  }

  async #run(
    execId: ExecId,
    command: string,
    wallMs: number,
    onOutput: (text: string) => void = () => undefined,
  ): Promise<ExecResult> {
    const { incarnation } = this.#sandbox;
    const input = { command };
    const limits = { wallMs, outputBytes: OUTPUT_BYTES_MAX };
    const reply = await this.#sandbox.execute(
      { execId, incarnation, operation: "shell", input, limits },
      { signal: this.#signal, onOutput },
    );
    return resultOf(reply);
  }
}

function resultOf(reply: ExecReply): ExecResult {
  if (reply.status === "finished") return reply.result;
  throw new NightshiftError("E_SANDBOX_LOST", "the sandbox of a service was replaced while it ran");
}

function isFine({ ending, exitCode }: ExecResult): boolean {
  return ending === "exited" && exitCode === 0;
}

/** A command that ends with 0 when it has come true; its time is limited by whoever runs it. */
function lookFor(ready: Service["ready"]): string {
  if ("argv" in ready) return poll(`${commandOf(ready.argv)} > /dev/null 2>&1`);
  if ("port" in ready) return poll(listens(ready.port));
  const { hostname, port, pathname, search } = urlOf(ready.url);
  const request = `GET ${pathname}${search} HTTP/1.0\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`;
  // A shell is all that is sure to be there; what one answer says is read, and no more.
  const ask =
    `exec 3<>/dev/tcp/${hostname.replace(/[[\]]/g, "")}/${port || "80"} && printf %s ${quoted(request)} >&3 && ` +
    `read -r -t 5 _ status _ <&3 && [ "$status" -ge 100 ] && [ "$status" -lt 400 ]`;
  const needsBash = `command -v bash > /dev/null || { echo 'an address is asked with bash, which is not here'; exit ${CANNOT_LOOK}; }`;
  return `${needsBash}; ${poll(`bash -c ${quoted(ask)} > /dev/null 2>&1`)}`;
}

/** What the kernel lists as listening, on any address, is there to be connected to; nobody notices the look. */
function listens(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return `cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | grep -q '^ *[0-9]*: [0-9A-F]*:${hex} [0-9A-F]*:0000 0A '`;
}

function poll(condition: string): string {
  return `until ${condition}; do sleep ${POLL_SECONDS}; done`;
}

function urlOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol === "http:" && HOSTS.includes(url.hostname)) return url;
  throw new NightshiftError("E_CONFIG", `a service cannot be ready at ${JSON.stringify(address)}`, {
    hint: "Name an address in the sandbox: http://localhost:<port>/<path>.",
  });
}
