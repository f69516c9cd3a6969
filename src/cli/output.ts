/** Where a command's words go. Everything that did not come from this program is stripped before it is printed. */
import { stripControl } from "./render/text.ts";

const WIDTH_MIN = 40;
const WIDTH_STANDARD = 80;
const WIDTH_MAX = 120;

/** Standard output and standard error of a command. */
export class Output {
  readonly #width: number;
  readonly #gone = new AbortController();

  /** @param columns - width to assume where standard output is no terminal */
  constructor(columns: string | undefined) {
    const assumed = /^\d{1,4}$/.test(columns ?? "") ? Number(columns) : WIDTH_STANDARD;
    this.#width = Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, process.stdout.columns ?? assumed));
    // A reader that went away (`| head`) is no failure of the work; there is only nobody to tell.
    process.stdout.on("error", () => this.#gone.abort(null));
    process.stderr.on("error", () => undefined);
  }

  /** Aborts once the reader of standard output is gone, which a write shows only some time after it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get #isOpen(): boolean {
    return !this.gone.aborted;
  }

  /** Columns to fit lines into. */
  get width(): number {
    return this.#width;
  }

  /** Prints lines of text. */
  print(...lines: readonly string[]): void {
    if (this.#isOpen) process.stdout.write(lines.map((line) => `${stripControl(line)}\n`).join(""));
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
    process.stderr.write(lines.map((line) => `${stripControl(line)}\n`).join(""));
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
  }

  /** Resolves at once, or when the reader has caught up with what was printed. */
  async drained(): Promise<void> {
    if (this.#isOpen && process.stdout.writableNeedDrain) await this.flush();
  }
}
