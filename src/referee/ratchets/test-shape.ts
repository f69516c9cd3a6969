/** What a file of tests holds: its cases one by one, what is around them, and what they assert. */
import { braceItems } from "./brace-tests.ts";
import { javascriptItems } from "./javascript-tests.ts";
import { pythonItems } from "./python-tests.ts";
import { SOURCE_LENGTH_MAX, Source } from "./syntax.ts";
import type { TestItem } from "./test-items.ts";

/** A file of tests. */
export interface TestShape {
  readonly items: readonly TestItem[];
  /** Names that occur in it. */
  readonly names: ReadonlySet<string>;
  /** The whole file, normalised, with the comments that runners obey. */
  readonly text: string;
}

/** Undefined when it cannot be read by its grammar. */
export function testShapeOf(path: string, text: string): TestShape | undefined {
  const plain = text.length > SOURCE_LENGTH_MAX ? undefined : braceItems(path, text);
  if (plain !== undefined) {
    const whole = plain.map((each) => each.text).join("\n");
    return { items: plain, names: new Set(text.match(/\w+/g)), text: whole };
  }
  const source = Source.parse(path, text);
  if (source === undefined || source.hasErrors) return undefined;
  const items = source.language === "python" ? pythonItems(source) : javascriptItems(source);
  const pragmas = items.map(({ text }) => text).filter((text) => /^\/[/*]/.test(text));
  const whole = [source.normalised(source.tree.topNode), ...pragmas].join("\n");
  return { items, names: source.names(), text: whole };
}
