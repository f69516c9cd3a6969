/**
 * JSON that somebody else wrote: parsed with the engine's own parser, and looked at once more for what that lets
 * through, which are keys that are there twice and nesting without end. Knows the line of every field.
 */
import { messageOf, NightshiftError } from "../../core/errors.ts";

const DEPTH_MAX = 64;

/** Where a field is. */
export type FieldPath = readonly (string | number)[];

/** A parsed text. */
export interface JsonText {
  readonly value: unknown;
  /** 1-based; undefined for a field that is not there. */
  lineOf(path: FieldPath): number | undefined;
}

/** @param name - of the file, for messages @throws NightshiftError `E_CONTRACT_FILE` */
export function parseJsonText(text: string, name: string): JsonText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson(error, text, name);
  }
  walkJson(text, (path, at, problem) => {
    if (problem === undefined) return;
    const line = lineAt(text, at);
    throw new NightshiftError("E_CONTRACT_FILE", `${name}, line ${line}: ${problem} in ${fieldName(path)}`, {
      data: { line, field: fieldName(path) },
    });
  });
  return { value, lineOf: (path) => lineOf(text, path) };
}

/** `userStories[3].title` */
export function fieldName(path: FieldPath): string {
  if (path.length === 0) return "the top level";
  const joined = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  return joined.replace(/^\./, "").slice(0, 200);
}

function notJson(error: unknown, text: string, name: string): NightshiftError {
  const message = messageOf(error);
  const [, position] = /\bposition (\d+)/.exec(message) ?? [];
  const line = lineAt(text, position === undefined ? text.length : Number(position));
  const reason = message.replace(/ \(line \d+ column \d+\)/, "").slice(0, 200);
  return new NightshiftError("E_CONTRACT_FILE", `${name}, line ${line}: it is not JSON: ${reason}`, {
    cause: error,
    data: { line },
  });
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < position; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

function lineOf(text: string, wanted: FieldPath): number | undefined {
  let found: number | undefined;
  walkJson(text, (path, at) => {
    if (found === undefined && isSame(path, wanted)) found = lineAt(text, at);
  });
  return found;
}

function isSame(one: FieldPath, other: FieldPath): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

/** Called at the start of each value; with a problem, at the place of the problem. The path is reused. */
type Visit = (path: FieldPath, at: number, problem?: string) => void;

interface Frame {
  readonly keys: Set<string> | undefined;
  /** The next string is a key. */
  isAtKey: boolean;
}

/** Goes over a text that is known to be JSON. Not recursive: nesting costs no stack. */
function walkJson(text: string, visit: Visit): void {
  const path: (string | number)[] = [];
  const frames: Frame[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text[at] ?? "";
    const frame = frames.at(-1);
    const isOpening = character === "{" || character === "[";
    const end = endOfToken(text, at);
    if (character === '"' && frame?.isAtKey === true) {
      const key = String(JSON.parse(text.slice(at, end)));
      path[path.length - 1] = key;
      if (frame.keys?.has(key) === true)
        visit(path.slice(0, -1), at, `"${key.slice(0, 100)}" is there twice`);
      frame.keys?.add(key);
      frame.isAtKey = false;
    } else if (isOpening) {
      visit(path, at);
      if (frames.length === DEPTH_MAX) visit(path, at, `it is nested deeper than ${DEPTH_MAX}`);
      frames.push({ keys: character === "{" ? new Set() : undefined, isAtKey: character === "{" });
      path.push(0);
    } else if (character === "}" || character === "]") {
      frames.pop();
      path.pop();
    } else if (character === "," && frame !== undefined) {
      if (frame.keys === undefined) path[path.length - 1] = Number(path.at(-1)) + 1;
      frame.isAtKey = frame.keys !== undefined;
    } else if (!/[\s:]/.test(character)) visit(path, at);
    at = end;
  }
}

const PUNCTUATION = new Set([..."{}[],: \t\r\n"]);

function endOfToken(text: string, at: number): number {
  if (text[at] === '"') {
    let end = at + 1;
    while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    return end + 1;
  }
  if (PUNCTUATION.has(text[at] ?? "")) return at + 1;
  let end = at + 1;
  while (end < text.length && !PUNCTUATION.has(text[end] ?? "")) end++;
  return end;
}
