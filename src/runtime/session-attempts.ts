/** The attempts of one session whose worker is a program: what it finds in its sandbox, what it is told, how it is watched. */
import { hash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chance, Clock } from "../core/clock.ts";
import { promptText } from "../core/command/prompt.ts";
import { TASKS_PATH } from "../core/command/renderings.ts";
import type { CommandAgent } from "../core/command/state.ts";
import type { Intent } from "../core/decide.ts";
import { assert } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import type { Wanted } from "../core/rules/budget.ts";
import type { SessionState } from "../core/state.ts";
import { GATEWAY_LIMITS, type ModelGatewayParts } from "../gateway/model/contract.ts";
import { GATEWAY_SOCKET, type ModelGateway, openModelGateway } from "../gateway/model/gateway.ts";
import type { Sandbox, SandboxSpec } from "../sandbox/contract.ts";
import { GATEWAY_SHIM_PORT } from "../sandbox/egress-shim.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { AttemptOutcome, ProgramWorker } from "../worker/contract.ts";
import { agentEnvironment } from "../worker/known-agents.ts";
import { type Deadlines, within } from "./deadlines.ts";
import { createGatewayMeter } from "./gateway-meter.ts";
import { declarationEvents, declaredIn } from "./program-declarations.ts";
import { type AttemptWorkspaces, promptSources, writeTaskFiles } from "./prompt-sources.ts";
import type { SessionConfig } from "./session-config.ts";
import type { WayOut } from "./way-out.ts";

/** How long past its own limit a program's sandbox may stay silent. */
const DAEMON_GRACE_MS = 60_000;
/** After a cap was reached, the program may say good-bye for so long. */
const FAREWELL_MS = 5_000;

/** Remembers which tasks were written last, so that what became of them can be seen. */
const TASKS_HASH = "tasks.sha256";

/** What a program finds besides files and toolchain. */
export type ProgramPlace = Pick<SandboxSpec, "gateway"> & {
  readonly mounts: NonNullable<SandboxSpec["mounts"]>;
  readonly environment: NonNullable<SandboxSpec["environment"]>;
  /** Folders for the front of the PATH. */
  readonly path: readonly string[];
};

/** What performers ask of it. */
export interface SessionAttempts {
  /** For the sandbox that is about to be made. @throws NightshiftError `E_TOOLCHAIN_MISSING`, `E_GATEWAY_UNAVAILABLE` */
  place(): Promise<ProgramPlace>;
  /** Runs the attempt, or goes on watching it. @throws NightshiftError as the sandbox does, `E_GATEWAY_UNAVAILABLE` */
  attempt(watch: AttemptWatch): Promise<EventInput[]>;
}

/** One attempt, seen by its performer. */
export interface AttemptWatch {
  readonly intent: Extract<Intent, { kind: "attempt" }>;
  readonly sandbox: Sandbox;
  readonly state: SessionState;
  readonly latest: () => SessionState;
  readonly signal: AbortSignal;
  readonly deadlines: Deadlines;
  readonly onSignOfLife: () => void;
  readonly onOutput: (text: string) => void;
  readonly onFact: (fact: EventInput) => Promise<Sequence>;
  /** @throws NightshiftError `E_CAP_REACHED`, with `data.exhausted` */
  readonly onReservation: (fact: EventInput, wanted: Wanted) => Promise<Sequence>;
  readonly onFacts: (facts: readonly EventInput[]) => void;
}

/** What of a driver's parts a watch needs. */
interface Watchers {
  readonly attempts: SessionAttempts | null;
  readonly deadlines: Deadlines;
  readonly wayOut: Pick<WayOut, "news"> | null;
  readonly onProgramOutput?: (text: string) => void;
}

/** Watches an attempt for the driver. What the sandbox has reached meanwhile is in the log with its end. */
export async function watchAttempt(
  { attempts, deadlines, wayOut, onProgramOutput }: Watchers,
  intent: AttemptWatch["intent"],
  moment: Omit<AttemptWatch, "intent" | "sandbox" | "deadlines" | "onOutput">,
  sandbox: Sandbox,
): Promise<EventInput[]> {
  assert(attempts !== null, "a session with a program was opened with one");
  const onOutput = (text: string): void => onProgramOutput?.(text);
  const ended = await attempts.attempt({ ...moment, intent, sandbox, deadlines, onOutput });
  return [...(wayOut?.news(moment.state.egress) ?? []), ...ended];
}

/** What the attempts of a session are made of. */
export interface SessionAttemptParts {
  readonly config: SessionConfig;
  readonly worker: ProgramWorker;
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Absolute, private to this session. */
  readonly folder: string;
  /** Has a sandbox a network of its own? */
  readonly isIsolated: boolean;
  readonly workspaces: () => Promise<AttemptWorkspaces>;
  /** What of the machine the program needs; nothing where it sees all of it. */
  readonly program: (argv: readonly string[]) => Promise<Pick<ProgramPlace, "mounts" | "path">>;
  readonly upstreams: ModelGatewayParts["upstreams"];
}

/** Opens nothing yet. */
export function createSessionAttempts(parts: SessionAttemptParts): SessionAttempts {
  return new AttemptsOfSession(parts);
}

class AttemptsOfSession implements SessionAttempts {
  readonly #parts: SessionAttemptParts;
  readonly #agent: CommandAgent;

  constructor(parts: SessionAttemptParts) {
    const { command } = parts.config.agent;
    assert(command !== undefined, "a session with a program says which");
    this.#parts = parts;
    this.#agent = command;
  }

  async place(): Promise<ProgramPlace> {
    const { isIsolated, program, config, folder } = this.#parts;
    const { mounts, path } = await program(this.#agent.argv);
    const home = join(folder, "home");
    if (!isIsolated) mkdirSync(home, { recursive: true, mode: 0o700 });
    const own = isIsolated ? {} : { HOME: home };
    if (this.#agent.gateway === undefined) return { mounts, path, environment: own };
    const port = isIsolated ? GATEWAY_SHIM_PORT : await this.#port();
    const address = { url: `http://127.0.0.1:${port}`, token: this.#token() };
    mkdirSync(this.#sockets, { recursive: true, mode: 0o700 });
    return {
      mounts,
      path,
      environment: { ...own, ...agentEnvironment(this.#agent, address, config.agent.model.id) },
      ...(isIsolated && { gateway: join(this.#sockets, GATEWAY_SOCKET) }),
    };
  }

  async attempt(watch: AttemptWatch): Promise<EventInput[]> {
    const { intent, sandbox, state } = watch;
    const prompt = await this.#prompt(watch);
    const vigil = new Vigil(watch, this.#agent, this.#parts.clock);
    const gateway = await this.#openGateway(watch, vigil);
    try {
      const limitMs = this.#agent.wall_ms + DAEMON_GRACE_MS;
      const run = {
        execId: intent.execId,
        attempt: intent.attempt,
        incarnation: state.command?.incarnation ?? "",
        agent: this.#agent,
        prompt,
        onOutput: (text: string) => {
          vigil.alive();
          watch.onOutput(text);
        },
      };
      const outcome = await within(watch.deadlines, limitMs, watch.signal, (signal) =>
        this.#parts.worker.attempt(sandbox, { ...run, signal }),
      );
      await gateway?.close();
      const noted = [...(await this.#drift()), ...(await this.#declared(watch, outcome.ending))];
      const ending = vigil.cause === "quiet" && outcome.ending === "stopped" ? "timed_out" : outcome.ending;
      const ended = event("attempt.ended", { attempt: intent.attempt, ...outcome, ending });
      return vigil.cause === "quiet" ? [...noted, quietTrip(this.#agent), ended] : [...noted, ended];
    } finally {
      vigil.end();
      await gateway?.close();
    }
  }

  /** In the log before anything is started; one that was interrupted is told the same. */
  async #prompt(watch: AttemptWatch): Promise<string> {
    const { store, lease, clock, workspaces } = this.#parts;
    const { attempt } = watch.intent;
    const [known] = await store.getEvents(lease.sessionId, {
      backwards: true,
      limit: 1,
      types: ["attempt.prompted"],
    });
    if (known?.type === "attempt.prompted" && known.body.attempt === attempt)
      return joined(known.body.content);
    const base = this.#parts.config.sandbox.checkout?.base ?? "";
    const { state, signal } = watch;
    const sources = await promptSources({ store, lease, clock, state, workspaces, base, signal });
    const files = { sandbox: watch.sandbox, execId: watch.intent.execId, signal: watch.signal };
    const text = promptText(watch.state, sources, clock.wallMs());
    const content = [{ type: "text" as const, text }];
    const tasks = await writeTaskFiles(files, watch.state, sources, clock.wallMs());
    mkdirSync(this.#parts.folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#parts.folder, TASKS_HASH), tasks === null ? "" : sha256(tasks), { mode: 0o600 });
    const seq = await watch.onFact(event("attempt.prompted", { attempt, content }));
    const [stored] = await store.getEvents(lease.sessionId, { after: seq - 1, limit: 1 });
    // What is told is what was stored.
    return stored?.type === "attempt.prompted" ? joined(stored.body.content) : text;
  }

  /** What a program has made of its copy of the tasks decides nothing; it is only noted. */
  async #drift(): Promise<EventInput[]> {
    const { folder, workspaces, lease } = this.#parts;
    const path = join(folder, TASKS_HASH);
    const expected = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (expected === "") return [];
    const text = await (await workspaces()).rendering(lease.sessionId, TASKS_PATH);
    const found = text === null ? null : sha256(text);
    return found === expected ? [] : [event("contract.drifted", { path: TASKS_PATH, expected, found })];
  }

  /** What it says that it cannot do; of one that is gone, so are its files. */
  async #declared({ intent, state }: AttemptWatch, ending: AttemptOutcome["ending"]): Promise<EventInput[]> {
    if (ending === "lost") return [];
    const { workspaces, lease } = this.#parts;
    return declarationEvents(await declaredIn(await workspaces(), lease.sessionId, state), intent.attempt);
  }

  async #openGateway(watch: AttemptWatch, vigil: Vigil): Promise<ModelGateway | undefined> {
    const { gateway } = this.#agent;
    if (gateway === undefined) return undefined;
    const { config, lease, clock, isIsolated, upstreams } = this.#parts;
    const { id, max_output_tokens: maxOutputTokens } = config.agent.model;
    const { attempt } = watch.intent;
    const meter = createGatewayMeter({
      attempt,
      epoch: lease.epoch,
      wallMs: () => clock.wallMs(),
      current: watch.latest,
      onFact: watch.onFact,
      onReservation: watch.onReservation,
      onFacts: watch.onFacts,
      onExhausted: () => vigil.farewell(FAREWELL_MS),
    });
    const { models: allowed } = gateway;
    const parts = {
      upstreams,
      models: gateway.forced ? { forced: id } : allowed === undefined ? {} : { allowed },
      maxOutputTokens,
      token: this.#token(),
      meter,
      limits: GATEWAY_LIMITS,
      onSignOfLife: () => vigil.alive(),
      monotonicMs: () => clock.monotonicMs(),
    };
    const name = `${lease.epoch}-${attempt}.sock`;
    return openModelGateway(
      parts,
      isIsolated ? { folder: this.#sockets, name } : { port: await this.#port() },
    );
  }

  get #sockets(): string {
    return join(this.#parts.folder, "gateway");
  }

  /** The same for all of the session: a program that outlives its harness goes on with it. */
  #token(): string {
    return this.#kept("token", () => `nightshift-${this.#parts.chance.unique(32)}`);
  }

  /** For sandboxes without a network of their own: chosen once, because running programs know it. */
  async #port(): Promise<number> {
    const path = join(this.#parts.folder, "port");
    if (existsSync(path)) return Number(readFileSync(path, "utf8"));
    const { freePort } = await import("./free-port.ts");
    const port = await freePort();
    return Number(this.#kept("port", () => String(port)));
  }

  #kept(name: string, make: () => string): string {
    const path = join(this.#parts.folder, name);
    mkdirSync(this.#parts.folder, { recursive: true, mode: 0o700 });
    if (!existsSync(path)) writeFileSync(path, make(), { mode: 0o600, flag: "wx" });
    return readFileSync(path, "utf8");
  }
}

/** Watches one attempt: silence ends it, and so does a budget that is used up. */
class Vigil {
  cause: "quiet" | "farewell" | null = null;
  readonly #watch: AttemptWatch;
  readonly #quietMs: number;
  readonly #clock: Clock;
  #aliveMs: number;
  #stopWaiting: () => void = () => undefined;
  #stopFarewell: () => void = () => undefined;

  constructor(watch: AttemptWatch, agent: CommandAgent, clock: Clock) {
    this.#watch = watch;
    this.#quietMs = agent.quiet_ms;
    this.#clock = clock;
    this.#aliveMs = clock.monotonicMs();
    this.#wait(this.#quietMs);
  }

  /** It has printed something, or asked for something. */
  alive(): void {
    this.#aliveMs = this.#clock.monotonicMs();
    this.#watch.onSignOfLife();
  }

  /** Ends it after this long, unless it ends by itself. */
  farewell(ms: number): void {
    this.#stopFarewell = this.#watch.deadlines.add(ms, () => this.#stop("farewell"));
  }

  end(): void {
    this.#stopWaiting();
    this.#stopFarewell();
  }

  #wait(ms: number): void {
    this.#stopWaiting = this.#watch.deadlines.add(ms, () => {
      const leftMs = this.#quietMs - (this.#clock.monotonicMs() - this.#aliveMs);
      if (leftMs > 0) this.#wait(leftMs);
      else this.#stop("quiet");
    });
  }

  #stop(cause: "quiet" | "farewell"): void {
    if (this.cause !== null) return;
    this.cause = cause;
    const { sandbox, intent } = this.#watch;
    // A sandbox that does not answer is noticed by whoever waits for the run.
    sandbox.cancel(intent.execId).catch(() => undefined);
  }
}

function sha256(content: string | Buffer): string {
  return hash("sha256", content, "hex");
}

function quietTrip({ quiet_ms }: CommandAgent): EventInput {
  const detail = `the program has printed nothing and asked for nothing for ${Math.round(quiet_ms / 1000)} s`;
  return event("breaker.tripped", { cause: "idle", detail });
}

function joined(content: readonly { readonly text: unknown }[]): string {
  return content.map(({ text }) => (typeof text === "string" ? text : "")).join("\n");
}
