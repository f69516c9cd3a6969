/** Takes a command text apart, as far as needed to see which programs it names. It runs nothing and expands nothing. */

/** A simple command: the words between two separators. */
export interface ShellCommand {
  /** Without their quotes. */
  readonly words: readonly string[];
  /** Texts of command substitutions in it. */
  readonly nested: readonly string[];
}

const SEPARATORS: ReadonlySet<string> = new Set([";", "&", "|", "\n", "(", ")"]);

/** The simple commands of a text, in order. What follows `#` at the start of a word is a comment. */
export function splitCommands(text: string): ShellCommand[] {
  return new Splitter(text).split();
}

class Splitter {
  readonly #text: string;
  #at = 0;
  #commands: ShellCommand[] = [];
  #words: string[] = [];
  #nested: string[] = [];
  /** Undefined between words. */
  #word: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  split(): ShellCommand[] {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] ?? "");
    this.#endCommand();
    return this.#commands;
  }

  #step(character: string): void {
    switch (character) {
      case "'":
        this.#add(this.#until("'"));
        return;
      case '"':
        this.#at++;
        this.#quoted();
        return;
      case "\\":
        // A line that goes on: both characters vanish.
        if (this.#text[this.#at + 1] !== "\n") this.#add(this.#text[this.#at + 1] ?? "");
        this.#at += 2;
        return;
      case "`":
        this.#nested.push(this.#until("`"));
        this.#add("");
        return;
      case "$":
        this.#dollar();
        return;
      case "#":
        if (this.#word === undefined) this.#until("\n", 0);
        else this.#take(character);
        return;
      default:
        this.#plain(character);
    }
  }

  #plain(character: string): void {
    if (SEPARATORS.has(character)) this.#endCommand();
    else if (/\s/.test(character)) this.#endWord();
    else this.#add(character);
    this.#at++;
  }

  #quoted(): void {
    this.#add("");
    for (; this.#at < this.#text.length; ) {
      const character = this.#text[this.#at] ?? "";
      if (character === '"') break;
      if (character === "`") this.#nested.push(this.#until("`"));
      else if (character === "$") this.#dollar();
      else if (character === "\\") {
        this.#add(this.#text[this.#at + 1] ?? "");
        this.#at += 2;
      } else this.#take(character);
    }
    this.#at++;
  }

  /** `$(…)` holds a command; any other `$` is text. */
  #dollar(): void {
    if (this.#text[this.#at + 1] !== "(") {
      this.#take("$");
      return;
    }
    const start = this.#at + 2;
    let depth = 1;
    let end = start;
    for (; end < this.#text.length && depth > 0; end++) {
      if (this.#text[end] === "(") depth++;
      if (this.#text[end] === ")") depth--;
    }
    this.#nested.push(this.#text.slice(start, depth === 0 ? end - 1 : end));
    this.#add("");
    this.#at = end;
  }

  #take(character: string): void {
    this.#add(character);
    this.#at++;
  }

  /** The text up to a closing character; the position is after it. */
  #until(closing: string, skip = 1): string {
    const start = this.#at + skip;
    const end = this.#text.indexOf(closing, start);
    this.#at = end === -1 ? this.#text.length : end + skip;
    return this.#text.slice(start, end === -1 ? undefined : end);
  }

  #add(text: string): void {
    this.#word = (this.#word ?? "") + text;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #endCommand(): void {
    this.#endWord();
    if (this.#words.length > 0 || this.#nested.length > 0) {
      this.#commands.push({ words: this.#words, nested: this.#nested });
    }
    this.#words = [];
    this.#nested = [];
  }
}
