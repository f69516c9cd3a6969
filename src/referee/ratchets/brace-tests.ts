/**
 * Cases of Go and Rust, whose formatters put every top-level declaration at the start of a line and its closing brace
 * too: so much is known without a grammar.
 */
import type { Assertion, TestItem } from "./test-items.ts";

/** Names that do something by being defined. */
const HOOK = /^(TestMain|init|main)$/;
const GO = /^(?:func(?:\s+\([^)]*\))?|type|var|const)\s+(\w+)/;
const RUST =
  /^(?:pub(?:\([^)]*\))?\s+)?(?:async\s+|unsafe\s+|const\s+|extern\s+"C"\s+)*(?:fn|struct|enum|trait|mod|type|static|const|macro_rules!)\s+(\w+)/;
const ASSERTION = /\b(?:assert\w*!|panic!|t\.(?:Error|Fatal|Fail)\w*|(?:assert|require)\.\w+)\s*\(/;

/** All parts of a file; undefined when it is in no language of ours, or when a comment may hide some of it. */
export function braceItems(path: string, text: string): TestItem[] | undefined {
  if (/\/\*|\*\//.test(text)) return undefined;
  if (/_test\.go$/.test(path)) return declarationsOf(text).flatMap((each) => itemsOf(each, GO, isGoCase));
  if (/\.rs$/.test(path)) return declarationsOf(text).flatMap((each) => itemsOf(each, RUST, isRustCase));
  return undefined;
}

/** Lines of one declaration, with attributes before it, without comments and empty lines. */
function declarationsOf(text: string): string[][] {
  const found: string[][] = [];
  let current: string[] = [];
  let isOpen = false;
  for (const line of text.split(/\r?\n/)) {
    const isComment = /^\s*\/\//.test(line) && !/^\/\/(go:| ?\+build)/.test(line);
    if (line.trim() === "" || isComment) continue;
    current.push(line.trimEnd());
    const isTop = /^\S/.test(line);
    if (isTop && /[{(]\s*$/.test(line)) isOpen = true;
    else if (isTop && /^[})]/.test(line)) isOpen = false;
    if (isOpen || /^#!?\[/.test(line)) continue;
    if (isTop) {
      found.push(current);
      current = [];
    }
  }
  return current.length === 0 ? found : [...found, current];
}

function itemsOf(
  lines: readonly string[],
  pattern: RegExp,
  isCase: (lines: readonly string[], name: string) => boolean,
): TestItem[] {
  const common = { suites: [], title: "", marks: [], assertions: [] } as const;
  const [first = ""] = lines;
  if (/^import\b/.test(first) && lines.length > 1)
    return lines
      .slice(1, -1)
      .map((line) => ({ ...common, kind: "import", text: line.trim(), defines: [line.trim()] }));
  if (/^(import|(pub )?use)\b/.test(first))
    return [{ ...common, kind: "import", text: lines.join("\n"), defines: [first] }];
  const name = lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])[0];
  const text = lines.join("\n");
  if (name === undefined || HOOK.test(name)) return [{ ...common, kind: "other", text, defines: null }];
  const assertions = lines.filter((line) => ASSERTION.test(line)).map(assertionOf);
  if (!isCase(lines, name)) return [{ ...common, kind: "other", text, defines: [name], assertions }];
  const isSkipped = /^#\[ignore/m.test(text) || /\b[tb]\.Skip(f|Now)?\(/.test(text);
  return [
    {
      ...common,
      kind: "case",
      title: name,
      text,
      marks: isSkipped ? ["skip"] : [],
      defines: [name],
      assertions,
    },
  ];
}

function assertionOf(line: string): Assertion {
  return { subject: line.trim(), matcher: "", expected: "" };
}

function isGoCase([first = ""]: readonly string[], name: string): boolean {
  return first.startsWith("func ") && /^(Test|Benchmark|Fuzz|Example)/.test(name);
}

function isRustCase(lines: readonly string[]): boolean {
  return lines.some((line) => /^#\[(\w+::)*test\b/.test(line));
}
