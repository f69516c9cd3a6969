/**
 * The inputs of the operations, checked by hand: the same check tells a model what is wrong before anything is
 * logged, and guards the daemon. Keys that no operation knows are ignored, because models like to add some.
 */
import type { Json } from "../core/text.ts";

/** A checked value, or what is wrong with it, worded for a model. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string };

/** Input of `shell`. */
export interface ShellInput {
  readonly command: string;
  readonly timeoutMs: number | undefined;
}

/** Input of `read`; the range is 1-based and inclusive, an end of -1 means the last line. */
export interface ReadInput {
  readonly path: string;
  readonly range: readonly [number, number] | undefined;
}

/** Input of `write`. */
export interface WriteInput {
  readonly path: string;
  readonly content: string;
}

/** Input of `edit`. */
export interface EditInput {
  readonly path: string;
  readonly oldText: string;
  readonly newText: string;
  readonly replaceAll: boolean;
}

/** Input of `glob` and `grep`. */
export interface SearchInput {
  readonly pattern: string;
  readonly path: string;
}

/** Linux takes no single argument longer than this (128 KiB with its end mark). */
const COMMAND_BYTES_MAX = 131_071;
const PATH_BYTES_MAX = 4096;
const PATTERN_BYTES_MAX = 4096;
const TIMEOUT_MS_MAX = 86_400_000;

/** Checks the input of `shell`: `{command, timeout_ms?}`. */
export function parseShellInput(input: Json): Parsed<ShellInput> {
  return inspect(input, (fields) => {
    const command = fields.text("command", COMMAND_BYTES_MAX);
    const timeoutMs = fields.optionalInteger("timeout_ms", 1, TIMEOUT_MS_MAX);
    if (command.trim() === "") fields.complain("`command` is empty");
    if (command.includes("\0")) fields.complain("`command` contains a NUL character");
    return { command, timeoutMs };
  });
}

/** Checks the input of `read`: `{file_path, view_range?: [start, end]}`. */
export function parseReadInput(input: Json): Parsed<ReadInput> {
  return inspect(input, (fields) => {
    const path = fields.path("file_path");
    const range = fields.optional("view_range");
    if (range === undefined) return { path, range };
    const [start, end] = Array.isArray(range) && range.length === 2 ? range : [];
    if (!isInteger(start) || !isInteger(end) || start < 1 || (end !== -1 && end < start)) {
      fields.complain(
        "`view_range` must be [start, end] with 1 <= start <= end, or end -1 for the last line",
      );
    }
    return { path, range: [Number(start), Number(end)] as const };
  });
}

/** Checks the input of `write`: `{file_path, content}`. */
export function parseWriteInput(input: Json): Parsed<WriteInput> {
  return inspect(input, (fields) => ({ path: fields.path("file_path"), content: fields.text("content") }));
}

/** Checks the input of `edit`: `{file_path, old_string, new_string, replace_all?}`. */
export function parseEditInput(input: Json): Parsed<EditInput> {
  return inspect(input, (fields) => {
    const path = fields.path("file_path");
    const oldText = fields.text("old_string");
    const newText = fields.text("new_string");
    const replaceAll = fields.optional("replace_all") ?? false;
    if (typeof replaceAll !== "boolean") fields.complain("`replace_all` must be true or false");
    if (oldText === "") fields.complain("`old_string` is empty; use write to make a new file");
    else if (oldText === newText) fields.complain("`old_string` and `new_string` are the same");
    return { path, oldText, newText, replaceAll: replaceAll === true };
  });
}

/** Checks the input of `glob` and `grep`: `{pattern, path?}`. */
export function parseSearchInput(input: Json): Parsed<SearchInput> {
  return inspect(input, (fields) => {
    const pattern = fields.text("pattern", PATTERN_BYTES_MAX);
    if (pattern === "") fields.complain("`pattern` is empty");
    if (/[\0\n]/.test(pattern)) fields.complain("`pattern` must be a single line");
    return { pattern, path: fields.optional("path") === undefined ? "." : fields.path("path") };
  });
}

function inspect<Value>(input: Json, build: (fields: Fields) => Value): Parsed<Value> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { ok: false, problem: "the input must be a JSON object" };
  }
  const fields = new Fields(input as { readonly [key: string]: Json });
  const value = build(fields);
  return fields.problem === undefined ? { ok: true, value } : { ok: false, problem: fields.problem };
}

/** Reads fields of an input and remembers the first problem; after one, the values no longer matter. */
class Fields {
  readonly #input: { readonly [key: string]: Json };
  #problem: string | undefined;

  constructor(input: { readonly [key: string]: Json }) {
    this.#input = input;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  complain(problem: string): void {
    this.#problem ??= problem;
  }

  /** A field that may be absent or null. */
  optional(name: string): Json | undefined {
    return Object.hasOwn(this.#input, name) ? (this.#input[name] ?? undefined) : undefined;
  }

  text(name: string, bytesMax = Number.POSITIVE_INFINITY): string {
    const value = this.optional(name);
    if (typeof value !== "string") {
      this.complain(`\`${name}\` must be a string`);
      return "";
    }
    const bytes = Buffer.byteLength(value);
    if (bytes > bytesMax) this.complain(`\`${name}\` has ${bytes} bytes; at most ${bytesMax} are possible`);
    return value;
  }

  path(name: string): string {
    const value = this.text(name, PATH_BYTES_MAX);
    if (value === "") this.complain(`\`${name}\` is empty`);
    if (value.includes("\0")) this.complain(`\`${name}\` contains a NUL character`);
    return value;
  }

  optionalInteger(name: string, min: number, max: number): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    if (isInteger(value) && value >= min && value <= max) return value;
    this.complain(`\`${name}\` must be a whole number from ${min} to ${max}`);
    return undefined;
  }
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
