/** Turns for things that must not all happen at once. */
import { NightshiftError } from "../../core/errors.ts";

/** A fixed number of turns, given in the order of asking. */
export class Slots {
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number, waitingMax: number) {
    this.#free = count;
    this.#waitingMax = waitingMax;
  }

  /**
   * True when it is the caller's turn, false when the signal aborted before that.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when too many wait
   */
  async take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    if (this.#waiting.length >= this.#waitingMax) {
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `${this.#waitingMax} executions wait already`, {
        retryable: true,
      });
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const turn = (): void => resolve(true);
    const leave = (): void => {
      const place = this.#waiting.indexOf(turn);
      if (place !== -1) this.#waiting.splice(place, 1);
      resolve(false);
    };
    this.#waiting.push(turn);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Gives a turn back. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
