/** A terminal as far as our own output goes: lines, a cursor, and the few sequences that we send. All else, hiding the cursor too, is refused. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding sequences is its purpose
const SEQUENCE = /^\u001b\[(\d*)([A-Za-z])/u;

/** What a person sees, with what has scrolled away above it. */
export class Terminal {
  readonly lines: string[] = [""];
  readonly columns: number;
  #row = 0;
  #column = 0;

  constructor(columns = 80) {
    this.columns = columns;
  }

  /** What is left of blank ends. */
  get text(): string {
    return this.lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd();
  }

  write(text: string): void {
    for (let rest = text; rest !== ""; ) rest = rest.slice(this.#take(rest));
  }

  /** @returns how many characters were understood */
  #take(text: string): number {
    const [first = ""] = text;
    if (first === "\u001b") return this.#obey(text);
    if (first === "\r") this.#column = 0;
    else if (first === "\n") this.#feed();
    else if (first < " ") throw new Error(`a control character: ${JSON.stringify(first)}`);
    else this.#put(first);
    return first.length;
  }

  #obey(text: string): number {
    const [whole, parameter = "", command] = SEQUENCE.exec(text) ?? [];
    if (whole === undefined)
      throw new Error(`a sequence of another kind: ${JSON.stringify(text.slice(0, 10))}`);
    if (command === "A") this.#row = Math.max(0, this.#row - Number(parameter || 1));
    else if (command === "J") this.#eraseBelow();
    else if (command !== "m") throw new Error(`an unknown sequence: ${JSON.stringify(whole)}`);
    return whole.length;
  }

  #eraseBelow(): void {
    this.lines.length = this.#row + 1;
    this.lines[this.#row] = (this.lines[this.#row] ?? "").slice(0, this.#column);
  }

  #feed(): void {
    this.#row += 1;
    this.#column = 0;
    while (this.lines.length <= this.#row) this.lines.push("");
  }

  #put(character: string): void {
    if (this.#column >= this.columns) this.#feed();
    const line = (this.lines[this.#row] ?? "").padEnd(this.#column);
    this.lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column += 1;
  }
}
