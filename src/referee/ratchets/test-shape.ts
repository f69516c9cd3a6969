/** What a file of tests holds: its cases one by one, what is around them, and what they assert. */
import { javascriptItems } from "./javascript-tests.ts";
import { pythonItems } from "./python-tests.ts";
import { Source } from "./syntax.ts";
import type { TestItem } from "./test-items.ts";

/** A file of tests. */
export interface TestShape {
  readonly items: readonly TestItem[];
  /** Names that occur in it. */
  readonly names: ReadonlySet<string>;
  /** The whole file, normalised, with the comments that runners obey. */
  readonly text: string;
  /** Of all cases, those in loops and helpers too. */
  readonly assertions: number;
}

/** Undefined when it cannot be read by its grammar. */
export function testShapeOf(path: string, text: string): TestShape | undefined {
  const source = Source.parse(path, text);
  if (source === undefined || source.hasErrors) return undefined;
  const items = source.language === "python" ? pythonItems(source) : javascriptItems(source);
  const pragmas = items.map(({ text }) => text).filter((text) => /^\/[/*]/.test(text));
  return {
    items,
    names: source.names(),
    text: [source.normalised(source.tree.topNode), ...pragmas].join("\n"),
    assertions: items.reduce((sum, each) => sum + each.assertions.length, 0),
  };
}
