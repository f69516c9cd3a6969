/** Time that stands still until a test moves it. */
import type { Clock } from "../../src/core/clock.ts";
import { START_MS } from "./events.ts";

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Rounds of the event loop in which everything that can go on without time has gone on. */
const SETTLING_ROUNDS = 12;
/** More timers than any test needs; reached when something sleeps in a circle. */
const TIMERS_MAX = 100_000;

/** Lets everything go on that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let round = 0; round < SETTLING_ROUNDS; round++) await new Promise((resolve) => setImmediate(resolve));
}

/** All three clocks, moved by hand. */
export class ManualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #monotonicMs = 0;
  #wallMs = START_MS;
  #bootMs = 50_000;

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  bootMs(): number {
    return this.#bootMs;
  }

  /** Timers that are set. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const wake = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const sleeper = { atMs: this.#monotonicMs + Math.max(0, ms), wake };
      const giveUp = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Somebody sets the calendar. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** The machine sleeps: calendar and uptime go on, timers do not. */
  suspend(ms: number): void {
    this.#wallMs += ms;
    this.#bootMs += ms;
  }

  /** Lets time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    await settled();
    for (let count = 0; count < TIMERS_MAX; count++) {
      const next = this.#next();
      if (next === undefined || next.atMs > end) {
        this.#moveTo(end);
        return;
      }
      await this.#ring(next);
    }
    throw new Error("timers without end");
  }

  /** Lets time pass, as much as it takes for `outcome`. */
  async until<T>(outcome: Promise<T>): Promise<T> {
    let isDone = false;
    const mark = () => {
      isDone = true;
    };
    outcome.then(mark, mark);
    for (let count = 0; count < TIMERS_MAX; count++) {
      await settled();
      if (isDone) return outcome;
      const next = this.#next();
      if (next !== undefined) await this.#ring(next);
    }
    throw new Error("nothing moves it");
  }

  /** Lets time pass, as much as it takes for `condition` to hold. */
  async untilTrue(condition: () => boolean): Promise<void> {
    for (let count = 0; count < TIMERS_MAX; count++) {
      await settled();
      if (condition()) return;
      const next = this.#next();
      if (next === undefined) throw new Error(`no timer moves it: ${condition}`);
      await this.#ring(next);
    }
    throw new Error(`nothing moves it: ${condition}`);
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (first === undefined || sleeper.atMs < first.atMs) first = sleeper;
    return first;
  }

  async #ring(sleeper: Sleeper): Promise<void> {
    this.#sleepers.delete(sleeper);
    this.#moveTo(sleeper.atMs);
    sleeper.wake();
    await settled();
  }

  #moveTo(atMs: number): void {
    const ms = Math.max(0, atMs - this.#monotonicMs);
    this.#monotonicMs += ms;
    this.#wallMs = Math.round(this.#wallMs + ms);
    this.#bootMs += ms;
  }
}
