/** Lists of test ids, as events hold them: a JSON string a line. */
import { assert } from "../core/errors.ts";
import { isBlobRef, type Text } from "../core/text.ts";

/** After the file in an id: ours, and pytest's. */
const AFTER_FILE = / › |::/;

/** The list as one text. */
export function writeIds(ids: readonly string[]): string {
  return ids.map((id) => JSON.stringify(id)).join("\n");
}

/** The list again. @param text - hydrated */
export function readIds(text: Text): readonly string[] {
  assert(!isBlobRef(text), "the event was read with its long texts");
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line) as string);
}

/** Is an id one of those that these patterns name? `*` stands for anything. */
export function idMatcher(patterns: readonly string[]): (id: string) => boolean {
  const split = patterns.map((pattern) => pattern.split("*"));
  return (id) => split.some((parts) => hasParts(id, parts));
}

/** In their order, the first at the beginning and the last at the end. */
function hasParts(id: string, parts: readonly string[]): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return id === first;
  if (!id.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = id.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return id.length - last.length >= at && id.endsWith(last);
}

/** The file that a test is in. */
export function fileOfId(id: string): string {
  return id.split(AFTER_FILE, 1)[0] ?? id;
}
