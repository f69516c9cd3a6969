/**
 * Keeps the lease alive while a driver works, and notices when the machine slept or the process was stopped: then
 * the heartbeat has a gap, and another harness may have taken over.
 */
import type { Clock } from "../core/clock.ts";
import { isNightshiftError } from "../core/errors.ts";
import type { Lease, Store } from "../store/contract.ts";

/** A heartbeat this late was held up by a sleep of the machine or a stop of the process, not by load. */
const SUSPENSION_MS = 10_000;

/** What a keeper is made of. */
export interface LeaseKeeperParts {
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly onLost: () => void;
  readonly onSuspended: (gapMs: number) => void;
}

/** Renews until stopped. */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #stopped = new AbortController();
  #renewedMs: number;
  #beatMs: number;
  #running: Promise<void> | null = null;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
    this.#renewedMs = parts.clock.monotonicMs();
    this.#beatMs = parts.clock.bootMs();
  }

  /** Begins to renew. */
  start(): void {
    this.#running = this.#run();
  }

  /** Ends the renewing; the lease itself stays as it is. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** May effects be started? False when the lease could have expired unnoticed: then it must be renewed first. */
  isFresh(): boolean {
    return this.#parts.clock.monotonicMs() - this.#renewedMs < this.#parts.ttlMs * 0.8;
  }

  /** Renews now. @returns whether the lease is still ours */
  async renew(): Promise<boolean> {
    const { store, lease, clock, ttlMs, onLost } = this.#parts;
    const askedMs = clock.monotonicMs();
    const result = await store.renew(lease, ttlMs);
    if (result.status === "fenced") {
      onLost();
      return false;
    }
    this.#renewedMs = askedMs;
    return true;
  }

  async #run(): Promise<void> {
    const { clock, ttlMs } = this.#parts;
    const beat = ttlMs / 3;
    while (!this.#stopped.signal.aborted) {
      try {
        await clock.sleep(beat, this.#stopped.signal);
      } catch {
        return;
      }
      this.#noticeGap(beat);
      if (this.#stopped.signal.aborted || !(await this.#renewQuietly())) return;
    }
  }

  #noticeGap(expectedMs: number): void {
    const now = this.#parts.clock.bootMs();
    const gapMs = Math.round(now - this.#beatMs - expectedMs);
    this.#beatMs = now;
    if (gapMs >= SUSPENSION_MS) this.#parts.onSuspended(gapMs);
  }

  /** A store that cannot answer now may answer at the next beat; the lease's expiry is the limit. */
  async #renewQuietly(): Promise<boolean> {
    try {
      return await this.renew();
    } catch (error) {
      return isNightshiftError(error) && error.retryable;
    }
  }
}
