/** Code that is right today and dear tomorrow: files that grow without end, and code that is there twice. Only notes. */
import type { Finding } from "../../core/contract/contract.ts";
import { finding } from "../tree/finding.ts";

/** A changed file with both its texts; empty for one that was not, or is not, there. */
export interface Pair {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A file is worth a word from here on, if it has grown by as much as the other two say. */
const LONG_LINES = 800;
const GROWN_LINES = 200;
const GROWN_FACTOR = 1.25;
/** Lines that say something, one after the other, that have to be the same. */
const SAME_LINES = 12;
/** A table of the same line is no code that was copied. */
const DIFFERENT_LINES = 6;
/** Of all changed sources; in more than that, nothing is looked for twice: whoever wrote them decides how many there are. */
const COMPARED_LINES_MAX = 200_000;
const NAMED_MAX = 3;
/** What closes or opens something, and comments, tell no code from another. */
const SAYS_NOTHING = /^[\s{}()[\];,]*$|^\s*(\/\/|#|\*|\/\*|"""|'''|import\b|from\b|use\b|export \{)/;
const CODE = /\.([cm]?[jt]sx?|py|go|rs|java|kt|rb|php|cs|swift|c|cc|cpp|h|hpp)$/;

/** Of the changed sources among themselves. */
export function healthOf(pairs: readonly Pair[]): Finding[] {
  const code = pairs.filter(({ path, after }) => CODE.test(path) && after !== "");
  return [...code.flatMap(grown), ...repeated(code)];
}

function grown({ path, before, after }: Pair): Finding[] {
  const [old, now] = [linesOf(before).length, linesOf(after).length];
  const isMuch = now >= LONG_LINES && now - old >= GROWN_LINES && now >= old * GROWN_FACTOR;
  return isMuch ? [finding("health", path, "note", `has grown from ${old} to ${now} lines`)] : [];
}

/** Where a window of lines is in the texts as delivered, and was not there as often on the base. */
function repeated(pairs: readonly Pair[]): Finding[] {
  const lines = pairs.reduce(
    (sum, { before, after }) => sum + linesOf(before).length + linesOf(after).length,
    0,
  );
  if (lines > COMPARED_LINES_MAX) return [];
  const numbers = new Map<string, number>();
  const known = windowsOf(
    pairs.map(({ path, before }) => ({ path, text: before })),
    numbers,
  );
  const now = windowsOf(
    pairs.map(({ path, after }) => ({ path, text: after })),
    numbers,
  );
  const places = new Map<string, Set<string>>();
  for (const [window, at] of now) {
    const [first, ...others] = at;
    if (first === undefined || at.length <= Math.max(1, known.get(window)?.length ?? 0)) continue;
    for (const other of others) places.set(other, (places.get(other) ?? new Set()).add(first));
  }
  return [...places].map(([path, firsts]) => {
    const named = [...firsts].slice(0, NAMED_MAX).map((first) => (first === path ? "itself" : first));
    return finding(
      "health",
      path,
      "note",
      `has ${SAME_LINES} lines and more that are in ${named.join(", ")}, too`,
    );
  });
}

/** Each run of lines, with the paths where it begins: as often as it does. @param numbers - of lines, in all texts */
function windowsOf(
  texts: readonly { readonly path: string; readonly text: string }[],
  numbers: Map<string, number>,
): Map<string, string[]> {
  const windows = new Map<string, string[]>();
  for (const { path, text } of texts) {
    const lines = linesOf(text).filter((line) => !SAYS_NOTHING.test(line));
    const told = lines.map((line) => numberOf(line.trim(), numbers));
    for (let at = 0; at + SAME_LINES <= told.length; at++) {
      const run = told.slice(at, at + SAME_LINES);
      if (new Set(run).size < DIFFERENT_LINES) continue;
      const window = run.join();
      const places = windows.get(window);
      if (places === undefined) windows.set(window, [path]);
      else places.push(path);
    }
  }
  return windows;
}

/** The same line, the same number. */
function numberOf(line: string, numbers: Map<string, number>): number {
  const known = numbers.get(line) ?? numbers.size;
  numbers.set(line, known);
  return known;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
