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

/** The file that a test is in. */
export function fileOfId(id: string): string {
  return id.split(AFTER_FILE, 1)[0] ?? id;
}
