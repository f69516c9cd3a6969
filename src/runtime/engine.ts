/**
 * The engine: whoever calls `wake` when something is due. One timer for the earliest due time, the store's hints,
 * and a bounded number of sessions at once. It keeps nothing but the memory of failures: due times live in the store.
 */
import { isNightshiftError, messageOf } from "../core/errors.ts";
import type { SessionId } from "../core/ids.ts";
import { type Harness, type WakeOptions, type WakeResult, wake } from "./wake.ts";

/** Looks at least this often: a clock that jumped must not strand a session. */
const SCAN_MAX_MS = 60_000;
/** After a failed look. */
const SCAN_AGAIN_MS = 1000;
/** After a wake that failed, and might not even have got the lease: doubled each time, up to a minute. */
const WAKE_AGAIN_MS = 1000;
const WAKE_AGAIN_MAX_MS = 60_000;
const SCAN_LIMIT = 256;
const SCAN_LIMIT_MAX = 10_000;
/** Smaller corrections of the calendar delay nothing that matters. */
const SET_BACK_MS = 1000;

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

/** A session that failed to wake. It stays due, so the engine must remember not to try it in a circle. */
interface Resting {
  readonly failures: number;
  readonly untilMs: number;
}

class Engine {
  readonly #harness: Harness;
  readonly #options: EngineOptions;
  readonly #signal: AbortSignal;
  readonly #active = new Map<SessionId, Promise<void>>();
  readonly #resting = new Map<SessionId, Resting>();
  /** Due by a calendar that has been set back since. */
  readonly #stranded = new Set<SessionId>();
  /** Where the calendar stood at the last look, against a clock that nobody sets. */
  #calendarMs: number | null = null;
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
    const { only, concurrency } = this.#options;
    const now = clock.wallMs();
    const limit = Math.min(SCAN_LIMIT_MAX, SCAN_LIMIT + this.#resting.size);
    const { ready, nextDue, heldForMs } = await store.listDue({ now, limit });
    for (const sessionId of only === undefined ? ready : await this.#dueAmong(only, now)) {
      if (this.#active.size >= concurrency) break;
      if (!this.#active.has(sessionId) && this.#restsForMs(sessionId) <= 0) this.#begin(sessionId);
    }
    await this.#noticeSetBack(now, nextDue);
    this.#beginStranded();
    const untilDue = nextDue === null ? SCAN_MAX_MS : nextDue - now;
    const rests = [...this.#resting.keys()].map((id) => this.#restsForMs(id)).filter((ms) => ms > 0);
    return Math.max(1, Math.min(SCAN_MAX_MS, untilDue, heldForMs ?? SCAN_MAX_MS, ...rests));
  }

  /**
   * Due times are calendar times. Should the calendar be set back, all that waits is looked at once: the policy says
   * of each whether its wait, decided in what is now the future, is over. At the start, only what was written in the
   * future can have been overtaken.
   */
  async #noticeSetBack(now: number, nextDue: number | null): Promise<void> {
    const { store, clock } = this.#harness;
    const before = this.#calendarMs;
    const calendarMs = now - clock.bootMs();
    const isSetBack = before === null || before - calendarMs > SET_BACK_MS;
    if (isSetBack && nextDue !== null) {
      const waiting =
        this.#options.only ??
        (await store.listDue({ now: Number.MAX_SAFE_INTEGER, limit: SCAN_LIMIT_MAX })).ready;
      for (const sessionId of waiting) {
        const record = await store.getSession(sessionId).catch(() => undefined);
        const waits = record?.due != null && record.due > now && !record.held;
        if (waits && (before !== null || record.updatedAt > now)) this.#stranded.add(sessionId);
      }
    }
    this.#calendarMs = calendarMs;
  }

  #beginStranded(): void {
    for (const sessionId of this.#stranded) {
      if (this.#active.size >= this.#options.concurrency) return;
      this.#stranded.delete(sessionId);
      if (!this.#active.has(sessionId)) this.#begin(sessionId);
    }
  }

  /** Looked up one by one: a list of all that is due may be long and full of others. */
  async #dueAmong(only: ReadonlySet<SessionId>, now: number): Promise<readonly SessionId[]> {
    const due: SessionId[] = [];
    for (const sessionId of only) {
      if (this.#active.has(sessionId)) continue;
      const record = await this.#harness.store.getSession(sessionId).catch(() => null);
      // What cannot be looked up cannot be woken either, and the wake says why.
      if (record === null || (record?.due != null && record.due <= now && !record.held)) due.push(sessionId);
    }
    return due;
  }

  #restsForMs(sessionId: SessionId): number {
    const untilMs = this.#resting.get(sessionId)?.untilMs ?? 0;
    return untilMs - this.#harness.clock.monotonicMs();
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
      this.#resting.delete(sessionId);
      onWoken?.(sessionId, result);
    } catch (error) {
      this.#rest(sessionId);
      onFailure?.(sessionId, error);
      if (onFailure === undefined) process.emitWarning(`${sessionId}: ${messageOf(error)}`);
    } finally {
      this.#active.delete(sessionId);
      this.#changed.resolve();
    }
  }

  #rest(sessionId: SessionId): void {
    const failures = (this.#resting.get(sessionId)?.failures ?? 0) + 1;
    const restMs = Math.min(WAKE_AGAIN_MAX_MS, WAKE_AGAIN_MS * 2 ** Math.min(failures - 1, 10));
    this.#resting.set(sessionId, { failures, untilMs: this.#harness.clock.monotonicMs() + restMs });
  }

  async #wait(waitMs: number): Promise<void> {
    const timer = new AbortController();
    const due = this.#harness.clock.sleep(waitMs, timer.signal).catch(() => undefined);
    await Promise.race([this.#changed.promise, due]);
    // Nobody looks at the reason; without one an error with its stack would be made, seven times as dear as the rest.
    timer.abort(null);
  }
}
