/** What a person says as words of a command line, or on standard input. */
import { readFileSync } from "node:fs";

/** `-` alone reads standard input. */
export function textOf(words: readonly string[]): string {
  return words.length === 1 && words[0] === "-" ? readFileSync(0, "utf8") : words.join(" ");
}
