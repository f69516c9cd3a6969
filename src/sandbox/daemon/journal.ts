/**
 * What a daemon knows about executions, in an append-only file that outlives it. An execution's start is synced
 * before anything is spawned, so a missing start proves that nothing ran; a start without a finish proves nothing.
 *
 * Results stay in the file and only their places in memory. When the file grows beyond its limit it is rewritten:
 * every start and every ending is kept, the outputs of the oldest results are not.
 */
import { messageOf, NightshiftError } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { ExecResult, Operation } from "../contract.ts";
import { replaceFile } from "./durable.ts";
import { JournalFile, type Place } from "./journal-file.ts";
import { decodeLine, decodeLines, encodeLine, type JournalLine } from "./journal-lines.ts";
import type { ProcessIdentity } from "./processes.ts";

/** What is known of one execution in one incarnation. */
export interface JournalEntry {
  readonly exec: ExecId;
  readonly digest: string;
  readonly operation: Operation;
  readonly temporary: string | undefined;
  process: ProcessIdentity | undefined;
  /** Where the finish line is; undefined while it is not finished. */
  finish: Place | undefined;
}

interface Incarnation {
  readonly id: string;
  readonly boot: string;
  readonly entries: Map<ExecId, JournalEntry>;
}

/** Bounds of a journal. */
export interface JournalLimits {
  /** The file is rewritten when it is longer. */
  readonly bytesMax: number;
  /** Bytes of results that a rewrite keeps whole, newest first. */
  readonly resultBytesMax: number;
  /** Incarnations that are remembered; older ones count as unknown. */
  readonly incarnationsMax: number;
}

/** Bounds for real use. */
export const JOURNAL_LIMITS: JournalLimits = {
  bytesMax: 64 * 1024 * 1024,
  resultBytesMax: 16 * 1024 * 1024,
  incarnationsMax: 16,
};

/** Stands for an output that a rewrite has dropped. */
export const OUTPUT_DROPPED = "[finished; its output is no longer kept]";

const SYNC_SOON_MS = 50;

/** An open journal. Only the daemon that holds the sandbox's lock may open it. */
export class Journal {
  readonly #path: string;
  readonly #limits: JournalLimits;
  readonly #incarnations = new Map<string, Incarnation>();
  #current: Incarnation | undefined;
  #file: JournalFile;
  /** Doubles when a rewrite cannot make the file short enough, so that rewrites stay rare. */
  #rewriteAt: number;
  #epoch = 0;
  #isDamaged = false;
  #failure: NightshiftError | undefined;
  #soon: NodeJS.Timeout | undefined;

  /** Reads the journal, or makes an empty one; a torn end is cut off, because it never was acknowledged. */
  constructor(path: string, limits: JournalLimits) {
    this.#path = path;
    this.#limits = limits;
    this.#rewriteAt = limits.bytesMax;
    this.#file = new JournalFile(path);
    let end = 0;
    for (const { at, bytes, line } of decodeLines(this.#file.readAll())) {
      this.#fold(line ?? { t: "damage" }, { at, bytes });
      end = at + bytes;
    }
    this.#file.cut(end);
  }

  /** Highest epoch that has attached. */
  get epoch(): number {
    return this.#epoch;
  }

  /** A line in the middle cannot be read, so the absence of a start proves nothing any more. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Everything known of one incarnation; undefined when the journal does not cover it. */
  entriesOf(incarnation: string): ReadonlyMap<ExecId, JournalEntry> | undefined {
    return this.#incarnations.get(incarnation)?.entries;
  }

  /** Executions that never finished, with the boot in which they ran. */
  unfinished(): { readonly entry: JournalEntry; readonly boot: string }[] {
    return [...this.#incarnations.values()].flatMap(({ boot, entries }) =>
      [...entries.values()].filter(({ finish }) => !finish).map((entry) => ({ entry, boot })),
    );
  }

  /** Begins the life of this daemon; durable when it resolves. */
  begin(incarnation: string, boot: string): Promise<void> {
    return this.#append({ t: "incarnation", id: incarnation, boot });
  }

  /** Raises the floor; durable when it resolves. */
  raiseEpoch(epoch: number): Promise<void> {
    return this.#append({ t: "epoch", epoch });
  }

  /** Durable when it resolves; only then may the execution begin. */
  start(exec: ExecId, digest: string, operation: Operation, temporary?: string): Promise<void> {
    return this.#append({ t: "start", exec, digest, operation, ...(temporary ? { temporary } : {}) });
  }

  /** Notes the first process of an execution. */
  spawned(exec: ExecId, process: ProcessIdentity): void {
    this.#write({ t: "spawn", exec, process });
  }

  /**
   * Written when it returns, so the daemon's death loses nothing, and synced soon after. Should the machine lose
   * power in between, the journal claims no more than that the execution had begun, which is true; so no answer
   * has to wait for the disk, and mostly the sync of the next start covers it.
   */
  finish(exec: ExecId, result: ExecResult): void {
    this.#write({ t: "finish", exec, result });
    // A failure stops the journal; whoever writes next is told.
    this.#soon ??= setTimeout(() => void this.#settle().catch(() => undefined), SYNC_SOON_MS).unref();
  }

  /** The result of a finished execution; undefined when the file was damaged behind our back. */
  resultOf(entry: JournalEntry): ExecResult | undefined {
    if (entry.finish === undefined) return undefined;
    const line = decodeLine(this.#file.read(entry.finish));
    return line?.t === "finish" ? line.result : undefined;
  }

  close(): void {
    clearTimeout(this.#soon);
    this.#file.close();
  }

  async #append(line: JournalLine): Promise<void> {
    this.#write(line);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    try {
      await this.#file.sync();
    } catch (error) {
      // After a failed sync nobody knows what is on disk, so nothing may be acknowledged any more.
      this.#failure ??= unwritable(error);
    }
    if (this.#failure) throw this.#failure;
    if (this.#file.size > this.#rewriteAt && !this.#file.isSyncing) this.#tryRewrite();
  }

  /** Not being able to shorten the file harms nobody yet: the line itself is on disk. */
  #tryRewrite(): void {
    try {
      this.#rewrite();
    } catch {
      this.#rewriteAt = this.#file.size * 2;
    }
  }

  #write(line: JournalLine): void {
    if (this.#failure) throw this.#failure;
    try {
      this.#fold(line, this.#file.append(encodeLine(line)));
    } catch (error) {
      throw unwritable(error);
    }
  }

  #fold(line: JournalLine, place: Place): void {
    switch (line.t) {
      case "incarnation":
        this.#current = { id: line.id, boot: line.boot, entries: new Map() };
        this.#incarnations.set(line.id, this.#current);
        this.#forgetOldest();
        return;
      case "epoch":
        this.#epoch = Math.max(this.#epoch, line.epoch);
        return;
      case "damage":
        this.#isDamaged = true;
        return;
      case "start": {
        const { exec, digest, operation, temporary } = line;
        const entry = { exec, digest, operation, temporary, process: undefined, finish: undefined };
        this.#current?.entries.set(exec, entry);
        return;
      }
      case "spawn": {
        const entry = this.#current?.entries.get(line.exec);
        if (entry) entry.process = line.process;
        return;
      }
      case "finish": {
        const entry = this.#current?.entries.get(line.exec);
        if (entry) entry.finish = place;
      }
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#incarnations.keys();
    if (this.#incarnations.size > this.#limits.incarnationsMax && oldest) this.#incarnations.delete(oldest);
  }

  #rewrite(): void {
    const whole = this.#newestResults();
    const lines: JournalLine[] = [{ t: "epoch", epoch: this.#epoch }];
    if (this.#isDamaged) lines.push({ t: "damage" });
    for (const { id, boot, entries } of this.#incarnations.values()) {
      lines.push({ t: "incarnation", id, boot });
      for (const entry of entries.values()) lines.push(...this.#linesOf(entry, whole.has(entry)));
    }
    const encoded = lines.map(encodeLine);
    replaceFile(this.#path, Buffer.concat(encoded));
    this.#file.close();
    this.#file = new JournalFile(this.#path);
    this.#incarnations.clear();
    let at = 0;
    for (const [index, line] of lines.entries()) {
      const bytes = encoded[index]?.length ?? 0;
      this.#fold(line, { at, bytes });
      at += bytes;
    }
    this.#file.cut(at);
    this.#rewriteAt = Math.max(this.#limits.bytesMax, at * 2);
  }

  #newestResults(): ReadonlySet<JournalEntry> {
    const whole = new Set<JournalEntry>();
    const entries = [...this.#incarnations.values()].flatMap((each) => [...each.entries.values()]);
    let bytes = 0;
    for (const entry of entries.reverse()) {
      bytes += entry.finish?.bytes ?? 0;
      if (bytes > this.#limits.resultBytesMax) break;
      whole.add(entry);
    }
    return whole;
  }

  #linesOf(entry: JournalEntry, isWhole: boolean): JournalLine[] {
    const { exec, digest, operation, temporary, process } = entry;
    const lines: JournalLine[] = [
      { t: "start", exec, digest, operation, ...(temporary ? { temporary } : {}) },
    ];
    if (process) lines.push({ t: "spawn", exec, process });
    const result = this.resultOf(entry);
    if (result) lines.push({ t: "finish", exec, result: isWhole ? result : withoutOutput(result) });
    return lines;
  }
}

function withoutOutput(result: ExecResult): ExecResult {
  if (result.output === OUTPUT_DROPPED || result.output === "") return result;
  const droppedBytes = result.droppedBytes + Buffer.byteLength(result.output);
  return { ...result, output: OUTPUT_DROPPED, droppedBytes };
}

function unwritable(error: unknown): NightshiftError {
  return new NightshiftError(
    "E_SANDBOX_UNAVAILABLE",
    `the daemon cannot write its journal: ${messageOf(error)}`,
    {
      cause: error,
      hint: "Free some disk space or check the disk; nothing runs without a journal.",
    },
  );
}
