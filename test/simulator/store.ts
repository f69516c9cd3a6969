/** The store as one process reaches it: the real store behind the points where faults strike. */
import { NightshiftError } from "../../src/core/errors.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { SealedEvent } from "../../src/core/seal.ts";
import type { ClaimResult, Store, StoreChange } from "../../src/store/contract.ts";
import type { OperationName } from "./pairs.ts";
import type { Process } from "./process.ts";

/** Who wrote: a driver under its lease, a client, or the store itself (claims, renewals). */
export interface Writer {
  readonly process: Process;
  readonly epoch: number | null;
}

/** Looks at the files after every call that may have written. */
export interface StoreWatch {
  /** Something may have been committed in this session. */
  onCommit(session: SessionId, writer: Writer): void;
  /** These events were acknowledged as stored from `firstSeq` on. */
  onAcknowledged(session: SessionId, firstSeq: number, events: readonly SealedEvent[]): void;
  onSnapshot(session: SessionId, seq: number, body: string): void;
  /** The living harness whose lease is in force at this moment; null when a claim may succeed. */
  holderOf(session: SessionId): string | null;
  onClaimed(process: Process, session: SessionId, epoch: number, holder: string | null): void;
}

/** Where the real store lives and how it is made to fail. */
export interface StoreHost {
  /** The process's real store on the files as they are now. */
  open(process: Process): Promise<Store>;
}

const ERRORS = {
  refused: () => new NightshiftError("E_STORE_BUSY", "the database is locked", { retryable: true }),
  lost: () => new NightshiftError("E_STORE_IO", "the reply was lost", { retryable: true }),
};

/** What a person says to a question is a point of its own: the session may have given it up meanwhile. */
function isAnswer({ events }: Parameters<Store["submit"]>[1]): boolean {
  return events.some(({ type }) => type === "question.answered");
}

/** A store for one process. */
export class SimulatedStore implements Store {
  readonly kind = "simulated";
  readonly #process: Process;
  readonly #host: StoreHost;
  readonly #watch: StoreWatch;
  readonly #listeners = new Set<(change?: StoreChange) => void>();
  /** Several notifications on their way become one. */
  #isHintUnheard = false;

  constructor(process: Process, host: StoreHost, watch: StoreWatch) {
    this.#process = process;
    this.#host = host;
    this.#watch = watch;
  }

  /** The real store notifies: of its own writes at once, of those of others when it is this process's turn. */
  hear(change: StoreChange | undefined): void {
    if (this.#listeners.size === 0) return;
    if (change !== undefined) this.#process.run(() => this.#tell(change));
    else if (!this.#isHintUnheard) {
      this.#isHintUnheard = true;
      void this.#process.at("hint.after", null).then(() => {
        this.#isHintUnheard = false;
        this.#tell();
      });
    }
  }

  create: Store["create"] = (id, batch) =>
    this.#call("create", id, async (store) => {
      const result = await this.#commit(id, null, store.create(id, batch));
      this.#watch.onAcknowledged(id, result.firstSeq, batch.events);
      return result;
    });

  append: Store["append"] = (lease, batch) =>
    this.#call("append", lease.sessionId, async (store) => {
      const result = await this.#commit(lease.sessionId, lease.epoch, store.append(lease, batch));
      if (result.status === "appended") {
        this.#watch.onAcknowledged(lease.sessionId, result.firstSeq, batch.events);
        if (batch.snapshot && !result.repeated)
          this.#watch.onSnapshot(lease.sessionId, result.seq, batch.snapshot.body);
      }
      return result;
    });

  submit: Store["submit"] = (id, batch) =>
    this.#call(isAnswer(batch) ? "answer" : "submit", id, async (store) => {
      const result = await this.#commit(id, null, store.submit(id, batch));
      this.#watch.onAcknowledged(id, result.firstSeq, batch.events);
      return result;
    });

  getEvents: Store["getEvents"] = (id, range) =>
    this.#call("read", id, (store) => store.getEvents(id, range));

  findAppend: Store["findAppend"] = async (id, appendId) => (await this.#open()).findAppend(id, appendId);

  getSession: Store["getSession"] = (id) => this.#call("session", id, (store) => store.getSession(id));

  getSnapshot: Store["getSnapshot"] = (id, fold) =>
    this.#call("snapshot", id, async (store) => {
      const snapshot = await store.getSnapshot(id, fold);
      if (snapshot !== undefined) this.#watch.onSnapshot(id, snapshot.seq, snapshot.body);
      return snapshot;
    });

  async claim(id: SessionId, request: Parameters<Store["claim"]>[1]): Promise<ClaimResult> {
    return this.#call("claim", id, async (store) => {
      const holder = this.#watch.holderOf(id);
      const result = await store.claim(id, request);
      if (result.status === "claimed") this.#watch.onClaimed(this.#process, id, result.lease.epoch, holder);
      return result;
    });
  }

  renew: Store["renew"] = (lease, ttlMs) =>
    this.#call("renew", lease.sessionId, (store) => store.renew(lease, ttlMs));

  release: Store["release"] = (lease, to) =>
    this.#call("release", lease.sessionId, async (store) =>
      this.#commit(lease.sessionId, lease.epoch, store.release(lease, to)),
    );

  listDue: Store["listDue"] = (query) => this.#call("due", null, (store) => store.listDue(query));

  listSessions: Store["listSessions"] = async (range) => (await this.#open()).listSessions(range);

  getDaySpending: Store["getDaySpending"] = async (day) => (await this.#open()).getDaySpending(day);

  getBlob: Store["getBlob"] = async (blobHash) => (await this.#open()).getBlob(blobHash);

  subscribe(listener: (change?: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The files outlive the process; whoever made the simulation closes them. */
  async close(): Promise<void> {}

  /** The store works inline: the commit has happened, or not, when the real call has returned its promise. */
  #commit<T>(session: SessionId, epoch: number | null, call: Promise<T>): Promise<T> {
    this.#watch.onCommit(session, { process: this.#process, epoch });
    return call;
  }

  #tell(change?: StoreChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  #open(): Promise<Store> {
    return this.#host.open(this.#process);
  }

  #call<T>(name: OperationName, session: SessionId | null, effect: (store: Store) => Promise<T>): Promise<T> {
    return this.#process.call(name, session, async () => effect(await this.#open()), ERRORS);
  }
}
