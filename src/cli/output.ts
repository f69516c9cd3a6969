/** Where a command's words go. Everything that did not come from this program is stripped before it is printed. */
import { BottomBlock } from "./bottom-block.ts";
import { stripControl } from "./render/text.ts";

const WIDTH_MIN = 40;
const WIDTH_STANDARD = 80;
const WIDTH_MAX = 120;

/** Standard output is a file, and its disk takes no more. */
const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Standard output and standard error of a command. */
export class Output {
  readonly #assumed: number;
  readonly #gone = new AbortController();
  #lost: string | null = null;
  #block: BottomBlock | null = null;

  /** @param columns - width to assume where standard output is no terminal */
  constructor(columns: string | undefined) {
    this.#assumed = /^\d{1,4}$/.test(columns ?? "") ? Number(columns) : WIDTH_STANDARD;
    // A reader that went away (`| head`) is no failure of the work; there is only nobody to tell.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (NO_ROOM.has(error.code ?? "")) this.#lost ??= error.message;
      this.#gone.abort(null);
    });
    process.stderr.on("error", () => undefined);
  }

  /** Aborts once the reader of standard output is gone, which a write shows only some time after it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Why something that was printed is nowhere; null when that has not happened. */
  get lost(): string | null {
    return this.#lost;
  }

  get #isOpen(): boolean {
    return !this.gone.aborted;
  }

  /** Columns to fit lines into. */
  get width(): number {
    return Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, process.stdout.columns ?? this.#assumed));
  }

  /** Lines for the bottom of the terminal that standard output has to be; what is printed from now on is above them. */
  openBlock(): BottomBlock {
    const write = (text: string): void => {
      if (this.#isOpen) process.stdout.write(text);
    };
    this.#block = new BottomBlock({
      write,
      get columns() {
        return process.stdout.columns || WIDTH_STANDARD;
      },
    });
    return this.#block;
  }

  /** Prints lines of text. */
  print(...lines: readonly string[]): void {
    if (!this.#isOpen || lines.length === 0) return;
    this.#above(() => process.stdout.write(lines.map((line) => `${stripControl(line)}\n`).join("")));
  }

  /** Prints one JSON value on a line of its own. JSON escapes C0 control characters; the others are escaped here. */
  printJson(value: unknown): void {
    if (!this.#isOpen) return;
    const text = JSON.stringify(value).replace(
      /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    process.stdout.write(`${text}\n`);
  }

  /** Prints lines for the person only, past any pipe. */
  note(...lines: readonly string[]): void {
    this.#above(() => process.stderr.write(lines.map((line) => `${stripControl(line)}\n`).join("")));
  }

  #above(print: () => void): void {
    if (this.#block === null) print();
    else this.#block.above(print);
  }

  /** Resolves when everything printed is on its way; pipes are asynchronous. */
  async flush(): Promise<void> {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.writableLength > 0 && !stream.destroyed) {
        await new Promise<void>((resolve) => {
          stream.once("drain", resolve);
          stream.once("error", () => resolve());
          stream.once("close", () => resolve());
        });
      }
    }
    // A write that failed at once says so only in the next round of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves at once, or when the reader has caught up with what was printed. */
  async drained(): Promise<void> {
    if (this.#isOpen && process.stdout.writableNeedDrain) await this.flush();
  }
}
