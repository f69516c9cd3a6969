/** Asks git which paths are ignored, by one process that is talked to. It reads `.gitignore` files and nothing else. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { NightshiftError } from "../core/errors.ts";
import { type BytePath, bytePath } from "./paths.ts";

/** What is asked of git: one line per path, with the pattern that decides. */
export const IGNORE_QUESTION: readonly string[] = ["check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"];

const FIELDS = 4;
const PROBLEMS_LENGTH_MAX = 1000;

/** A conversation with `git check-ignore`. */
export class Ignores {
  readonly #child: ChildProcessWithoutNullStreams;
  #pending = "";
  #answers: string[] = [];
  #problems = "";
  #isOver = false;
  #changed: () => void = () => {};

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
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
    this.#answers = [];
    // A path that begins with a colon would be taken for a pattern.
    this.#child.stdin.write(Buffer.from(paths.map((path) => `./${path}\0`).join(""), "latin1"));
    while (this.#answers.length < paths.length * FIELDS) {
      if (this.#isOver) throw this.#failure();
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    const ignored = new Set<BytePath>();
    for (let at = 0; at < this.#answers.length; at += FIELDS) {
      const [, , pattern = "", path = ""] = this.#answers.slice(at, at + FIELDS);
      if (pattern !== "" && !pattern.startsWith("!")) ignored.add(bytePath(path.slice(2)));
    }
    return ignored;
  }

  /** Ends the conversation, and with it the namespace that it may have had. */
  close(): void {
    this.#child.stdin.end();
    this.#child.kill("SIGKILL");
  }

  #take(text: string): void {
    const parts = (this.#pending + text).split("\0");
    this.#pending = parts.pop() ?? "";
    this.#answers.push(...parts);
    this.#changed();
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
