/**
 * A simulated process: a harness or a client. Its code moves on only when one of its calls is answered or one of
 * its timers fires, so whoever holds the answers back can stop it, let it go on later, or end it between any two
 * awaits.
 */
import type { Clock } from "../../src/core/clock.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { OperationName, Point } from "./pairs.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** What a fault does to the call at hand; everything else it does by itself. */
export type Strike =
  | { readonly kind: "none" | "refuse" | "lose-reply" | "no-reply" }
  | { readonly kind: "slow"; readonly ms: number };

/** Nothing happens to the call. */
export const NO_STRIKE: Strike = { kind: "none" };

/** Decides at each point what strikes. */
export interface Striker {
  strike(process: Process, point: Point, session: SessionId | null): Strike;
}

/** What a process lives in. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly striker: Striker;
}

/** Errors that a seam gives when a fault strikes a call. */
export interface CallErrors {
  readonly refused: () => unknown;
  readonly lost: () => unknown;
}

/** One process. */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly #surroundings: Surroundings;
  readonly #held: (() => void)[] = [];
  readonly #deaths: (() => void)[] = [];
  #state: "running" | "stopped" | "dead" = "running";

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.#surroundings = surroundings;
    const { scheduler } = surroundings;
    this.clock = {
      wallMs: () => scheduler.wallMs(),
      monotonicMs: () => scheduler.monotonicMs(),
      bootMs: () => scheduler.bootMs(),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Ends it: nothing of it ever moves again. What it has under way elsewhere goes on. */
  kill(): void {
    this.#state = "dead";
    this.#held.length = 0;
    for (const notice of this.#deaths) notice();
  }

  /** Calls back when it dies, as a closed connection would tell. */
  onDeath(notice: () => void): void {
    this.#deaths.push(notice);
  }

  /** Stands still for `ms`; answers and timers pile up meanwhile. */
  stopFor(ms: number): void {
    if (this.#state !== "running") return;
    this.#state = "stopped";
    this.#surroundings.scheduler.after(ms, () => {
      if (this.#state !== "stopped") return;
      this.#state = "running";
      this.#surroundings.trace.note(this.name, "goes on");
      for (const resume of this.#held.splice(0)) this.#surroundings.scheduler.post(() => this.run(resume));
    });
  }

  /** Runs code of this process now, later when it stands still, never when it is dead. */
  run(code: () => void): void {
    if (this.#state === "running") code();
    else if (this.#state === "stopped") this.#held.push(code);
  }

  /** Waits for its turn among everything that is ready, then for what strikes here. */
  async at(point: Point, session: SessionId | null, detail = ""): Promise<Strike> {
    // The engine's looks are so frequent that nothing is gained by letting others go before each of them.
    if (point !== "due.before") await this.#turn();
    const { trace, striker } = this.#surroundings;
    trace.note(this.name, point, detail);
    const strike = striker.strike(this, point, session);
    // A crash or a stop has struck this very process.
    if (this.#state !== "running") await new Promise<void>((resolve) => this.run(resolve));
    if (strike.kind === "slow") await this.pause(strike.ms);
    return strike;
  }

  /** Takes a call across the border and back. `effect` runs on the other side. */
  async call<T>(
    name: OperationName,
    session: SessionId | null,
    effect: () => Promise<T>,
    errors: CallErrors,
    signal?: AbortSignal,
  ): Promise<T> {
    const before = await this.at(`${name}.before`, session);
    if (before.kind === "refuse") throw errors.refused();
    const outcome = await settle(effect());
    const after = await this.at(`${name}.after`, session, outcome.ok ? "" : describe(outcome.error));
    if (after.kind === "no-reply") return this.silence(signal);
    if (!outcome.ok) throw outcome.error;
    if (after.kind === "lose-reply") throw errors.lost();
    return outcome.value;
  }

  /** A reply that never comes; only who has said when to stop waiting is heard. */
  silence(signal: AbortSignal | undefined): Promise<never> {
    return new Promise((_, reject) => {
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** Virtual time passes for this process without a point at its end. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#surroundings.scheduler.after(ms, () => this.run(resolve));
    });
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#surroundings.scheduler.post(() => this.run(resolve));
    });
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.#surroundings.scheduler.after(ms, () => {
        signal?.removeEventListener("abort", abort);
        void this.at("timer.after", null).then(() => resolve());
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );
}

function describe(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : String(error);
}
