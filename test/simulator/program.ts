/**
 * The attempts of a session whose worker is a program: the real worker and the real meter, with a program that writes a
 * file when its time has come, and asks for models through a gateway that is a few calls here.
 */
import { type EventInput, event } from "../../src/core/events/index.ts";
import type { GatewayMeter, RequestWish } from "../../src/gateway/model/contract.ts";
import { within } from "../../src/runtime/deadlines.ts";
import { createGatewayMeter } from "../../src/runtime/gateway-meter.ts";
import type { AttemptWatch, ProgramPlace, SessionAttempts } from "../../src/runtime/session-attempts.ts";
import type { SessionConfig } from "../../src/runtime/session-config.ts";
import type { Lease, Store } from "../../src/store/contract.ts";
import { createCommandWorker } from "../../src/worker/command.ts";
import type { Process } from "./process.ts";
import { Random } from "./random.ts";

/** How long past its own limit a program's sandbox may stay silent. */
const GRACE_MS = 60_000;
const PROMPT = "Make it so.";

/** What they need. */
export interface ProgramParts {
  readonly process: Process;
  readonly config: SessionConfig;
  readonly lease: Lease;
  readonly store: Store;
}

/** The same attempt does the same, whichever process watches it. */
export class SimulatedAttempts implements SessionAttempts {
  readonly #parts: ProgramParts;

  constructor(parts: ProgramParts) {
    this.#parts = parts;
  }

  place(): Promise<ProgramPlace> {
    return Promise.resolve({ mounts: [], environment: {}, path: [] });
  }

  async attempt(watch: AttemptWatch): Promise<EventInput[]> {
    const { config, lease } = this.#parts;
    const { intent, sandbox, state, signal, deadlines, onOutput } = watch;
    const { command } = config.agent;
    if (command === undefined) throw new Error("a session with a program says which");
    await this.#prompt(watch);
    const chance = new Random(`${lease.sessionId} attempt ${intent.attempt}`);
    const run = {
      execId: intent.execId,
      attempt: intent.attempt,
      incarnation: state.command?.incarnation ?? "",
      agent: { ...command, argv: wordsOf(chance, intent.attempt) },
      prompt: PROMPT,
      onOutput,
    };
    const over = new AbortController();
    const asked = command.gateway === undefined ? Promise.resolve() : this.#ask(watch, chance, over.signal);
    try {
      const outcome = await within(deadlines, command.wall_ms + GRACE_MS, signal, (limited) =>
        createCommandWorker().attempt(sandbox, { ...run, signal: limited }),
      );
      over.abort();
      await asked;
      return [event("attempt.ended", { attempt: intent.attempt, ...outcome })];
    } finally {
      over.abort();
    }
  }

  /** In the log before anything is started. */
  async #prompt({ intent: { attempt }, onFact }: AttemptWatch): Promise<void> {
    const { store, lease } = this.#parts;
    const range = { backwards: true, limit: 1, types: ["attempt.prompted"] };
    const [known] = await store.getEvents(lease.sessionId, range);
    if (known?.type === "attempt.prompted" && known.body.attempt === attempt) return;
    await onFact(event("attempt.prompted", { attempt, content: [{ type: "text", text: PROMPT }] }));
  }

  /** One request after the other, until a cap is reached or the attempt is over. */
  async #ask(watch: AttemptWatch, chance: Random, over: AbortSignal): Promise<void> {
    const { process, lease } = this.#parts;
    const meter = createGatewayMeter({
      attempt: watch.intent.attempt,
      epoch: lease.epoch,
      wallMs: () => process.clock.wallMs(),
      current: watch.latest,
      ...{ onFact: watch.onFact, onReservation: watch.onReservation, onFacts: watch.onFacts },
      onExhausted: () => void watch.sandbox.cancel(watch.intent.execId).catch(() => undefined),
    });
    for (let left = chance.between(0, 4); left > 0 && !over.aborted; left--) {
      await this.#pause(chance.between(10, 2000), over);
      if (over.aborted || !(await this.#request(meter, chance, over))) return;
    }
  }

  /** @returns whether another one may be let through */
  async #request(meter: GatewayMeter, chance: Random, over: AbortSignal): Promise<boolean> {
    const startedMs = this.#parts.process.clock.monotonicMs();
    const bodyBytes = chance.between(100, 4000);
    const wish: RequestWish = {
      ...{ wire: "anthropic", model: "m", askedModel: "m", isStreaming: true },
      ...{ bodyBytes, maxOutputTokens: 300 },
    };
    const admission = await meter.reserve(wish);
    if (admission.status !== "reserved") return false;
    await this.#pause(chance.between(10, 3000), over);
    const usage = {
      ...{ inputTokens: Math.ceil(bodyBytes / 4), outputTokens: chance.between(1, 300) },
      ...{ cacheReadTokens: 0, cacheWriteTokens: 0 },
    };
    const durationMs = this.#parts.process.clock.monotonicMs() - startedMs;
    const { request } = admission;
    if (over.aborted) meter.settle({ request, outcome: "interrupted", durationMs });
    else if (chance.chance(0.2)) meter.settle({ request, outcome: "failed", error: "cut off", durationMs });
    else meter.settle({ request, outcome: "answered", status: 200, usage, durationMs });
    return true;
  }

  #pause(ms: number, over: AbortSignal): Promise<void> {
    return this.#parts.process.clock.sleep(ms, over).catch(() => undefined);
  }
}

/** Of a program of this simulation's: see the shell of its workspace. */
function wordsOf(chance: Random, attempt: number): string[] {
  const ms = chance.pick([50, 800, 5000, 40_000]);
  return [
    ...["program", String(attempt), "--ms", String(ms)],
    ...["--effect", String(chance.between(0, ms)), "--exit", chance.pick(["0", "0", "1"])],
    ...(chance.chance(0.85) ? ["--file", `f${chance.between(0, 2)}`] : []),
  ];
}
