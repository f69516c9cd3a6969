/** `glob` and `grep`: bounded, sorted searches below a folder of the workspace. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Parsed, SearchInput } from "../inputs.ts";
import { locate, type Place, reasonOf } from "./files.ts";
import { GlobPattern } from "./glob-pattern.ts";
import { grepFiles } from "./grep.ts";
import { type OperationContext, type OperationOutcome, refused, succeeded } from "./operations.ts";
import { WalkTooLarge, walk } from "./walk.ts";

/** More lines help no model. */
const RESULTS_MAX = 1000;
const LINE_CHARACTERS_MAX = 500;
/** Room for the sentence at the end of a list that was cut. */
const NOTE_BYTES = 160;
/** Files given to one `grep`, each by a descriptor of its own. */
const BATCH_FILES_MAX = 100;

/** Lists files whose path matches. */
export async function globOperation(
  input: SearchInput,
  context: OperationContext,
): Promise<OperationOutcome> {
  const start = await startOf(input.path, context);
  if (!start.ok) return refused(start.problem);
  await using place = start.value;
  const pattern = GlobPattern.parse(input.pattern);
  if (!pattern.ok) return refused(pattern.problem);
  const glob = pattern.value;
  const list = new ResultList(context.limits.outputBytes);
  // A file has nothing below it.
  if (place.rest.length > 0) return succeeded(...list.finish("No files match."));
  const visitor = {
    start: glob.start,
    enter: (state: typeof glob.start, name: string) => {
      const next = glob.step(state, name);
      return next.length === 0 ? undefined : next;
    },
  };
  try {
    for await (const found of walk(place.folder, visitor, context.signal)) {
      if (found.kind === "folder" || !glob.isMatch(found.state)) continue;
      if (!list.add(join(place.shown, found.path))) break;
    }
  } catch (error) {
    if (error instanceof WalkTooLarge) return refused(error.message);
    throw error;
  }
  return succeeded(...list.finish("No files match."));
}

/** Lists lines that match a POSIX extended regular expression, as `path:line:text`. */
export async function grepOperation(
  input: SearchInput,
  context: OperationContext,
): Promise<OperationOutcome> {
  const start = await startOf(input.path, context);
  if (!start.ok) return refused(start.problem);
  await using place = start.value;
  const list = new ResultList(context.limits.outputBytes);
  const expression = toExtendedExpression(input.pattern);
  try {
    for await (const files of batches(place, context)) {
      const problem = await grepFiles(place, files, { expression, list, context });
      if (problem !== undefined) return refused(problem);
      if (list.isFull) break;
    }
  } catch (error) {
    if (error instanceof WalkTooLarge) return refused(error.message);
    throw error;
  }
  return succeeded(...list.finish("No lines match."));
}

async function startOf(path: string, { root }: OperationContext): Promise<Parsed<Place>> {
  const located = await locate(root, path);
  if (!located.ok) return located;
  try {
    await lstat(located.value.at);
    return located;
  } catch (error) {
    await located.value[Symbol.asyncDispose]();
    return { ok: false, problem: `${located.value.shown} cannot be searched: ${reasonOf(error)}` };
  }
}

const EVERYTHING = { start: true, enter: () => true };

/** Paths relative to where the search begins, in walking order, so that results are sorted. */
async function* batches(start: Place, { signal }: OperationContext): AsyncGenerator<string[]> {
  if (start.rest.length > 0) {
    yield [start.rest.join("/")];
    return;
  }
  let batch: string[] = [];
  for await (const { path, kind } of walk(start.folder, EVERYTHING, signal)) {
    // A link could lead out of the workspace.
    if (kind !== "file") continue;
    batch.push(path);
    if (batch.length < BATCH_FILES_MAX) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const CLASS_SHORTHANDS: Readonly<Record<string, string>> = {
  d: "0-9",
  s: "[:space:]",
  w: "[:alnum:]_",
};

/** Models write `\d` and `(?:…)`, which extended expressions do not know. */
export function toExtendedExpression(pattern: string): string {
  let result = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    const next = pattern[at + 1] ?? "";
    if (character === "[") {
      const end = endOfClass(pattern, at);
      result += pattern
        .slice(at, end)
        .replace(/\\([dsw])/g, (_, name: string) => CLASS_SHORTHANDS[name] ?? "");
      at = end - 1;
    } else if (character === "\\" && (next === "d" || next === "D")) {
      result += next === "d" ? "[0-9]" : "[^0-9]";
      at++;
    } else if (character === "\\") {
      result += character + next;
      at++;
    } else if (character === "(" && pattern.startsWith("?:", at + 1)) {
      result += "(";
      at += 2;
    } else {
      result += character;
    }
  }
  return result;
}

function endOfClass(pattern: string, from: number): number {
  const start = from + (pattern[from + 1] === "^" ? 2 : 1);
  for (let at = start + 1; at < pattern.length; at++) if (pattern[at] === "]") return at + 1;
  return pattern.length;
}

/** Lines up to a limit of lines and of bytes. */
class ResultList {
  readonly #bytesMax: number;
  readonly #lines: string[] = [];
  #bytes = 0;
  #isFull = false;

  constructor(outputBytes: number) {
    this.#bytesMax = outputBytes - NOTE_BYTES;
  }

  /** True when no more lines are taken. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** False when there is no room for it. */
  add(line: string): boolean {
    if (this.#isFull) return false;
    const shown = line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)} [...]` : line;
    const bytes = Buffer.byteLength(shown) + 1;
    if (this.#lines.length >= RESULTS_MAX || this.#bytes + bytes > this.#bytesMax) {
      this.#isFull = true;
      return false;
    }
    this.#lines.push(shown);
    this.#bytes += bytes;
    return true;
  }

  finish(nothing: string): [output: string] {
    if (this.#lines.length === 0 && !this.#isFull) return [nothing];
    const note = this.#isFull ? `[only the first ${this.#lines.length} results; search more narrowly]\n` : "";
    return [this.#lines.map((line) => `${line}\n`).join("") + note];
  }
}
