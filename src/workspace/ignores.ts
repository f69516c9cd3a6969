/** Asks git which paths are ignored, by one process that is talked to. It reads `.gitignore` files and nothing else. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { NightshiftError } from "../core/errors.ts";
import { type BytePath, bytePath } from "./paths.ts";

/** What is asked of git: one line per path, with the pattern that decides. */
export const IGNORE_QUESTION: readonly string[] = ["check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"];

/** Of an answer: file, line and text of the pattern, path. */
const FIELDS = 4;
const PATTERN_FIELD = 2;
const PATH_FIELD = 3;
const PROBLEMS_LENGTH_MAX = 1000;
/** All waiting in one conversation; patterns can be written that take for ever. */
const WAIT_MS_MAX = 120_000;

/** A conversation with `git check-ignore`. */
export class Ignores {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #signal: AbortSignal;
  #waitMs: number;
  /** Which field of an answer is being read, and what is known of it. */
  #field = 0;
  #text = "";
  #isIgnored = false;
  #answers = 0;
  #ignored = new Set<BytePath>();
  #problems = "";
  #isOver = false;
  #changed: () => void = () => {};

  /** @param waitMs - after so much waiting it ends the conversation */
  constructor(child: ChildProcessWithoutNullStreams, signal: AbortSignal, waitMs: number = WAIT_MS_MAX) {
    this.#child = child;
    this.#signal = signal;
    this.#waitMs = waitMs;
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => {
      this.#problems = (this.#problems + chunk.toString("utf8")).slice(0, PROBLEMS_LENGTH_MAX);
    });
    child.stdin.on("error", () => {});
    const end = (): void => {
      this.#isOver = true;
      this.#changed();
    };
    child.once("error", end);
    child.once("close", end);
  }

  /** Those of the paths that are ignored. One question at a time. */
  async select(paths: readonly BytePath[]): Promise<ReadonlySet<BytePath>> {
    if (paths.length === 0) return new Set();
    this.#answers = 0;
    this.#ignored = new Set();
    const beganMs = performance.now();
    const timer = setTimeout(() => this.#giveUp(), this.#waitMs);
    const stop = (): void => void this.#child.kill("SIGKILL");
    this.#signal.addEventListener("abort", stop, { once: true });
    try {
      // A path that begins with a colon would be taken for a pattern.
      this.#child.stdin.write(Buffer.from(paths.map((path) => `./${path}\0`).join(""), "latin1"));
      while (this.#answers < paths.length) {
        this.#signal.throwIfAborted();
        if (this.#isOver) throw this.#failure();
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
      return this.#ignored;
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", stop);
      this.#waitMs -= performance.now() - beganMs;
    }
  }

  /** Ends the conversation, and with it the namespace that it may have had. */
  close(): void {
    this.#child.stdin.end();
    this.#child.kill("SIGKILL");
  }

  #giveUp(): void {
    this.#problems = "its patterns take too long";
    this.#child.kill("SIGKILL");
  }

  /** Patterns are repeated in every answer, and can be as long as a file: only how one begins is kept. */
  #take(chunk: string): void {
    for (let at = 0; at < chunk.length; ) {
      const found = chunk.indexOf("\0", at);
      const end = found < 0 ? chunk.length : found;
      if (this.#field === PATH_FIELD) this.#text += chunk.slice(at, end);
      else if (this.#text === "") this.#text = chunk.slice(at, Math.min(end, at + 1));
      if (found >= 0) this.#endField();
      at = end + 1;
    }
    this.#changed();
  }

  #endField(): void {
    if (this.#field === PATTERN_FIELD) this.#isIgnored = this.#text !== "" && this.#text !== "!";
    if (this.#field === PATH_FIELD) {
      if (this.#isIgnored) this.#ignored.add(bytePath(this.#text.slice("./".length)));
      this.#answers++;
    }
    this.#text = "";
    this.#field = (this.#field + 1) % FIELDS;
  }

  #failure(): NightshiftError {
    return new NightshiftError(
      "E_WORKSPACE_BUSY",
      `git could not say what is ignored: ${this.#problems.trim()}`,
      {
        retryable: true,
      },
    );
  }
}
