/**
 * The seams for time and chance. Only `runtime/system.ts` (and the simulator) implement them; `core` takes
 * readings as arguments.
 */

/** Three clocks, because each can lie in its own way. All in milliseconds. */
export interface Clock {
  /** Calendar time; may jump either way. */
  wallMs(): number;
  /** Never jumps, stands still while the machine sleeps; comparable between processes of one boot. */
  monotonicMs(): number;
  /** Never jumps, goes on while the machine sleeps. */
  bootMs(): number;
  /**
   * Resolves after `ms` of monotonic time. Rejects with the signal's reason as soon as it aborts, leaving no
   * timer behind.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A source of unique text. */
export interface Chance {
  /** `length` random characters out of 0-9a-z, never the same twice. */
  unique(length: number): string;
}
