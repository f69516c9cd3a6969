/**
 * Limits on waits. Nearly every wait ends long before its limit, and setting and clearing a timer for each would
 * cost more than the rest of a turn; so one timer serves all of them. It is not moved when a wait ends: when it
 * rings too early, it is set anew.
 */
import type { Clock } from "../core/clock.ts";
import { NightshiftError } from "../core/errors.ts";

interface Deadline {
  readonly atMs: number;
  readonly onExpired: () => void;
}

/** The deadlines of one driver. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #open = new Set<Deadline>();
  #isClosed = false;
  #timer: { readonly atMs: number; readonly controller: AbortController } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onExpired` after `ms`, unless the returned function was called before. Once closed, never. */
  add(ms: number, onExpired: () => void): () => void {
    if (this.#isClosed) return () => undefined;
    const deadline = { atMs: this.#clock.monotonicMs() + ms, onExpired };
    this.#open.add(deadline);
    if (this.#timer === null || deadline.atMs < this.#timer.atMs) this.#setTimer(deadline.atMs);
    return () => this.#open.delete(deadline);
  }

  /** Forgets all deadlines and leaves no timer behind. */
  close(): void {
    this.#isClosed = true;
    this.#open.clear();
    this.#stopTimer();
  }

  /** Nobody looks at the reason; without one, an error with its stack would be made each time. */
  #stopTimer(): void {
    this.#timer?.controller.abort(null);
    this.#timer = null;
  }

  #setTimer(atMs: number): void {
    this.#stopTimer();
    const timer = { atMs, controller: new AbortController() };
    this.#timer = timer;
    const wait = this.#clock.sleep(atMs - this.#clock.monotonicMs(), timer.controller.signal);
    wait.then(
      () => this.#ring(timer.controller),
      () => undefined,
    );
  }

  #ring(controller: AbortController): void {
    if (this.#timer?.controller !== controller) return;
    this.#timer = null;
    const now = this.#clock.monotonicMs();
    for (const deadline of this.#open) {
      if (deadline.atMs > now) continue;
      this.#open.delete(deadline);
      deadline.onExpired();
    }
    const next = Math.min(...[...this.#open].map(({ atMs }) => atMs));
    if (Number.isFinite(next)) this.#setTimer(next);
  }
}

/** Runs `effect`, and gives it up as a lost sandbox when it takes longer than `limitMs`. */
export async function within<T>(
  deadlines: Deadlines,
  limitMs: number,
  signal: AbortSignal,
  effect: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // It may have been given up while something before it was waited for, and must not begin then.
  signal.throwIfAborted();
  const controller = new AbortController();
  const giveUp = () => controller.abort(signal.reason);
  const expired = Promise.withResolvers<never>();
  const cancel = deadlines.add(limitMs, () => {
    const seconds = Math.round(limitMs / 1000);
    expired.reject(new NightshiftError("E_SANDBOX_LOST", `the sandbox gave no answer for ${seconds} s`));
    controller.abort();
  });
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    // Not every effect hears the signal, and one that hangs must not hold the session for ever.
    return await Promise.race([effect(controller.signal), expired.promise]);
  } finally {
    cancel();
    signal.removeEventListener("abort", giveUp);
  }
}
