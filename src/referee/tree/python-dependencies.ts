/** What a Python project says that it depends on. */
import { parse } from "smol-toml";
import { type Difference, nameOf } from "./difference.ts";

const DEPENDENCY_FILES =
  /(^|\/)(requirements[^/]*\.(txt|in)|pyproject\.toml|setup\.cfg|Pipfile|uv\.lock|poetry\.lock)$/;
const FILES_MAX = 50;
const TABLES: readonly (readonly string[])[] = [
  ["tool", "poetry", "dependencies"],
  ["tool", "poetry", "dev-dependencies"],
  ["packages"],
  ["dev-packages"],
];

/** Names of packages, plain, by the files of the base. Modules of the project itself are not among them. */
export async function pythonDependencies(difference: Difference): Promise<ReadonlySet<string>> {
  if (!difference.added.some(({ path }) => path.endsWith(".py"))) return new Set();
  const files = [...difference.base.keys()].filter((path) => DEPENDENCY_FILES.test(path)).slice(0, FILES_MAX);
  const texts = await Promise.all(files.map((path) => difference.text("base", path)));
  return new Set(files.flatMap((path, index) => namesIn(nameOf(path), texts[index] ?? "")).map(plainName));
}

/** As packages and their modules are compared: `Foo-Bar` is `foo_bar`. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[-.]+/g, "_");
}

function namesIn(file: string, text: string): string[] {
  if (file.endsWith(".lock")) {
    const packages = text
      .split(/^\[\[package\]\]$/m)
      .filter((part) => !/source = \{ (editable|virtual)/.test(part));
    return packages.flatMap((part) => firsts(part, /^name = "([^"]+)"/m));
  }
  if (file === "pyproject.toml" || file === "Pipfile") return namesInToml(text);
  return firsts(text, /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[=<>~!@;]|$)/gm);
}

function namesInToml(text: string): string[] {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    return [];
  }
  const project = recordAt(document, ["project"]);
  const lists = [
    asList(project.dependencies),
    ...Object.values(recordAt(project, ["optional-dependencies"])).map(asList),
    ...Object.values(recordAt(document, ["dependency-groups"])).map(asList),
  ];
  const listed = lists.flat().filter((each) => typeof each === "string");
  const tabled = TABLES.flatMap((keys) => Object.keys(recordAt(document, keys)));
  return [...listed.flatMap((each) => firsts(each, /^\s*([\w.-]+)/)), ...tabled];
}

function recordAt(value: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  let at = value;
  for (const key of keys) at = isRecord(at) ? at[key] : undefined;
  return isRecord(at) ? at : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firsts(text: string, pattern: RegExp): string[] {
  const all = pattern.global ? [...text.matchAll(pattern)] : [pattern.exec(text)];
  return all.flatMap((match) => match?.[1] ?? []);
}
