/** One command: spawned, limited, and ended together with everything that it has started. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, readSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import type { ExecLimits, ExecResult } from "../contract.ts";
import { type Environment, withMarker } from "./environment.ts";
import { type KillTarget, killTree, type Strays, TERM_GRACE_MS } from "./kill.ts";
import { OutputKeeper } from "./output.ts";
import type { Pipe } from "./pipes.ts";
import { type ProcessIdentity, readProcess } from "./processes.ts";
import { type Ending, REAPER_FAILED, readEnding } from "./reaped.ts";

const UNKNOWN: Ending = { code: null, signal: null };

/**
 * One buffer for all reads of all commands: each read is copied from it at once, and making one per command would
 * cost as much as a third of a spawn.
 */
const CHUNK: Buffer = Buffer.allocUnsafe(65_536);
/** Reads of one chunk after the end of a command; a pipe holds less, so only a chatty survivor needs more. */
const DRAIN_READS_MAX = 32;

/** What to run. */
export interface CommandOptions {
  readonly argv: readonly [string, ...string[]];
  readonly folder: string;
  readonly environment: Environment;
  /** Unique for this execution; see {@link KillTarget}. */
  readonly marker: string;
  readonly limits: ExecLimits;
  /** Taken over and closed. */
  readonly pipe: Pipe;
  /** A program that begins the command, tells how it ended, and outlives all that the command has started. */
  readonly reaper?: string;
  readonly strays?: Strays;
  onSpawn(process: ProcessIdentity): void;
  onOutput(chunk: Buffer): void;
}

/** A command that has been spawned. */
export class CommandRun {
  /** Never rejects. */
  readonly done: Promise<ExecResult>;
  /** Settles when the first process of its group is gone; a reaper outlives the command. */
  readonly gone: Promise<void>;
  readonly #options: CommandOptions;
  readonly #keeper: OutputKeeper;
  readonly #startedAt = performance.now();
  readonly #resolve: (result: ExecResult) => void;
  readonly #exit: Promise<void>;
  #isOutputOpen = true;
  #child: ChildProcess | undefined;
  #leader: ProcessIdentity | undefined;
  #stopping: Promise<void> | undefined;
  #isDone = false;

  constructor(options: CommandOptions) {
    this.#options = options;
    this.#keeper = new OutputKeeper(options.limits.outputBytes);
    const { promise, resolve } = Promise.withResolvers<ExecResult>();
    this.done = promise;
    this.#resolve = resolve;
    this.#listen(options.pipe.readEnd);
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    this.#exit = this.#spawn(gone.resolve);
  }

  /** Ends the run with everything it has started; verified dead when it resolves, and `done` is settled then. */
  async stop(ending: "cancelled" | "timed_out", note?: string): Promise<void> {
    this.#stopping ??= this.#stop(ending, note);
    await this.#stopping;
  }

  /**
   * Survivors of a command (a development server) may go on printing after it: what they print is thrown away,
   * but the pipe stays open, so that they do not die of it.
   */
  #listen(readEnd: number): void {
    const output = new Socket({
      fd: readEnd,
      readable: true,
      writable: false,
      // Else the socket would close itself at the end of the stream, and the number could name another file.
      allowHalfOpen: true,
      onread: {
        buffer: CHUNK,
        callback: (bytes: number, buffer: Uint8Array) => {
          this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          return true;
        },
      },
    });
    const close = (): void => {
      this.#isOutputOpen = false;
      output.destroy();
    };
    output.on("end", close).on("error", close);
    output.resume();
  }

  #receive(chunk: Buffer): void {
    if (this.#isDone) return;
    this.#keeper.push(chunk);
    this.#options.onOutput(chunk);
  }

  #spawn(gone: () => void): Promise<void> {
    const { argv, reaper, folder, environment, marker, limits, pipe } = this.#options;
    const [file, ...rest] = reaper === undefined ? argv : ([reaper, ...argv] as const);
    const { promise, resolve } = Promise.withResolvers<void>();
    const child = spawn(file, rest, {
      cwd: folder,
      env: withMarker(environment, marker),
      stdio: ["ignore", pipe.writeEnd, pipe.writeEnd, ...(reaper === undefined ? [] : (["pipe"] as const))],
      // A process group of its own, which a kill can name.
      detached: true,
    });
    closeSync(pipe.writeEnd);
    this.#child = child;
    const timer = setTimeout(() => void this.stop("timed_out"), limits.wallMs);
    const end = (ending: Ending, problem?: string): void => {
      clearTimeout(timer);
      resolve();
      if (problem !== undefined) {
        this.#finish("refused", null, `the command could not be started in ${folder}: ${problem}`);
      } else if (this.#stopping === undefined) {
        this.#finish("exited", ending.code, ending.signal ? `[ended by signal ${ending.signal}]` : "");
      }
    };
    child.once("error", (error) => {
      gone();
      end(UNKNOWN, messageOf(error));
    });
    child.once("exit", (code, signal) => {
      gone();
      if (reaper === undefined) end({ code, signal });
      else if (code === REAPER_FAILED) end(UNKNOWN, "no more processes can be started");
    });
    // Node gives none to a process that it had no descriptors left for.
    const streams: ChildProcess["stdio"] | undefined = child.stdio;
    const status = streams?.[3];
    if (status) void readEnding(status as Readable).then((ending) => this.#exitCodeOf(child, ending, end));
    this.#noteLeader(child);
    return promise;
  }

  /** A reaper that says nothing may have failed, or was killed with all that it watched: its own end tells. */
  async #exitCodeOf(child: ChildProcess, ending: Ending, end: (ending: Ending) => void): Promise<void> {
    const saidNothing = ending.code === null && ending.signal === null;
    if (saidNothing) await this.gone;
    if (child.exitCode !== REAPER_FAILED)
      end(saidNothing ? { code: null, signal: child.signalCode } : ending);
  }

  #noteLeader({ pid }: ChildProcess): void {
    const info = pid === undefined ? undefined : readProcess(pid);
    if (info === undefined) return;
    this.#leader = { pid: info.pid, startTime: info.startTime };
    this.#options.onSpawn(this.#leader);
  }

  async #stop(ending: "cancelled" | "timed_out", note = ""): Promise<void> {
    if (this.#isDone) return;
    const { marker, strays } = this.#options;
    const target: KillTarget = {
      marker,
      groupIsOurs: true,
      ...(strays ? { strays } : {}),
      ...(this.#leader ? { leader: this.#leader } : {}),
    };
    try {
      await killTree(target, TERM_GRACE_MS);
      if (this.#child?.pid !== undefined) await this.#exit;
      this.#finish(ending, null, note);
    } catch (error) {
      this.#finish(ending, null, `[${messageOf(error)}]`);
    }
  }

  #finish(ending: ExecResult["ending"], exitCode: number | null, note: string): void {
    if (this.#isDone) return;
    this.#drain();
    this.#isDone = true;
    const durationMs = Math.round(performance.now() - this.#startedAt);
    this.#resolve({ ending, exitCode, ...this.#keeper.finish(note), durationMs });
  }

  /** What the command had printed before its end is in the pipe by now, so no time-out is needed. */
  #drain(): void {
    for (let reads = 0; this.#isOutputOpen && reads < DRAIN_READS_MAX; reads++) {
      const bytes = readAvailable(this.#options.pipe.readEnd, CHUNK);
      if (bytes === 0) return;
      this.#receive(CHUNK.subarray(0, bytes));
    }
  }
}

/** Reads without waiting; 0 when nothing is there. */
function readAvailable(file: number, into: Buffer): number {
  try {
    return readSync(file, into);
  } catch {
    return 0;
  }
}
