/** The services of a session's contract beside the agent's commands: what the fold asks for, and what became of it. */
import type { Clock } from "../core/clock.ts";
import type { Service } from "../core/contract/contract.ts";
import { assert, isNightshiftError } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { SandboxState, SessionState } from "../core/state.ts";
import type { Sandbox } from "../sandbox/contract.ts";
import {
  type RunningServices,
  type ServiceFailure,
  type ServiceOptions,
  startServices,
  watchServices,
} from "../sandbox/services.ts";
import { commandOf } from "../sandbox/shell-words.ts";
import { type Deadlines, within } from "./deadlines.ts";

/** Longer than a sandbox is in use; the daemon's timers reach no further. */
const LIFE_MS = 20 * 24 * 3_600_000;
/** For what a daemon does besides waiting until they are ready. */
const GRACE_MS = 30_000;
/** Of what one printed, for the model. */
const SHOWN_CHARACTERS = 2000;
const MESSAGE_LENGTH_MAX = 1000;
const NEVER: AbortSignal = new AbortController().signal;

/** What cannot be started or looked at, as opposed to a sandbox that is lost. */
const UNFIT: readonly string[] = ["E_CONFIG", "E_SANDBOX_UNAVAILABLE"];

type Failed = EventInput<"sandbox.services_failed">;
type Failure = Omit<ServiceFailure, "reason"> & Pick<Failed["body"], "reason">;

/** Those of one driver's sandbox; another driver finds them by their names. */
export class SessionServices {
  readonly #clock: Clock;
  /** Of the incarnation that is at hand. */
  #watched: { readonly incarnation: string; readonly running: RunningServices } | null = null;
  #toldOf: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts what the fold asks for, or finds it started. @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE` */
  async start(sandbox: Sandbox, state: SessionState, signal: AbortSignal): Promise<EventInput> {
    const { services, asked } = wantedOf(state);
    const startedMs = this.#clock.monotonicMs();
    try {
      const start = await startServices(sandbox, services, optionsOf(asked, signal));
      if (start.status === "failed") return failedEvent(asked, start.failure);
      this.#watched = { incarnation: asked.incarnation, running: start.services };
    } catch (error) {
      if (!isNightshiftError(error) || !UNFIT.includes(error.code)) throw error;
      const [first] = services;
      const { message } = error;
      return failedEvent(asked, { argv: first?.argv ?? [], reason: "cannot_start", message, output: "" });
    }
    const duration_ms = Math.max(0, Math.round(this.#clock.monotonicMs() - startedMs));
    const { id, incarnation } = asked;
    return event("sandbox.services_ready", { sandbox: id, incarnation, duration_ms });
  }

  /** One that was ready and has ended, once. */
  news(sandbox: Sandbox, state: SessionState): EventInput[] {
    if (state.sandbox?.services?.status !== "ready") return [];
    const { services, asked } = wantedOf(state);
    const { incarnation } = asked;
    if (this.#watched?.incarnation !== incarnation) {
      this.#watched = { incarnation, running: watchServices(sandbox, services, optionsOf(asked, NEVER)) };
    }
    const failure = this.#watched.running.failure();
    if (failure === null || this.#toldOf === incarnation) return [];
    this.#toldOf = incarnation;
    return [failedEvent(asked, failure)];
  }
}

/** Has those of a session started, or says that there is nothing here that could. */
export async function serve(
  { services, deadlines }: { readonly services: SessionServices | null; readonly deadlines: Deadlines },
  { state, signal }: { readonly state: SessionState; readonly signal: AbortSignal },
  connect: () => Promise<Sandbox>,
): Promise<EventInput[]> {
  if (services === null) return [notStarted(state)];
  const sandbox = await connect();
  const start = (limited: AbortSignal): Promise<EventInput> => services.start(sandbox, state, limited);
  return [await within(deadlines, startMsMax(state), signal, start)];
}

/** How long a start may take at the most. */
function startMsMax({ contract }: SessionState): number {
  const { services = [] } = contract?.contract ?? {};
  return services.reduce((sum, each) => sum + each.within_ms, GRACE_MS);
}

/** Those of a sandbox without ports of its own would be in the way of those of the checks. */
function notStarted(state: SessionState): EventInput {
  const { services, asked } = wantedOf(state);
  const argv = services[0]?.argv ?? [];
  const message = `the service \`${commandOf(argv).slice(0, 200)}\` was not started, because this sandbox shares its ports with the machine`;
  return failedEvent(asked, { argv, reason: "not_isolated", message, output: "" });
}

type Asked = SandboxState & { readonly services: NonNullable<SandboxState["services"]> };

function wantedOf({ sandbox, contract }: SessionState): {
  readonly services: readonly Service[];
  readonly asked: Asked;
} {
  const services = contract?.contract.services;
  assert(
    services !== undefined && sandbox !== null && sandbox.services !== null,
    "the fold asks for services",
  );
  return { services, asked: { ...sandbox, services: sandbox.services } };
}

/** The list is in the name: another one, after an amendment, is another start. */
function optionsOf({ services }: Asked, signal: AbortSignal): ServiceOptions {
  return { run: `worker-${services.hash.slice(0, 12)}`, lifeMs: LIFE_MS, signal };
}

function failedEvent({ id, incarnation }: Asked, { argv, reason, message, output }: Failure): Failed {
  const printed = output.slice(-SHOWN_CHARACTERS).trim();
  const text = [
    `[harness] In your sandbox, ${message.slice(0, MESSAGE_LENGTH_MAX)}.`,
    "Commands run without it, and the harness does not start it again there; for the checks it starts its own.",
    "If you need it, start it in the background.",
    ...(printed === "" ? [] : [`It printed:\n${printed}`]),
  ].join(" ");
  return event("sandbox.services_failed", {
    sandbox: id,
    incarnation,
    argv: [...argv],
    reason,
    message: message.slice(0, MESSAGE_LENGTH_MAX),
    content: [{ type: "text", text }],
  });
}
