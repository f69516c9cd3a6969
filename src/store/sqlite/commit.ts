/**
 * The one way to write: a batch of requests in one transaction with one sync, each compared and applied by itself.
 * Synchronous from beginning to end, so that it runs inline, on a thread, and in the simulator alike.
 */
import { isNightshiftError, NightshiftError } from "../../core/errors.ts";
import { type Applied, Applier } from "./apply.ts";
import type { Connection } from "./connection.ts";
import type { Head, HeadsFile } from "./heads.ts";
import { failureOf, type WriteOutcome, type WriteRequest } from "./requests.ts";
import { InDoubtError, isBusy, isOfTransaction, isPoison, storeError } from "./sql-errors.ts";

/** When nobody waits, the WAL is moved into the database from about this many pages on. */
const IDLE_PAGES = 1000;
/** What a request writes besides the bodies, and how much of a body goes into a page. */
const PAGES_PER_REQUEST = 4;
const BODY_PER_PAGE = 1800;

/** Commits batches through one connection. */
export class Committer {
  readonly #connection: Connection;
  readonly #heads: HeadsFile;
  readonly #applier: Applier;
  /** Roughly how many pages were written since the WAL was moved. */
  #pages = 0;

  constructor(connection: Connection, heads: HeadsFile) {
    this.#connection = connection;
    this.#heads = heads;
    this.#applier = new Applier(connection, heads);
  }

  /**
   * Gives one outcome per request, in order. When it returns, what the outcomes say is durable.
   * @throws NightshiftError `E_STORE_BUSY` when another process has the lock: then nothing was tried, so try again
   */
  commitBatch(requests: readonly WriteRequest[]): readonly WriteOutcome[] {
    try {
      return this.#transact(requests, false);
    } catch (error) {
      if (isBusy(error)) throw storeError(error, this.#connection.path);
      if (!isPoison(error)) return this.#allFailed(requests, error);
      return this.#resolve(requests);
    }
  }

  /** One request by itself; undefined when another process has the lock, and nothing was tried. */
  commitUnlessBusy(request: WriteRequest): WriteOutcome | undefined {
    try {
      return this.commitBatch([request])[0];
    } catch (error) {
      if (isNightshiftError(error, "E_STORE_BUSY")) return undefined;
      throw error;
    }
  }

  /** Moves the WAL's content into the database if much has gathered; for moments when nobody waits. */
  checkpoint(): void {
    if (this.#pages < IDLE_PAGES) return;
    this.#pages = 0;
    try {
      this.#connection.statement("PRAGMA wal_checkpoint(PASSIVE)").get();
    } catch {
      // Nothing is lost; a commit will meet the same error and tell somebody.
    }
  }

  /**
   * An I/O error leaves open what became of the transaction, and the handle's view of the file may be wrong. So
   * the handle is given up, and each request is made again: a known append id tells that it had been stored.
   */
  #resolve(requests: readonly WriteRequest[]): readonly WriteOutcome[] {
    try {
      this.#heads.forget();
      this.#connection.reopen();
      this.#moveWal();
      return this.#transact(requests, true);
    } catch (error) {
      this.#giveUpHandle();
      return this.#allFailed(requests, new InDoubtError(error));
    }
  }

  /**
   * Copies what the WAL holds to the database and syncs that. After a failed sync the system may call the WAL's
   * pages clean although they never reached the disk; syncing the WAL again would prove nothing.
   */
  #moveWal(): void {
    const row = this.#connection.statement("PRAGMA wal_checkpoint(TRUNCATE)").get();
    if (row?.[0] !== 0) {
      throw new NightshiftError(
        "E_STORE_IO",
        `${this.#connection.path}: the WAL could not be emptied after an I/O error`,
        {
          retryable: true,
        },
      );
    }
  }

  #transact(requests: readonly WriteRequest[], wasTried: boolean): readonly WriteOutcome[] {
    const failed = new Map<WriteRequest, WriteOutcome>();
    for (;;) {
      const applied = this.#tryOnce(requests, failed, wasTried);
      if (applied !== "again") return applied;
    }
  }

  /** One transaction. "again" when a request failed by itself: the others must go on as if it had never been. */
  #tryOnce(
    requests: readonly WriteRequest[],
    failed: Map<WriteRequest, WriteOutcome>,
    wasTried: boolean,
  ): readonly WriteOutcome[] | "again" {
    const connection = this.#connection;
    connection.statement("BEGIN IMMEDIATE").run();
    const applied: Applied[] = [];
    try {
      for (const request of requests) {
        const outcome = failed.get(request);
        if (outcome !== undefined) applied.push({ outcome, wrote: false });
        else if (!this.#applyOne(request, wasTried, applied, failed)) return "again";
      }
      if (!applied.some(({ wrote }) => wrote)) {
        connection.statement("ROLLBACK").run();
        return applied.map(({ outcome }) => outcome);
      }
      connection.commit();
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    for (const request of requests) this.#pages += pagesOf(request);
    this.#heads.advance(headsAfter(applied));
    return applied.map(({ outcome }) => outcome);
  }

  /** @returns false when the request failed and the transaction was rolled back for the sake of the others */
  #applyOne(
    request: WriteRequest,
    wasTried: boolean,
    applied: Applied[],
    failed: Map<WriteRequest, WriteOutcome>,
  ): boolean {
    try {
      applied.push(this.#applier.apply(request, wasTried));
      return true;
    } catch (error) {
      if (isOfTransaction(error)) throw error;
      const outcome = { kind: "failed", failure: failureOf(this.#translate(error)) } as const;
      // Our own refusals come before anything is written.
      if (isNightshiftError(error)) return applied.push({ outcome, wrote: false }) > 0;
      failed.set(request, outcome);
      this.#rollBack();
      return false;
    }
  }

  #rollBack(): void {
    try {
      this.#connection.statement("ROLLBACK").run();
    } catch {
      // SQLite has rolled back already, or the handle is unusable; the first error is the one to tell.
    }
  }

  #giveUpHandle(): void {
    try {
      this.#connection.close();
    } catch {
      // It is opened anew at the next use.
    }
  }

  #allFailed(requests: readonly WriteRequest[], error: unknown): readonly WriteOutcome[] {
    const failure = failureOf(this.#translate(error));
    return requests.map(() => ({ kind: "failed", failure }));
  }

  #translate(error: unknown): NightshiftError {
    return storeError(error, this.#connection.path);
  }
}

/** Of the sessions that were written to, by key; of several requests for one session, the last one's. */
function headsAfter(applied: readonly Applied[]): ReadonlyMap<number, Head> {
  return new Map(applied.flatMap(({ head }) => (head === undefined ? [] : [[head.key, head.head]])));
}

function pagesOf(request: WriteRequest): number {
  if (!("batch" in request)) return PAGES_PER_REQUEST;
  const length = request.batch.events.reduce((sum, { body }) => sum + body.length, 0);
  return PAGES_PER_REQUEST + length / BODY_PER_PAGE;
}
