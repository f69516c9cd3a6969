/** Texts of package scripts and `sh -c`, taken apart without a shell: commands with `&&` between them, nothing more. */
import { splitCommandText } from "../../core/contract/command.ts";

/** One command of a text. */
export interface ScriptCommand {
  /** Variables that it sets for itself, as `NAME=value`. */
  readonly variables: readonly string[];
  readonly words: readonly string[];
  /** Some of its words are patterns for the shell: `*` and `?` that were not quoted. */
  readonly hasPatterns: boolean;
}

/** Stand in for what a shell would expand, while the rest is split as words. */
const PATTERNS: readonly (readonly [string, string])[] = [
  ["*", "\uE000"],
  ["?", "\uE001"],
  ["[", "\uE002"],
];

/** The commands of a text in their order; undefined when it takes a shell to understand it. */
export function splitScript(text: string): readonly ScriptCommand[] | undefined {
  const parts = topLevel(text);
  const commands = parts?.map(commandOf);
  return commands?.every((command) => command !== undefined) ? commands : undefined;
}

/** Splits at `&&` outside of quotes, with stand-ins for patterns; undefined when a quote does not end. */
function topLevel(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  let part = "";
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\\" && quote !== "'") {
      part += character + (text[++at] ?? "");
    } else if (quote === "" && text.startsWith("&&", at)) {
      parts.push(part);
      part = "";
      at++;
    } else {
      if (quote === "" && (character === "'" || character === '"')) quote = character;
      else if (character === quote) quote = "";
      part += quote === "" ? standIn(character) : character;
    }
  }
  return quote === "" ? [...parts, part] : undefined;
}

function standIn(character: string): string {
  return PATTERNS.find(([pattern]) => pattern === character)?.[1] ?? character;
}

function commandOf(text: string): ScriptCommand | undefined {
  const variables: string[] = [];
  let rest = text.trim();
  for (;;) {
    const assignment = /^([A-Za-z_]\w*)=('[^']*'|"[^"$`\\]*"|[\w@%+=:,./-]*)\s+/.exec(rest);
    if (assignment === null) break;
    variables.push(`${assignment[1]}=${(assignment[2] ?? "").replace(/^(['"])(.*)\1$/, "$2")}`);
    rest = rest.slice(assignment[0].length);
  }
  const split = splitCommandText(rest);
  if (split.kind !== "words") return undefined;
  const restore = (word: string): string =>
    PATTERNS.reduce((restored, [pattern, mark]) => restored.replaceAll(mark, pattern), shallow(word));
  const words = split.words.map(restore);
  return { variables, words, hasPatterns: words.some((word, index) => word !== split.words[index]) };
}

/** To a shell `**` is no more than `*`. */
function shallow(word: string): string {
  return word.replace(/\uE000{2,}/g, "\uE000");
}
