/**
 * Group commit: what one turn of the event loop brings goes to the writer's thread as one message, and what arrives
 * there during a sync is the next transaction. So many sessions share one sync. A session that is alone at work shares
 * nothing, and handing its requests over would cost more than committing them: they are committed where they are.
 */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type ErrorCode, messageOf, NightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { storeClosed } from "../failures.ts";
import type { Committer } from "./commit.ts";
import { type Parcel, pack } from "./parcel.ts";
import { failureOf, type WriteOutcome, type WriteRequest } from "./requests.ts";
import type { Writer } from "./writer.ts";

/** Many sessions change many places of the file: a longer WAL (32 MB) writes each of them to the database less often. */
export const WAL_PAGES = 16_000;

/** So many writes in a row make a session count as alone at work. */
const ALONE_AFTER = 16;

/** What the thread is started with. */
export interface ThreadSettings {
  readonly folder: string;
  readonly port: MessagePort;
  /** One number, counted up and notified after each message: waiting on it wakes faster than the event loop. */
  readonly signal: Int32Array;
}

/** What is sent to the thread: some requests, or the wish that it end. */
export type ThreadMessage = Parcel | "end";

/** Settles one request. */
type Settle = (outcome: WriteOutcome) => void;

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

/** Starts its thread with the first requests that need it, and another one should it die. */
export class ThreadWriter implements Writer {
  readonly #folder: string;
  readonly #committer: Committer | null;
  readonly #file: URL;
  #thread: Thread | undefined;
  #lastSession: SessionId | undefined;
  /** How often it has written without another one in between. */
  #inARow = ALONE_AFTER;
  #isClosed = false;
  /** Not sent yet. */
  #requests: WriteRequest[] = [];
  /** One for each request that was not answered yet, in the order of the requests. */
  #unsettled: Settle[] = [];
  #idle = Promise.withResolvers<void>();

  /**
   * @param committer - for what is committed on the caller's thread; null to hand everything over
   * @param file - what the other thread runs
   */
  constructor(folder: string, committer: Committer | null, file = threadFile()) {
    this.#folder = folder;
    this.#committer = committer;
    this.#file = file;
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    if (this.#isClosed) throw storeClosed();
    // SQLite waits a moment for the lock of another process; longer than that, it is the thread that waits.
    const outcome = this.#isAlone(request) ? this.#committer?.commitUnlessBusy(request) : undefined;
    return outcome ?? this.#handOver(request);
  }

  /** Nobody waits, and no other session has written for a while, or ever. */
  #isAlone(request: WriteRequest): boolean {
    if (request.kind === "version") return false;
    const last = this.#lastSession;
    this.#lastSession = request.sessionId;
    if (last !== undefined) this.#inARow = last === request.sessionId ? this.#inARow + 1 : 1;
    return this.#inARow >= ALONE_AFTER && this.#unsettled.length === 0;
  }

  #handOver(request: WriteRequest): Promise<WriteOutcome> {
    if (this.#requests.push(request) === 1) setImmediate(() => this.#send());
    return new Promise((resolve) => this.#unsettled.push(resolve));
  }

  /** For {@link Watch}: a value that changes with commits of other processes; undefined before the first request. */
  async foreignVersion(): Promise<number | undefined> {
    if (this.#thread === undefined || this.#isClosed) return undefined;
    const outcome = await this.write({ kind: "version" });
    return outcome.kind === "version" ? outcome.version : undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#unsettled.length > 0) await this.#idle.promise;
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = new Promise((resolve) => thread.worker.once("exit", resolve));
    thread.worker.ref();
    post(thread, "end");
    await ended;
  }

  #send(): void {
    if (this.#requests.length === 0) return;
    const requests = this.#requests;
    this.#requests = [];
    this.#thread ??= this.#start();
    // An idle store does not keep the process alive, an unanswered request does.
    this.#thread.port.ref();
    try {
      post(this.#thread, pack(requests));
    } catch (error) {
      const unsent = this.#unsettled.splice(-requests.length);
      this.#fail(unsent, "E_INTERNAL", `a request cannot be sent to the writer: ${messageOf(error)}`);
    }
  }

  #start(): Thread {
    const { port1: port, port2 } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const settings: ThreadSettings = { folder: this.#folder, port: port2, signal };
    const worker = new Worker(this.#file, { workerData: settings, transferList: [port2] });
    worker.unref();
    const thread = { worker, port, signal };
    let reason: unknown;
    worker.on("error", (error) => {
      reason = error;
    });
    worker.on("exit", () => this.#ended(thread, reason));
    port.on("message", (outcomes: readonly WriteOutcome[]) => this.#settle(outcomes));
    port.unref();
    return thread;
  }

  #settle(outcomes: readonly WriteOutcome[]): void {
    const settled = this.#unsettled.splice(0, outcomes.length);
    if (this.#unsettled.length === 0) this.#becomeIdle();
    for (const [index, outcome] of outcomes.entries()) settled[index]?.(outcome);
    // A port may give its next message before the event loop goes on: what this one leads to must not wait for that.
    queueMicrotask(() => process.nextTick(() => this.#send()));
  }

  #becomeIdle(): void {
    this.#thread?.port.unref();
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  /** The thread's end leaves open what became of the requests that it had. */
  #ended(thread: Thread, reason: unknown): void {
    thread.port.close();
    if (this.#thread === thread) this.#thread = undefined;
    const why = reason === undefined ? "" : `: ${messageOf(reason)}`;
    const lost = this.#unsettled.splice(0, this.#unsettled.length - this.#requests.length);
    this.#fail(lost, "E_STORE_IO", `the writer's thread ended${why}`);
  }

  #fail(unsettled: readonly Settle[], code: ErrorCode, message: string): void {
    const error = new NightshiftError(code, message, { retryable: code === "E_STORE_IO" });
    if (this.#unsettled.length === 0) this.#becomeIdle();
    for (const settle of unsettled) settle({ kind: "failed", failure: failureOf(error) });
  }
}

function post(thread: Thread, message: ThreadMessage): void {
  thread.port.postMessage(message);
  Atomics.add(thread.signal, 0, 1);
  Atomics.notify(thread.signal, 0);
}

/** Beside this file: as source, or as built. */
function threadFile(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./writer-thread.ts", import.meta.url)
    : new URL("./writer-thread.js", import.meta.url);
}
