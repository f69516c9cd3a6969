/** Command texts as people write them, taken apart without a shell where none is needed. */

/** What a text comes to. */
export type CommandText =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** `because` names the first thing that only a shell understands. */
  | { readonly kind: "shell"; readonly because: string }
  | { readonly kind: "broken"; readonly problem: string };

/** Characters that mean something to a shell wherever they are not quoted. */
const META: ReadonlySet<string> = new Set([..."|&;<>()$`*?[\n"]);
/** And those that do at the start of a word. */
const META_AT_START: ReadonlySet<string> = new Set(["#", "~"]);
/** In double quotes a backslash is one, unless it is before these. */
const ESCAPED_IN_QUOTES: ReadonlySet<string> = new Set(["$", "`", '"', "\\", "\n"]);
/** First words that no program has, or that change the shell itself. */
const SHELL_WORDS: ReadonlySet<string> = new Set([
  "!",
  ".",
  ":",
  "{",
  "alias",
  "case",
  "cd",
  "command",
  "eval",
  "exec",
  "exit",
  "export",
  "for",
  "if",
  "set",
  "source",
  "trap",
  "ulimit",
  "umask",
  "unset",
  "until",
  "wait",
  "while",
]);

/** True for words that are the shell's own. */
export function isShellWord(word: string): boolean {
  return SHELL_WORDS.has(word);
}

/** The words of a text as a POSIX shell would split them, or why it takes one. */
export function splitCommandText(text: string): CommandText {
  const splitter = new WordSplitter(text);
  const problem = splitter.split();
  if (problem !== undefined) return problem;
  const [first] = splitter.words;
  if (first === undefined) return { kind: "broken", problem: "it is empty" };
  if (isShellWord(first)) return { kind: "shell", because: first };
  if (splitter.beginsWithAssignment) return { kind: "shell", because: first };
  return { kind: "words", words: splitter.words };
}

/** One text that splits into these words again. */
export function joinCommandText(words: readonly string[]): string {
  return words
    .map((word, index) => (isPlain(word, index === 0) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

function isPlain(word: string, isFirst: boolean): boolean {
  return (isFirst ? /^[\w@%+:,./-]+$/ : /^[\w@%+=:,./-]+$/).test(word);
}

class WordSplitter {
  readonly words: string[] = [];
  readonly #text: string;
  #at = 0;
  /** Undefined between words. */
  #word: string | undefined;
  #isQuoted = false;
  beginsWithAssignment = false;

  constructor(text: string) {
    this.#text = text.trim();
  }

  /** Undefined when all of it was split. */
  split(): CommandText | undefined {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? "";
      const problem = this.#step(character);
      if (problem !== undefined) return problem;
    }
    this.#endWord();
    return undefined;
  }

  #step(character: string): CommandText | undefined {
    if (character === "'") return this.#single();
    if (character === '"') return this.#double();
    if (character === "\\") return this.#escaped();
    if (META.has(character) || (this.#word === undefined && META_AT_START.has(character)))
      return { kind: "shell", because: character === "\n" ? "a new line" : character };
    if (/\s/.test(character)) this.#endWord();
    else this.#add(character);
    this.#at++;
    return undefined;
  }

  #single(): CommandText | undefined {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) return { kind: "broken", problem: "a single quote in it does not end" };
    this.#add(this.#text.slice(this.#at + 1, end), true);
    this.#at = end + 1;
    return undefined;
  }

  #double(): CommandText | undefined {
    this.#add("", true);
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at] ?? "";
      if (character === '"') {
        this.#at = at + 1;
        return undefined;
      }
      if (character === "$" || character === "`") return { kind: "shell", because: character };
      const next = this.#text[at + 1] ?? "";
      if (character === "\\" && ESCAPED_IN_QUOTES.has(next)) {
        if (next !== "\n") this.#add(next, true);
        at++;
      } else this.#add(character, true);
    }
    return { kind: "broken", problem: "a double quote in it does not end" };
  }

  #escaped(): CommandText | undefined {
    const next = this.#text[this.#at + 1];
    if (next === undefined) return { kind: "broken", problem: "it ends with a backslash" };
    // A line that goes on: both characters vanish.
    if (next !== "\n") this.#add(next, true);
    this.#at += 2;
    return undefined;
  }

  #add(text: string, isQuoted = false): void {
    this.#word = (this.#word ?? "") + text;
    this.#isQuoted ||= isQuoted;
  }

  #endWord(): void {
    if (this.#word === undefined) return;
    if (this.words.length === 0 && !this.#isQuoted && /^[A-Za-z_]\w*=/.test(this.#word))
      this.beginsWithAssignment = true;
    this.words.push(this.#word);
    this.#word = undefined;
    this.#isQuoted = false;
  }
}
