/**
 * Lines that stay at the bottom of a terminal, redrawn in place, while what is printed scrolls by above them. What is
 * printed stays in the scrollback as if there were no such lines.
 */
import { stripControl, textWidth } from "./render/text.ts";

/** What it needs of a terminal. */
export interface Terminal {
  write(text: string): unknown;
  readonly columns: number;
}

/**
 * See the top of the file. The cursor stands below the lines and is never hidden: nobody could show it again after
 * `kill -9`.
 */
export class BottomBlock {
  readonly #terminal: Terminal;
  #lines: readonly string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Puts these lines in the place of those before; none take it away. @param lines - narrower than the terminal */
  show(lines: readonly string[]): void {
    if (isSame(lines, this.#lines)) return;
    const erased = this.#erased();
    this.#lines = lines;
    this.#terminal.write(erased + this.#drawn());
  }

  /** Prints above it. @param print - writes whole lines, to wherever */
  above(print: () => void): void {
    if (this.#lines.length === 0) {
      print();
      return;
    }
    this.#terminal.write(this.#erased());
    print();
    this.#terminal.write(this.#drawn());
  }

  #drawn(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  /** A terminal that became narrower has broken its lines. */
  #erased(): string {
    const columns = Math.max(1, this.#terminal.columns);
    const rows = this.#lines.reduce((sum, line) => sum + rowsOf(line, columns), 0);
    return rows === 0 ? "" : `\r\u001b[${rows}A\u001b[J`;
  }
}

function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(textWidth(stripControl(line)) / columns));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index]);
}
