/** Notices writes of other processes, by SQLite's counter of foreign commits. */
import type { SessionId } from "../../core/ids.ts";
import type { StoreChange } from "../contract.ts";
import type { Connection } from "./connection.ts";

/** How often to look. */
const LOOK_EVERY_MS = 40;

/** Starts calling back again and again; returns the way to stop it. */
export type Ticker = (everyMs: number, look: () => void) => () => void;

/** A timer. It keeps the process alive: whoever follows a log waits for something. */
export const timerTicker: Ticker = (everyMs, look) => {
  const timer = setInterval(look, everyMs);
  return () => clearInterval(timer);
};

type Listener = (change?: StoreChange) => void;

const NOBODY: ReadonlySet<Listener> = new Set();

/**
 * Asks the connection that writes for its counter of foreign commits, if it is another one than that which looks:
 * to the latter, this process's own commits are foreign too. Undefined when it has not written anything.
 */
export type AskWriter = () => Promise<unknown>;

/** The listeners of one store; looks at the database only while there are any. */
export class Watch {
  readonly #connection: Connection;
  readonly #ticker: Ticker;
  readonly #askWriter: AskWriter | undefined;
  /** By what they want to hear of; those under `null` hear of everything. */
  readonly #listeners = new Map<SessionId | null, Set<Listener>>();
  #stop: (() => void) | undefined;
  #version: unknown;
  #writerVersion: unknown;
  #isAsking = false;

  constructor(connection: Connection, ticker: Ticker, askWriter?: AskWriter) {
    this.#connection = connection;
    this.#ticker = ticker;
    this.#askWriter = askWriter;
  }

  /** See `Store.subscribe`. */
  subscribe(listener: Listener, sessionId: SessionId | null = null): () => void {
    // Of its own, so that the same function can be subscribed twice and stopped once.
    const ownListener: Listener = (change) => listener(change);
    const listeners = this.#listeners.get(sessionId) ?? new Set();
    this.#listeners.set(sessionId, listeners.add(ownListener));
    if (this.#stop === undefined) {
      this.#version = this.#read();
      this.#stop = this.#ticker(LOOK_EVERY_MS, () => this.#look());
    }
    return () => {
      listeners.delete(ownListener);
      if (listeners.size > 0 || this.#listeners.get(sessionId) !== listeners) return;
      this.#listeners.delete(sessionId);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Tells those whom it may concern, after the present call has been answered. */
  notify(change?: StoreChange): void {
    queueMicrotask(() => {
      for (const listeners of this.#concerned(change)) for (const listener of listeners) listener(change);
    });
  }

  #concerned(change: StoreChange | undefined): Iterable<ReadonlySet<Listener>> {
    if (change === undefined) return this.#listeners.values();
    return [this.#listeners.get(null) ?? NOBODY, this.#listeners.get(change.sessionId) ?? NOBODY];
  }

  /** Stops looking. */
  close(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#listeners.clear();
  }

  #look(): void {
    const version = this.#read();
    if (version === this.#version) return;
    if (this.#askWriter === undefined) this.notify();
    // While one question is open, the change is left to be seen at the next look.
    else if (this.#isAsking) return;
    else void this.#ask(this.#askWriter);
    this.#version = version;
  }

  async #ask(askWriter: AskWriter): Promise<void> {
    this.#isAsking = true;
    const version = await askWriter().catch(() => undefined);
    this.#isAsking = false;
    if (version === undefined || version !== this.#writerVersion) this.notify();
    this.#writerVersion = version;
  }

  /** What cannot be read now will be told by the next real call. */
  #read(): unknown {
    try {
      return this.#connection.statement("PRAGMA data_version").get()?.[0];
    } catch {
      return undefined;
    }
  }
}
