/** How requests reach the committer. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { isNightshiftError } from "../../core/errors.ts";
import { storeClosed } from "../failures.ts";
import type { Committer } from "./commit.ts";
import { failureOf, type WriteOutcome, type WriteRequest } from "./requests.ts";

/** Tries to get the lock before giving up; each waits as long as the connection does for a lock. */
export const LOCK_TRIES_MAX = 50;

/** Makes requests durable. */
export interface Writer {
  /** Resolves once the outcome is durable; rejects only when it is closed. */
  write(request: WriteRequest): Promise<WriteOutcome>;
  /** What is under way settles first. */
  close(): Promise<void>;
}

/** Commits each request at once, on the caller's thread: the fastest for one active session. */
export class InlineWriter implements Writer {
  readonly #committer: Committer;
  #isClosed = false;

  constructor(committer: Committer) {
    this.#committer = committer;
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    for (let tries = 1; ; tries++) {
      if (this.#isClosed) throw storeClosed();
      try {
        const [outcome] = this.#committer.commitBatch([request]);
        if (outcome !== undefined) return outcome;
      } catch (error) {
        if (!isNightshiftError(error, "E_STORE_BUSY")) throw error;
        if (tries >= LOCK_TRIES_MAX) return { kind: "failed", failure: failureOf(error) };
      }
      // Another process holds the lock; meanwhile this one's other work goes on.
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}
