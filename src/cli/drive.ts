/**
 * Being somebody who fires `due` for one session: an engine with a view beside it, until the session rests. When
 * another process drives, this one watches, and takes over should that one die.
 */
import { isNightshiftError } from "../core/errors.ts";
import type { SessionEvent } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import { runEngine } from "../runtime/engine.ts";
import type { OpenHarness } from "../runtime/open.ts";
import type { SessionRecord } from "../store/contract.ts";
import { summaryOf } from "./session-facts.ts";

const PAGE = 500;

/** What to watch and how to show it. */
export interface WatchOptions {
  readonly harness: OpenHarness;
  readonly sessionId: SessionId;
  /** Events after this position are shown. */
  readonly after: Sequence;
  readonly show: (event: SessionEvent) => void;
  /** Aborting leaves; whoever drives gives the lease back. */
  readonly signal: AbortSignal;
}

/** What to drive and how to show it. */
export interface DriveOptions extends WatchOptions {
  /** Told of failures after which the engine tries again. */
  readonly trouble: (error: unknown) => void;
  /** Stay while something may still come: an answer of a person, a higher cap, a due time. */
  readonly stays?: boolean;
}

/** Failures that may pass by themselves, before the person is asked to see to it. */
const FAILURES_MAX = 3;

/** How it ended. */
export type DriveOutcome = "rests" | "left";

/** @throws whatever stopped the driver */
export async function driveToRest(options: DriveOptions): Promise<DriveOutcome> {
  const { harness, sessionId, signal, stays = false } = options;
  const stop = new AbortController();
  const news = new News();
  const failures: unknown[] = [];
  const engine = runEngine(
    harness,
    {
      concurrency: 1,
      only: new Set([sessionId]),
      onWoken: () => news.tell(),
      onFailure: (_id, error) => {
        failures.push(error);
        news.tell();
        if (!isFinal(failures)) options.trouble(error);
      },
    },
    AbortSignal.any([signal, stop.signal]),
  );
  try {
    return await untilRest(options, news, (record) => {
      if (isFinal(failures)) throw failures.at(-1);
      return !(stays && isWaiting(record));
    });
  } finally {
    stop.abort();
    await engine;
  }
}

/** Only looks on, whoever drives it. */
export function watchToRest(options: WatchOptions): Promise<DriveOutcome> {
  return untilRest(options, new News(), () => true);
}

/** @param mayEnd - asked at each look; may a session at rest be left? */
async function untilRest(
  options: WatchOptions,
  news: News,
  mayEnd: (record: SessionRecord | undefined) => boolean,
): Promise<DriveOutcome> {
  const { harness, sessionId, signal } = options;
  const unsubscribe = harness.store.subscribe(() => news.tell());
  const onAbort = () => news.tell();
  signal.addEventListener("abort", onAbort, { once: true });
  const view = new LogView(options);
  try {
    for (;;) {
      const heard = news.next();
      await view.catchUp();
      const record = await harness.store.getSession(sessionId);
      const isFree = mayEnd(record);
      if (signal.aborted) return "left";
      if (isFree && isAtRest(record, harness.clock.wallMs())) return "rests";
      await heard;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    unsubscribe();
  }
}

/** Is there nothing to be gained by another try? */
function isFinal(failures: readonly unknown[]): boolean {
  const last = failures.at(-1);
  if (last === undefined) return false;
  if (failures.length >= FAILURES_MAX || !isNightshiftError(last) || !last.retryable) return true;
  // Nobody frees space for a process that only waits.
  return last.code === "E_STORE_FULL";
}

/** Does this harness itself hold the session's lease? */
export async function isDrivenHere(harness: OpenHarness, sessionId: SessionId): Promise<boolean> {
  const record = await harness.store.getSession(sessionId);
  return record?.held === true && record.owner?.harness === harness.owner.harness;
}

/** Nobody drives it, and nothing is to be done before a person comes (a sandbox may wait for the end of its grace). */
function isAtRest(record: SessionRecord | undefined, now: number): boolean {
  if (record === undefined) return true;
  if (record.held) return false;
  return record.due === null || (record.due > now && summaryOf(record)?.phase === "idle");
}

/** Ways to rest after which nothing comes unless somebody begins anew. */
const OVER: ReadonlySet<string> = new Set([
  "verified",
  "already_green",
  "unmet",
  "end_turn",
  "refusal",
  "max_tokens",
  "stopped",
  "failed",
]);

/** It rests for a person, a cap or a time. */
function isWaiting(record: SessionRecord | undefined): boolean {
  const summary = record === undefined ? undefined : summaryOf(record);
  return summary?.phase !== "terminated" && !OVER.has(summary?.stopReason ?? "");
}

/** Shows a log as it grows. */
class LogView {
  readonly #options: WatchOptions;
  #after: Sequence;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#after = options.after;
  }

  async catchUp(): Promise<void> {
    const { harness, sessionId, show } = this.#options;
    for (;;) {
      const events = await harness.store.getEvents(sessionId, { after: this.#after, limit: PAGE });
      for (const event of events) show(event);
      this.#after = events.at(-1)?.seq ?? this.#after;
      if (events.length < PAGE) return;
    }
  }
}

/** Something happened; told before or after somebody waits for it. */
class News {
  #told: PromiseWithResolvers<void> = Promise.withResolvers();

  tell(): void {
    this.#told.resolve();
  }

  /** Resolves with the next news from now on. */
  next(): Promise<void> {
    this.#told = Promise.withResolvers();
    return this.#told.promise;
  }
}
