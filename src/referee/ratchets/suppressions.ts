/** Comments and attributes that tell a tool to be silent. */
import { Source } from "./syntax.ts";

/** How often each of them occurs. */
export type Suppressions = ReadonlyMap<string, number>;

const IN_COMMENTS: Readonly<Record<string, RegExp>> = {
  "eslint-disable": /\b(?:eslint|oxlint|tslint)[-:]disable\b/,
  "ts-ignore": /@ts-(?:ignore|expect-error)\b/,
  "ts-nocheck": /@ts-nocheck\b/,
  "biome-ignore": /\bbiome-ignore\b/,
  "deno-lint-ignore": /\bdeno-lint-ignore\b/,
  "coverage ignore":
    /\b(?:istanbul|c8|v8|node:coverage)\s+(?:ignore|disable)\b|\bpragma:\s*no\s*(?:cover|branch)\b/,
  "type: ignore": /\b(?:type|pyright|mypy|pyre)\s*:\s*ignore\b|\bmypy:\s*(?:ignore-errors|disable)/,
  noqa: /\bnoqa\b|\bpylint:\s*disable\b|\bflake8:\s*noqa\b/,
  nosec: /\b(?:nosec|NOSONAR|nosemgrep)\b/,
};
const IN_LINES: Readonly<Record<string, RegExp>> = {
  nolint: /\/\/\s*nolint\b/,
  allow: /#!?\[\s*(?:allow|expect)\s*\(/,
  SuppressWarnings: /@SuppressWarnings\b|@Suppress\b/,
  "pragma warning": /#pragma\s+warning\s+disable/,
  "rubocop:disable": /\brubocop:disable\b/,
  "phpstan-ignore": /@(?:phpstan|psalm)-(?:ignore|suppress)/,
  "shellcheck disable": /\bshellcheck\s+disable\b/,
};
/** For the whole file. */
const WHOLE =
  /@ts-nocheck\b|\/\*\s*eslint-disable\s*\*\/|\b(?:ruff|flake8):\s*noqa\s*$|\bmypy:\s*ignore-errors\b/m;
const LINE_LENGTH_MAX = 10_000;

/** Those of one file. */
export function suppressionsIn(path: string, text: string): Suppressions {
  const source = Source.parse(path, text);
  const found = new Map<string, number>();
  const add = (name: string): void => void found.set(name, (found.get(name) ?? 0) + 1);
  const [patterns, texts] =
    source === undefined
      ? [IN_LINES, text.split("\n").map((line) => line.slice(0, LINE_LENGTH_MAX))]
      : [IN_COMMENTS, source.comments().map((comment) => comment.text)];
  for (const each of texts) {
    for (const [name, pattern] of Object.entries(patterns)) if (pattern.test(each)) add(name);
    if (source !== undefined && WHOLE.test(each)) add(WHOLE_FILE);
  }
  return found;
}

/** Counts of what silences all of a file. */
export const WHOLE_FILE = "whole file";
