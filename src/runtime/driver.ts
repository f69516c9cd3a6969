/**
 * The driver: the thin shell around `decide`. It commits what is to be written, sees to it that exactly the named
 * intents run, and waits for the first of: a receipt, a new log position, a due time, the loss of the lease.
 */
import type { Clock } from "../core/clock.ts";
import type { Intent, Step } from "../core/decide.ts";
import { isNightshiftError, NightshiftError } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import type { Exhausted, Wanted } from "../core/rules/budget.ts";
import type { SessionState } from "../core/state.ts";
import type { Lease, ReleaseResult, Store, StoreChange } from "../store/contract.ts";
import { fenced, type Journal } from "./journal.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { type PerformerParts, performIntent } from "./performers.ts";
import { withRetries } from "./store-retry.ts";

/** Until a session is tried again whose sandbox refused this epoch: each claim raises it by one. */
const STALE_PAUSE_MS = 1000;

/** What may be wanted anew in the same commit in which it has ended: a sandbox, the checks on the base. */
const TRIED_AGAIN: ReadonlySet<Intent["kind"]> = new Set(["provision", "preflight"]);

/** What a driver is made of. */
export interface DriverParts {
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  /** Runs already; whoever started it stops it. */
  readonly keeper: LeaseKeeper;
  readonly journal: Journal;
  readonly performers: PerformerParts;
  /**
   * Checks what was loaded without a check. It may run beside the first model request, because a wrong one does no
   * harm; its answer is kept, and anything else done, only after the check has passed.
   */
  readonly verify: (signal: AbortSignal) => Promise<void>;
  /** Called after each commit, for live views. */
  readonly onProgress?: (state: SessionState) => void;
}

/** How driving ended. */
export type DriveEnd =
  /** Nothing more to do before `due`; the lease is given back. */
  | { readonly status: "left"; readonly due: number | null }
  /** Somebody else holds the lease now. */
  | { readonly status: "fenced" }
  /** The caller wanted to stop, or the sandbox knows a higher epoch; the lease is given back and the session stays due. */
  | { readonly status: "stopped" };

interface Running {
  readonly intent: Intent;
  readonly controller: AbortController;
}

/** Drives one session under one lease. */
export class Driver {
  readonly #parts: DriverParts;
  readonly #keeper: LeaseKeeper;
  readonly #running = new Map<string, Running>();
  readonly #finished = new Map<string, Intent>();
  readonly #ended = new AbortController();
  readonly #verified: PromiseWithResolvers<void> = Promise.withResolvers();
  #isVerifying = false;
  #failure: unknown = null;
  #lost = false;
  #newsFromLog = false;
  #aliveMs: number;
  #news: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#aliveMs = parts.clock.monotonicMs();
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    this.#verified.promise.catch(() => undefined);
    this.#keeper = parts.keeper;
  }

  /** Works until there is nothing to do, the lease is lost, or `signal` aborts. @throws what a performer threw */
  async drive(signal: AbortSignal): Promise<DriveEnd> {
    const stop = () => this.#tell(() => undefined);
    const { store, lease } = this.#parts;
    const unsubscribe = store.subscribe((change) => this.#hear(change), lease.sessionId);
    signal.addEventListener("abort", stop, { once: true });
    this.#keeper.listen({
      onLost: () => this.#tell(() => (this.#lost = true)),
      onSuspended: (gapMs) => this.#tell(() => this.#noteSuspension(gapMs)),
      onFailed: (error) => this.#tell(() => (this.#failure ??= error)),
    });
    try {
      return await this.#loopOrGiveBack(signal);
    } catch (error) {
      if (isNightshiftError(error, "E_FENCED")) return { status: "fenced" };
      throw error;
    } finally {
      unsubscribe();
      signal.removeEventListener("abort", stop);
      this.#abortAll();
      this.#ended.abort();
      this.#parts.performers.connections.drop();
      this.#parts.performers.wayOut?.drop();
      this.#parts.performers.deadlines.close();
    }
  }

  async #loopOrGiveBack(signal: AbortSignal): Promise<DriveEnd> {
    try {
      return await this.#loop(signal);
    } catch (error) {
      if (!isNightshiftError(error, "E_SANDBOX_STALE")) throw error;
      // As a rule it means that somebody drives who has the lease by now; if not, it must not stay with us.
      return await this.#giveBack(STALE_PAUSE_MS);
    }
  }

  async #loop(signal: AbortSignal): Promise<DriveEnd> {
    const { journal, onProgress } = this.#parts;
    for (;;) {
      this.#news = Promise.withResolvers();
      if (this.#failure !== null) throw this.#failure;
      if (this.#lost) return { status: "fenced" };
      if (signal.aborted) return await this.#giveBack();
      if (this.#newsFromLog) {
        this.#newsFromLog = false;
        await journal.catchUp();
      }
      const step = await journal.settle(this.#parts.clock.monotonicMs() - this.#aliveMs);
      onProgress?.(journal.state);
      const end = await this.#follow(step, signal);
      if (end !== null) return end;
    }
  }

  async #follow(step: Exclude<Step, { kind: "append" }>, signal: AbortSignal): Promise<DriveEnd | null> {
    switch (step.kind) {
      case "leave":
        this.#abortAll();
        return await this.#leave(step.due);
      case "perform":
        if (!this.#keeper.isFresh() && !(await this.#keeper.renew())) return { status: "fenced" };
        this.#reconcile(step.intents);
        this.#verify();
        await this.#wait(step.withinMs, signal);
        return null;
    }
  }

  /** Starts what is named and does not run; aborts what runs and is not named. */
  #reconcile(intents: readonly Intent[]): void {
    const wanted = new Set(intents.map((intent) => intent.key));
    for (const [key, { controller }] of this.#running) {
      if (wanted.has(key)) continue;
      this.#running.delete(key);
      controller.abort();
    }
    for (const [key, { kind }] of this.#finished) {
      // Such a try ends with its receipt: what has that key afterwards is another one.
      const isAnother = TRIED_AGAIN.has(kind) && !this.#parts.journal.holdsReceipt(key);
      if (isAnother || !wanted.has(key)) this.#finished.delete(key);
    }
    for (const intent of intents) {
      if (!this.#running.has(intent.key) && !this.#finished.has(intent.key)) this.#start(intent);
    }
  }

  /** After the first intents were started: it would hold them up. */
  #verify(): void {
    if (this.#isVerifying) return;
    this.#isVerifying = true;
    this.#parts.verify(this.#ended.signal).then(this.#verified.resolve, this.#verified.reject);
  }

  #start(intent: Intent): void {
    const running = { intent, controller: new AbortController() };
    this.#running.set(intent.key, running);
    if (intent.kind === "model") this.#alive();
    void this.#perform(running);
  }

  async #perform(running: Running): Promise<void> {
    const { intent, controller } = running;
    const { journal, performers } = this.#parts;
    const { signal } = controller;
    const moment = {
      state: journal.state,
      latest: () => journal.state,
      context: journal.context,
      signal,
      onSignOfLife: () => this.#alive(),
      onFacts: (events: readonly EventInput[]) => this.#tell(() => journal.note({ intent: null, events })),
      onFact: (fact: EventInput) => this.#committed(fact, signal),
      onReservation: (fact: EventInput, wanted: Wanted) => this.#committed(fact, signal, wanted),
      isHeld: () => this.#keeper.renew(),
    };
    try {
      if (intent.kind !== "model") await this.#verified.promise;
      // It is refused for its epoch only once a higher one has had to do with sandboxes: whoever stood still asks first.
      if (intent.kind === "provision" && !this.#keeper.isFresh() && !(await this.#keeper.renew())) return;
      if (signal.aborted) return;
      const perform = () => performIntent(performers, intent, moment);
      const events = await (intent.kind === "model" ? journal.lend(perform) : perform());
      await this.#verified.promise;
      if (signal.aborted) return;
      this.#tell(() => {
        this.#finished.set(intent.key, intent);
        journal.note({ intent, events });
      });
    } catch (error) {
      if (!signal.aborted) this.#tell(() => (this.#failure ??= error));
    } finally {
      if (this.#running.get(intent.key) === running) this.#running.delete(intent.key);
    }
  }

  /** Notes one fact, or one reservation, and waits until it is in the log. Of an intent that is over it notes nothing. */
  async #committed(fact: EventInput, signal: AbortSignal, wanted?: Wanted): Promise<Sequence> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Sequence>();
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    const onCommitted = ([seq = 0]: readonly Sequence[]): void => resolve(seq);
    const onRefused = (exhausted: Exhausted): void => reject(dayIsSpent(exhausted));
    const reserving = wanted === undefined ? {} : { reserving: { wanted, onRefused } };
    this.#tell(() => this.#parts.journal.note({ intent: null, events: [fact], onCommitted, ...reserving }));
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #wait(withinMs: number | null, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (withinMs === null) return this.#news.promise;
    const cancel = this.#parts.performers.deadlines.add(withinMs, () => this.#tell(() => undefined));
    await this.#news.promise;
    cancel();
  }

  /** Gives the lease back, unless something was submitted in the same instant: then there is work. */
  async #leave(due: number | null): Promise<DriveEnd | null> {
    const { lease, journal } = this.#parts;
    const result = await this.#release(journal.state.seq, due);
    switch (result.status) {
      case "released":
        return { status: "left", due };
      case "fenced":
        throw fenced(lease, result.epoch);
      case "moved":
        await journal.catchUp();
        return null;
    }
  }

  async #giveBack(pauseMs = 0): Promise<DriveEnd> {
    this.#abortAll();
    const { clock, journal } = this.#parts;
    await journal.commitFacts();
    let { seq } = journal.state;
    for (;;) {
      const result = await this.#release(seq, clock.wallMs() + pauseMs);
      if (result.status === "released") return { status: "stopped" };
      if (result.status === "fenced") return { status: "fenced" };
      seq = result.seq;
    }
  }

  /** A lost reply is resolved by asking again: nobody but this driver can have released the lease of this epoch. */
  async #release(seq: Sequence, due: number | null): Promise<ReleaseResult> {
    const { store, lease, clock } = this.#parts;
    const result = await withRetries(clock, () => store.release(lease, { seq, due }));
    const isOver = result.status === "fenced" && result.epoch === lease.epoch;
    return isOver ? { status: "released" } : result;
  }

  #noteSuspension(gapMs: number): void {
    this.#alive();
    this.#parts.journal.note({ intent: null, events: [event("harness.suspended", { gap_ms: gapMs })] });
  }

  #abortAll(): void {
    for (const { controller } of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  /** Of what runs, only: what people send says nothing about a model that is silent. */
  #alive(): void {
    this.#aliveMs = this.#parts.clock.monotonicMs();
  }

  /** What the journal knows, or is about to be told as the answer to its own append, is no news. */
  #hear(change: StoreChange | undefined): void {
    const { lease, journal } = this.#parts;
    const isKnown =
      change !== undefined && (change.sessionId !== lease.sessionId || change.seq <= journal.reach);
    if (!isKnown) this.#tell(() => (this.#newsFromLog = true));
  }

  #tell(news: () => void): void {
    news();
    this.#news.resolve();
  }
}

function dayIsSpent(exhausted: Exhausted): NightshiftError {
  const { cap, used, limit } = exhausted;
  return new NightshiftError(
    "E_CAP_REACHED",
    `nothing was reserved: ${used} of ${limit} ${cap} are charged`,
    {
      data: { exhausted },
    },
  );
}
