/** What follows `--` of a command line that starts a program: its whole command, which no flag of ours is looked for in. */

/** A command line in two parts. */
export interface SplitLine {
  readonly line: readonly string[];
  /** Undefined when the line starts no program. */
  readonly program: readonly string[] | undefined;
}

/** Only lines that say so start a program; for all others, words after `--` are words. */
export function splitLine(line: readonly string[]): SplitLine {
  const at = line.indexOf("--");
  const own = at === -1 ? line : line.slice(0, at);
  const startsProgram = own[0] === "ralph" || (own[0] === "run" && namesCommand(own));
  return startsProgram ? { line: own, program: line.slice(own.length + 1) } : { line, program: undefined };
}

function namesCommand(words: readonly string[]): boolean {
  return words.some(
    (word, index) => word === "--worker=command" || (word === "command" && words[index - 1] === "--worker"),
  );
}
