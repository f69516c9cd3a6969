/**
 * The engine: whoever calls `wake` when something is due. One timer for the earliest due time, the store's hints,
 * and a bounded number of sessions at once. It keeps nothing: due times live in the store.
 */
import { isNightshiftError, messageOf } from "../core/errors.ts";
import type { SessionId } from "../core/ids.ts";
import { type Harness, type WakeOptions, type WakeResult, wake } from "./wake.ts";

/** Looks at least this often: a clock that jumped must not strand a session. */
const SCAN_MAX_MS = 60_000;
/** After a failed look. */
const SCAN_AGAIN_MS = 1000;
/** After a wake that failed, and might not even have got the lease. */
const WAKE_AGAIN_MS = 1000;
const SCAN_LIMIT = 256;

/** How an engine behaves. */
export interface EngineOptions {
  /** Sessions driven at once. */
  readonly concurrency: number;
  /** Only these sessions; absent for all. */
  readonly only?: ReadonlySet<SessionId>;
  readonly wake?: (sessionId: SessionId) => WakeOptions;
  readonly onWoken?: (sessionId: SessionId, result: WakeResult) => void;
  readonly onFailure?: (sessionId: SessionId, error: unknown) => void;
}

/** Runs until the signal aborts; then gives all leases back and resolves. */
export async function runEngine(
  harness: Harness,
  options: EngineOptions,
  signal: AbortSignal,
): Promise<void> {
  await new Engine(harness, options, signal).run();
}

class Engine {
  readonly #harness: Harness;
  readonly #options: EngineOptions;
  readonly #signal: AbortSignal;
  readonly #active = new Map<SessionId, Promise<void>>();
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(harness: Harness, options: EngineOptions, signal: AbortSignal) {
    this.#harness = harness;
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const look = () => this.#changed.resolve();
    const unsubscribe = this.#harness.store.subscribe((change) => {
      // What is driven here is looked at again when its wake ends, not at each of its commits.
      if (change === undefined || !this.#active.has(change.sessionId)) look();
    });
    this.#signal.addEventListener("abort", look, { once: true });
    try {
      while (!this.#signal.aborted) {
        this.#changed = Promise.withResolvers();
        const waitMs = await this.#scanSafely();
        await this.#wait(waitMs);
      }
    } finally {
      unsubscribe();
      this.#signal.removeEventListener("abort", look);
      await Promise.all(this.#active.values());
    }
  }

  /** A store that cannot answer now may answer soon: an engine that gave up would strand every session. */
  async #scanSafely(): Promise<number> {
    try {
      return await this.#scan();
    } catch (error) {
      if (!isNightshiftError(error) || !error.retryable) throw error;
      return SCAN_AGAIN_MS;
    }
  }

  /** Wakes what is ready. @returns when to look again at the latest */
  async #scan(): Promise<number> {
    const { store, clock } = this.#harness;
    const now = clock.wallMs();
    const { ready, nextDue, heldForMs } = await store.listDue({ now, limit: SCAN_LIMIT });
    for (const sessionId of ready) {
      if (this.#active.size >= this.#options.concurrency) break;
      if (!this.#active.has(sessionId) && (this.#options.only?.has(sessionId) ?? true))
        this.#begin(sessionId);
    }
    const untilDue = nextDue === null ? SCAN_MAX_MS : nextDue - now;
    return Math.max(1, Math.min(SCAN_MAX_MS, untilDue, heldForMs ?? SCAN_MAX_MS));
  }

  #begin(sessionId: SessionId): void {
    this.#active.set(sessionId, this.#wake(sessionId));
  }

  async #wake(sessionId: SessionId): Promise<void> {
    const { onWoken, onFailure } = this.#options;
    try {
      const result = await wake(this.#harness, sessionId, {
        ...this.#options.wake?.(sessionId),
        signal: this.#signal,
      });
      onWoken?.(sessionId, result);
    } catch (error) {
      onFailure?.(sessionId, error);
      if (onFailure === undefined) process.emitWarning(`${sessionId}: ${messageOf(error)}`);
      // It is still due, and would be woken again at once.
      await this.#harness.clock.sleep(WAKE_AGAIN_MS, this.#signal).catch(() => undefined);
    } finally {
      this.#active.delete(sessionId);
      this.#changed.resolve();
    }
  }

  async #wait(waitMs: number): Promise<void> {
    const timer = new AbortController();
    const due = this.#harness.clock.sleep(waitMs, timer.signal).catch(() => undefined);
    await Promise.race([this.#changed.promise, due]);
    timer.abort();
  }
}
