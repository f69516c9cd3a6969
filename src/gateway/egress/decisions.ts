/** The file of decisions: written by the proxy, read by whoever drives the session. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { GroupSync, syncFolder, writeAll } from "../../sandbox/daemon/durable.ts";
import type {
  EgressDecision,
  EgressLimits,
  EgressLine,
  EgressReading,
  EgressRepetition,
  EgressTransfer,
} from "./contract.ts";

/** Name of the file in a proxy's folder. */
export const DECISIONS_FILE = "decisions.jsonl";

const NEWLINE = 10;
const READ_BYTES = 1024 * 1024;
const HOSTS_MAX = 512;
const TEXT_LENGTH_MAX = 512;
/** What is kept free for lines that tell how something went. */
const RESERVE_BYTES = 64 * 1024;

/** What is known when something is decided. */
export type Deciding = Omit<EgressDecision, "kind" | "number" | "at">;

/** What is known when it is over. */
export type Ending = Omit<EgressTransfer, "kind" | "number" | "at">;

/** A decision that is on disk. Exactly one `end` belongs to each allowed one. */
export interface Decided {
  end(ending: Ending): void;
}

interface Window {
  host: string;
  startedMs: number;
  written: number;
  repetition: Omit<EgressRepetition, "kind" | "at"> | undefined;
}

/** Appends to the file of decisions. */
export class DecisionLog {
  readonly #file: number;
  readonly #sync: GroupSync;
  readonly #limits: EgressLimits;
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();
  #size: number;
  #number: number;

  /** Opens or makes the file; half a line that a crash has left is cut off, nobody can have read it. */
  constructor(folder: string, limits: EgressLimits, clock: Clock) {
    this.#file = openSync(join(folder, DECISIONS_FILE), "a+", 0o600);
    syncFolder(folder);
    this.#limits = limits;
    this.#clock = clock;
    this.#sync = new GroupSync(this.#file);
    this.#size = cutTornLine(this.#file);
    // Dense numbers would need a reading of the whole file; what counts is that none comes twice.
    this.#number = this.#size;
  }

  /** False when no further decision can be written down; then nothing may be allowed. */
  get hasRoom(): boolean {
    return this.#size + RESERVE_BYTES < this.#limits.decisionBytes;
  }

  /** Resolves when the decision is on disk. What comes too often is counted; its first line is on disk all the same. */
  async decide(deciding: Deciding): Promise<Decided> {
    const { host, verdict } = deciding;
    const window = this.#windowOf(host, verdict);
    if (window.written >= this.#limits.decisionsPerWindow || !this.hasRoom)
      return this.#count(window, verdict);
    window.written++;
    this.#number++;
    const number = this.#number;
    this.#write({ kind: "decision", number, at: this.#now(), ...shortened(deciding) });
    await this.#sync.sync();
    return {
      end: (ending) => this.#write({ kind: "transfer", number, at: this.#now(), ...ending }),
    };
  }

  /** Writes down what was counted in windows that are over, or in all of them. */
  flush({ all }: { readonly all: boolean }): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, window] of this.#windows) {
      if (!all && nowMs - window.startedMs < this.#limits.windowMs) continue;
      this.#windows.delete(key);
      const { repetition } = window;
      if (repetition !== undefined) this.#write({ kind: "repetition", at: this.#now(), ...repetition });
    }
  }

  /** Everything is on disk when it resolves. */
  async close(): Promise<void> {
    this.flush({ all: true });
    await this.#sync.sync();
    closeSync(this.#file);
  }

  #windowOf(host: string, verdict: "allowed" | "refused"): Window {
    this.flush({ all: false });
    const named = this.#windows.has(`${verdict} ${host}`) || this.#windows.size < HOSTS_MAX ? host : "*";
    const key = `${verdict} ${named}`;
    const found = this.#windows.get(key);
    if (found !== undefined) return found;
    const window = {
      host: named,
      startedMs: this.#clock.monotonicMs(),
      written: 0,
      repetition: undefined,
    };
    this.#windows.set(key, window);
    return window;
  }

  #count(window: Window, verdict: "allowed" | "refused"): Decided {
    const { host } = window;
    window.repetition ??= { host, verdict, count: 0, sentBytes: 0, receivedBytes: 0 };
    const { repetition } = window;
    window.repetition = { ...repetition, count: repetition.count + 1 };
    return {
      end: ({ sentBytes, receivedBytes }) => {
        const before = window.repetition;
        const isOver = before === undefined || this.#windows.get(`${verdict} ${host}`) !== window;
        const sum = {
          host,
          verdict,
          count: isOver ? 0 : before.count,
          sentBytes: sentBytes + (isOver ? 0 : before.sentBytes),
          receivedBytes: receivedBytes + (isOver ? 0 : before.receivedBytes),
        };
        // Its window has been written down already: these bytes get a line of their own, which counts nothing anew.
        if (isOver) this.#write({ kind: "repetition", at: this.#now(), ...sum });
        else window.repetition = sum;
      },
    };
  }

  #write(line: EgressLine): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    if (this.#size + bytes.length > this.#limits.decisionBytes) return;
    this.#size += bytes.length;
    writeAll(this.#file, bytes);
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString();
  }
}

function shortened(deciding: Deciding): Deciding {
  const cut = (text: string): string =>
    text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
  return { ...deciding, host: cut(deciding.host), path: cut(deciding.path), method: cut(deciding.method) };
}

function cutTornLine(file: number): number {
  const { size } = fstatSync(file);
  const buffer = Buffer.alloc(READ_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - READ_BYTES);
    const part = buffer.subarray(0, readSync(file, buffer, 0, end - start, start));
    const newline = part.lastIndexOf(NEWLINE);
    if (newline !== -1) return cutTo(file, start + newline + 1, size);
    end = start;
  }
  return cutTo(file, 0, size);
}

function cutTo(file: number, length: number, size: number): number {
  if (length < size) ftruncateSync(file, length);
  return length;
}

/**
 * Whole lines from an offset on, at most about a mebibyte of them; call it again until `nextOffset` stands still.
 * @throws NightshiftError `E_EGRESS_UNAVAILABLE` when the offset belongs to another file or a line is damaged
 */
export function readDecisions(folder: string, offset: number): EgressReading {
  const path = join(folder, DECISIONS_FILE);
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT" && offset === 0)
      return { lines: [], nextOffset: 0 };
    throw damaged(path, messageOf(cause));
  }
  try {
    if (offset > fstatSync(file).size) throw damaged(path, `it ends before offset ${offset}`);
    const buffer = Buffer.alloc(READ_BYTES);
    const part = buffer.subarray(0, readSync(file, buffer, 0, READ_BYTES, offset));
    const end = part.lastIndexOf(NEWLINE) + 1;
    const text = part.toString("utf8", 0, end);
    const lines = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => parseLine(path, line));
    return { lines, nextOffset: offset + end };
  } finally {
    closeSync(file);
  }
}

function parseLine(path: string, line: string): EgressLine {
  try {
    return JSON.parse(line) as EgressLine;
  } catch (cause) {
    throw damaged(path, messageOf(cause));
  }
}

function damaged(path: string, problem: string): NightshiftError {
  return new NightshiftError("E_EGRESS_UNAVAILABLE", `the decisions in ${path} cannot be read: ${problem}`);
}
