/** A shell text as commands with what stands between them. */

/** A simple command, and the operator behind it; `;` also for the end and for a new line. */
export interface ShellPiece {
  /** Without their quotes, redirections left out. */
  readonly words: readonly string[];
  readonly after: ";" | "&" | "&&" | "||" | "|";
}

const TOKEN =
  /\s*(?:(?<comment>#[^\n]*)|(?<operator>&&|\|\||\|&?|;|\n|&)|(?<redirection>\d*(?:>>?|<)(?:&\s*[\d-]+|\s*[^\s;&|<>()]+))|(?<word>(?:[^\s;&|<>()"'\\`$#]|\\.|"(?:[^"\\`$]|\\.|\$(?!\())*"|'[^']*'|\$(?!\()|(?<=\S)#)+))/suy;

/** Words after which the grammar is more than lists and pipes. */
const GRAMMAR: ReadonlySet<string> = new Set(
  "{ } [[ case do done elif else esac fi for function if select then until while".split(" "),
);

/** Undefined for anything but lists and pipes of simple commands: then nothing is known. */
export function splitPieces(text: string): readonly ShellPiece[] | undefined {
  const pieces: ShellPiece[] = [];
  let words: string[] = [];
  const end = (after: ShellPiece["after"]): void => {
    if (words.length > 0) pieces.push({ words, after });
    words = [];
  };
  TOKEN.lastIndex = 0;
  const trimmed = text.trim();
  while (TOKEN.lastIndex < trimmed.length) {
    const groups = TOKEN.exec(trimmed)?.groups;
    if (groups === undefined) return undefined;
    const { operator, word } = groups;
    if (operator !== undefined) end(operatorOf(operator));
    if (word === undefined) continue;
    if (words.length === 0 && GRAMMAR.has(word)) return undefined;
    words.push(unquoted(word));
  }
  end(";");
  return pieces;
}

function operatorOf(text: string): ShellPiece["after"] {
  if (text === "\n") return ";";
  return text === "|&" ? "|" : (text as ShellPiece["after"]);
}

function unquoted(word: string): string {
  return word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_match, escaped, double, single) =>
    String(escaped ?? single ?? String(double).replace(/\\(["\\$`])/g, "$1")),
  );
}
