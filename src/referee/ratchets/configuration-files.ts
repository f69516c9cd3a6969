/** Files that configure compilers, linters and coverage, and how they are read. */
import { parse } from "smol-toml";
import { type Loosening, looseningsOf } from "./loosened.ts";
import { Source } from "./syntax.ts";

const JSON_FILES =
  /(^|\/)([tj]sconfig[^/]*\.json|\.eslintrc(\.json)?|biome\.jsonc?|\.oxlintrc\.json|\.(nyc|c8)rc(\.json)?|deno\.jsonc?|pyrightconfig\.json|package\.json)$/;
const TOML_FILES = /(^|\/)(pyproject\.toml|\.?ruff\.toml|clippy\.toml|Cargo\.toml|\.golangci\.toml)$/;
const LINE_FILES =
  /(^|\/)(\.flake8|setup\.cfg|tox\.ini|mypy\.ini|\.mypy\.ini|\.pylintrc|\.coveragerc|\.eslintignore|\.golangci\.ya?ml|\.?codecov\.ya?ml|\.eslintrc\.(js|cjs|ya?ml)|eslint\.config\.\w+|\.rubocop\.yml|phpstan\.neon)$/;
/** Parts of files that are about something else. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  "package.json": ["eslintConfig", "eslintIgnore", "c8", "nyc", "xo", "standard"],
  "pyproject.toml": ["tool"],
  "Cargo.toml": ["lints", "workspace"],
};
const LOOSENING_LINE =
  /\b(ignore|exclude|disable|omit|skip|fail_under|allow_\w+|no-\w+.*off)\b|["']off["']|:\s*0\b/i;
const NAMED_MAX = 10;

/** What a changed configuration demands less; undefined when it is none, or cannot be compared. */
export function looseningsIn(path: string, before: string, after: string): readonly Loosening[] | undefined {
  if (LINE_FILES.test(path)) return looseLines(path, before, after);
  const read = JSON_FILES.test(path) ? readJson : TOML_FILES.test(path) ? readToml : undefined;
  if (read === undefined) return undefined;
  const [old, now] = [read(before), read(after)];
  if (old === undefined || now === undefined) return undefined;
  const parts = PARTS[path.slice(path.lastIndexOf("/") + 1)];
  return looseningsOf(partsOf(old, parts), partsOf(now, parts));
}

function partsOf(value: unknown, names: readonly string[] | undefined): unknown {
  if (names === undefined || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

/** With comments and commas that JSON itself does not have. */
function readJson(text: string): unknown {
  const source = Source.parse("settings.js", `(${text}\n)`);
  if (source === undefined || source.hasErrors) return undefined;
  try {
    return JSON.parse(source.normalised(source.tree.topNode).replace(/^\( | \)[ ;]*$/g, ""));
  } catch {
    return undefined;
  }
}

function readToml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Without a reader: lines that are new and say so, or exceptions one per line. */
function looseLines(path: string, before: string, after: string): Loosening[] {
  const isList = path.endsWith("ignore");
  const known = new Set(linesOf(before));
  const added = linesOf(after).filter((line) => !known.has(line) && (isList || LOOSENING_LINE.test(line)));
  if (added.length === 0) return [];
  const named = added.slice(0, NAMED_MAX).map((line) => line.slice(0, 200));
  return [{ key: path, detail: `new: ${named.join("; ")}`, isSerious: !isList }];
}

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !/^[#;]/.test(line));
}
