/**
 * Keeps the lease alive while a driver works, and notices when the machine slept or the process was stopped: then
 * the heartbeat has a gap, and another harness may have taken over.
 */
import type { Clock } from "../core/clock.ts";
import { isNightshiftError } from "../core/errors.ts";
import type { Lease, Store } from "../store/contract.ts";

/** How long a lease lasts without a heartbeat. */
export const LEASE_TTL_MS = 10_000;
/** A heartbeat this late was held up by a sleep of the machine or a stop of the process, not by load. */
const SUSPENSION_MS = 10_000;

/** What a keeper is made of. */
export interface LeaseKeeperParts {
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** Monotonic time before the lease was claimed. Default: now. */
  readonly claimedMs?: number;
}

/** Who wants to know how it goes with the lease. */
export interface LeaseListener {
  /** Somebody else holds it now. */
  onLost(): void;
  onSuspended(gapMs: number): void;
  /** It cannot be renewed any more, because the store fails for good. */
  onFailed(error: unknown): void;
}

/** Renews until stopped. Begins with the claim, because reading a long log may take longer than a lease lasts. */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #stopped = new AbortController();
  readonly #missed: ((listener: LeaseListener) => void)[] = [];
  #listener: LeaseListener | null = null;
  #renewedMs: number;
  #beatMs: number;
  #running: Promise<void> | null = null;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
    this.#renewedMs = parts.claimedMs ?? parts.clock.monotonicMs();
    this.#beatMs = parts.clock.bootMs();
  }

  /** Begins to renew. */
  start(): void {
    this.#running = this.#run();
  }

  /** Tells this listener from now on, and at once what it has missed. */
  listen(listener: LeaseListener): void {
    this.#listener = listener;
    for (const tell of this.#missed.splice(0)) tell(listener);
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
    const { store, lease, clock, ttlMs } = this.#parts;
    const askedMs = clock.monotonicMs();
    const result = await store.renew(lease, ttlMs);
    if (result.status === "fenced") {
      this.#tell((listener) => listener.onLost());
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
    if (gapMs >= SUSPENSION_MS) this.#tell((listener) => listener.onSuspended(gapMs));
  }

  /** A store that cannot answer now may answer at the next beat; the lease's expiry is the limit. */
  async #renewQuietly(): Promise<boolean> {
    try {
      return await this.renew();
    } catch (error) {
      if (isNightshiftError(error) && error.retryable) return true;
      this.#tell((listener) => listener.onFailed(error));
      return false;
    }
  }

  #tell(what: (listener: LeaseListener) => void): void {
    if (this.#listener === null) this.#missed.push(what);
    else what(this.#listener);
  }
}
