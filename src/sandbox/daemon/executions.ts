/**
 * Executions by id. Within one incarnation an id runs at most once: asked again, it is waited for or answered
 * from the journal. About an earlier incarnation only the journal is asked, and what it cannot prove is `unknown`.
 *
 * `read`, `glob` and `grep` change nothing, so running them twice is harmless: they are not in the journal, which
 * makes them fast, and only the latest answers are remembered.
 */
import { createHash } from "node:crypto";
import { NightshiftError } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecReply, ExecRequest, ExecResult, Operation, PrepareReply } from "../contract.ts";
import type { Journal } from "./journal.ts";
import { Slots } from "./slots.ts";

/** Executions of the same moment; more wait for their turn. */
const CONCURRENT_MAX = 32;
const WAITING_MAX = 1024;
const REMEMBERED_READS = 64;

/** One execution while it lasts. */
export interface Run {
  /** Rejects only when nothing is known of it any more; then it is not on record as finished. */
  readonly done: Promise<ExecResult>;
  /** Ends it; verified dead when it resolves, and `done` is settled then. */
  stop(ending: "cancelled", note?: string): Promise<void>;
}

/** Makes runs. */
export interface Runner {
  /**
   * Begins a request. When it changes anything, `acknowledge` is awaited first.
   * @param acknowledge - makes the start durable
   */
  begin(request: ExecRequest, hooks: RunHooks): Promise<Run>;
  /** Kills what a finished execution may have left alive. */
  sweep(exec: ExecId): Promise<void>;
  /** Looks up what a change would do; see `Sandbox.prepare`. */
  prepare(operation: "write" | "edit", input: Json): Promise<PrepareReply>;
}

/** What a run tells on its way. */
export interface RunHooks {
  readonly begun: (temporary?: string) => Promise<void>;
  readonly spawned: (process: { readonly pid: number; readonly startTime: string }) => void;
  readonly output: (chunk: Buffer) => void;
}

/** An execution that this incarnation has heard of. */
interface Known {
  readonly digest: string;
  /** Undefined when the journal has lost it. */
  readonly result: Promise<ExecResult> | ExecResult | undefined;
  readonly listeners?: Set<(chunk: Buffer) => void>;
}

interface Pending extends Known {
  readonly result: Promise<ExecResult>;
  readonly cancelled: AbortController;
}

/** All executions of one incarnation. */
export class Executions {
  readonly #incarnation: string;
  readonly #journal: Journal;
  readonly #runner: Runner;
  readonly #pending = new Map<ExecId, Pending>();
  /** Answers to the latest reads. */
  readonly #answers = new Map<ExecId, Known>();
  /** Results that a full disk did not take. */
  readonly #unjournaled = new Map<ExecId, Known>();
  readonly #slots = new Slots(CONCURRENT_MAX, WAITING_MAX);
  #isEnding = false;

  constructor(incarnation: string, journal: Journal, runner: Runner) {
    this.#incarnation = incarnation;
    this.#journal = journal;
    this.#runner = runner;
  }

  /**
   * Runs a request or answers for it. @throws NightshiftError `E_EXEC_MISMATCH` when its id belongs to another
   * request, `E_SANDBOX_UNAVAILABLE` when it cannot be journaled (then it has not begun)
   */
  async execute(request: ExecRequest, listener?: (chunk: Buffer) => void): Promise<ExecReply> {
    if (request.incarnation !== this.#incarnation) return this.#answerForEarlier(request);
    const digest = digestOf(request);
    const { execId, incarnation } = request;
    const known = this.#pending.get(execId) ?? this.#remembered(execId);
    if (known !== undefined && known.digest !== digest) {
      throw new NightshiftError("E_EXEC_MISMATCH", `execution ${execId} is known with another request`);
    }
    const pending = known ?? this.#add(request, digest);
    if (pending.result === undefined) {
      return { status: "unknown", incarnation, reason: "its result could not be read back" };
    }
    if (listener === undefined) return { status: "finished", result: await pending.result };
    pending.listeners?.add(listener);
    try {
      return { status: "finished", result: await pending.result };
    } finally {
      pending.listeners?.delete(listener);
    }
  }

  /**
   * Ends an execution and what it has left alive; verified dead when it resolves.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when a process cannot be killed
   */
  async cancel(exec: ExecId): Promise<void> {
    const pending = this.#pending.get(exec);
    pending?.cancelled.abort();
    await pending?.result.catch(() => undefined);
    await this.#runner.sweep(exec);
  }

  /** Ends everything; nothing begins after it. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.allSettled([...this.#pending.keys()].map((exec) => this.cancel(exec)));
  }

  /** Looks up what a change would do. Touches nothing. */
  prepare(operation: "write" | "edit", input: Json): Promise<PrepareReply> {
    return this.#runner.prepare(operation, input);
  }

  #remembered(exec: ExecId): Known | undefined {
    const inMemory = this.#answers.get(exec) ?? this.#unjournaled.get(exec);
    if (inMemory !== undefined) return inMemory;
    const entry = this.#journal.entriesOf(this.#incarnation)?.get(exec);
    return entry && { digest: entry.digest, result: this.#journal.resultOf(entry) };
  }

  #answerForEarlier({ execId, incarnation, operation }: ExecRequest): ExecReply {
    const unknown = (reason: string): ExecReply => ({ status: "unknown", incarnation, reason });
    const entries = this.#journal.entriesOf(incarnation);
    if (entries === undefined) return unknown(`the journal does not cover incarnation ${incarnation}`);
    const entry = entries.get(execId);
    if (entry !== undefined) {
      const result = this.#journal.resultOf(entry);
      if (result !== undefined) return { status: "finished", result };
      return unknown("it had begun when the daemon ended, and how far it got is not known");
    }
    if (this.#journal.isDamaged) return unknown("the journal is damaged, so a missing entry proves nothing");
    if (isReadOnly(operation)) return unknown("reading is not journaled; it is harmless to do it again");
    return { status: "not_started", incarnation };
  }

  #add(request: ExecRequest, digest: string): Pending {
    if (this.#isEnding) throw new NightshiftError("E_SANDBOX_LOST", "the sandbox is being shut down");
    const cancelled = new AbortController();
    const listeners = new Set<(chunk: Buffer) => void>();
    const output = (chunk: Buffer): void => {
      for (const listener of listeners) listener(chunk);
    };
    const result = this.#run(request, digest, { cancelled: cancelled.signal, output }).finally(() =>
      this.#pending.delete(request.execId),
    );
    // Whoever asked may be gone; the failure is then nobody's, and the id stays free.
    result.catch(() => undefined);
    const pending = { digest, result, listeners, cancelled };
    this.#pending.set(request.execId, pending);
    return pending;
  }

  async #run(
    request: ExecRequest,
    digest: string,
    { cancelled, output }: { readonly cancelled: AbortSignal; readonly output: (chunk: Buffer) => void },
  ): Promise<ExecResult> {
    const { execId, operation } = request;
    const isJournaled = !isReadOnly(operation);
    let hasBegun = false;
    const begun = async (temporary?: string): Promise<void> => {
      if (hasBegun || !isJournaled) return;
      await this.#journal.start(execId, digest, operation, temporary);
      hasBegun = true;
    };
    const spawned: RunHooks["spawned"] = (process) => {
      if (isJournaled) this.#journal.spawned(execId, process);
    };
    const hasTurn = await this.#slots.take(cancelled);
    try {
      const result = hasTurn
        ? await this.#perform(request, cancelled, { begun, spawned, output })
        : NEVER_BEGAN;
      await begun();
      this.#remember(request, digest, result);
      return result;
    } finally {
      if (hasTurn) this.#slots.give();
    }
  }

  async #perform(request: ExecRequest, cancelled: AbortSignal, hooks: RunHooks): Promise<ExecResult> {
    if (cancelled.aborted) return NEVER_BEGAN;
    const run = await this.#runner.begin(request, hooks);
    const stop = (): void => void run.stop("cancelled");
    if (cancelled.aborted) stop();
    cancelled.addEventListener("abort", stop);
    try {
      return await run.done;
    } finally {
      cancelled.removeEventListener("abort", stop);
    }
  }

  #remember({ execId, operation }: ExecRequest, digest: string, result: ExecResult): void {
    if (isReadOnly(operation)) {
      this.#answers.set(execId, { digest, result });
      const [oldest] = this.#answers.keys();
      if (this.#answers.size > REMEMBERED_READS && oldest !== undefined) this.#answers.delete(oldest);
      return;
    }
    try {
      this.#journal.finish(execId, result);
    } catch {
      // It has happened, so the answer is given; should this daemon die, the journal truly does not know.
      this.#unjournaled.set(execId, { digest, result });
    }
  }
}

const NEVER_BEGAN: ExecResult = {
  ending: "cancelled",
  exitCode: null,
  output: "",
  droppedBytes: 0,
  durationMs: 0,
};

function isReadOnly(operation: Operation): boolean {
  return operation === "read" || operation === "glob" || operation === "grep";
}

/** What is asked for; the limits are not part of it, because a new policy does not make another request. */
function digestOf({ operation, input, expectedBefore }: ExecRequest): string {
  const parts = [operation, canonical(input), expectedBefore === undefined ? "" : canonical(expectedBefore)];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** JSON with sorted keys. */
function canonical(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const object = value as { readonly [key: string]: Json };
  const fields = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(object[key] ?? null)}`);
  return `{${fields.join()}}`;
}
