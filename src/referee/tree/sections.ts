/** Configuration files with sections for many tools, of which those that decide what checks do are protected. */
import { parse } from "smol-toml";
import { canonicalJson } from "../../core/contract/canonical.ts";
import { messageOf } from "../../core/errors.ts";
import type { KeyedChange } from "./keyed-change.ts";

/** Sections of one file that decide, by their names; a problem when they cannot be told. */
export type Sections = { readonly value: Readonly<Record<string, unknown>> } | { readonly problem: string };

const LENGTH_MAX = 1_000_000;

const PYPROJECT: readonly string[] = [
  ...["tool.pytest", "tool.coverage", "tool.tox", "tool.nox", "tool.poe", "tool.taskipy", "tool.pdm.scripts"],
  ...["tool.hatch.envs", "tool.poetry.plugins", "project.entry-points.pytest11"],
];
const CARGO: readonly string[] = [
  ...[
    "test",
    "lib",
    "profile",
    "patch",
    "replace",
    "package.autotests",
    "package.build",
    "package.workspace",
  ],
  ...["workspace.members", "workspace.exclude", "workspace.default-members"],
];
const INI: Readonly<Record<string, RegExp>> = {
  "setup.cfg": /^(tool:pytest|pytest|coverage:.*|aliases|nosetests|tox.*|testenv.*)$/,
  "tox.ini": /^(tox.*|testenv.*|pytest|tool:pytest|coverage:.*|gh-actions.*)$/,
};

/** What decides in a file of that name; undefined when it has no such sections by its name. */
export function sectionsOf(name: string, text: string): Sections | undefined {
  const ini = INI[name];
  if (ini === undefined && name !== "pyproject.toml" && name !== "Cargo.toml") return undefined;
  if (text.length > LENGTH_MAX) return { problem: `it is longer than ${LENGTH_MAX} characters` };
  if (ini !== undefined) return iniSections(text, ini);
  return tomlSections(text, name === "Cargo.toml" ? CARGO : PYPROJECT);
}

/** The same sections, or those of the base for all. */
export function compareSections(name: string, base: string, candidate: string): KeyedChange | undefined {
  const [before, after] = [sectionsOf(name, base), sectionsOf(name, candidate)];
  if (before === undefined || after === undefined) return undefined;
  if ("problem" in before) return { forChecks: "base", problem: `on the base, ${before.problem}` };
  if ("problem" in after) return { forChecks: "base", problem: after.problem };
  const isSame = canonicalJson([before.value]) === canonicalJson([after.value]);
  return isSame
    ? { forChecks: "candidate", problem: null }
    : { forChecks: "base", problem: "sections that decide what checks do are changed" };
}

function tomlSections(text: string, keys: readonly string[]): Sections {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return { problem: `it is no TOML: ${messageOf(error).slice(0, 200)}` };
  }
  const found = keys.map((key) => [key, valueAt(document, key.split("."))] as const);
  const present = found.filter(([, value]) => value !== undefined);
  return { value: Object.fromEntries(present) };
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at;
}

/** Readers disagree about a heading that is indented or comes twice: then nothing is told. */
function iniSections(text: string, deciding: RegExp): Sections {
  const found: Record<string, string[]> = {};
  let section = "";
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, heading] = /^\[([^\]]*)\]/.exec(line) ?? [];
    if (heading === undefined) {
      if (/^\s+\[/.test(line)) return { problem: "a heading in it is indented" };
      const plain = line.trimEnd();
      if (plain !== "" && !/^\s*[#;]/.test(plain)) found[section]?.push(plain);
      continue;
    }
    section = heading.trim();
    if (Object.hasOwn(found, section)) return { problem: `it has the section ${section} twice` };
    found[section] = [];
  }
  const value = Object.entries(found).filter(([name]) => deciding.test(name) || name === "DEFAULT");
  return { value: Object.fromEntries(value) };
}
