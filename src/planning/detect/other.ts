/** Projects in Python, Go and Rust, and those with a Makefile. */
import type { ProjectFolder, TestCommand } from "./contract.ts";
import { isPythonTest } from "./test-files.ts";

const LOOKED_AT_MAX = 10;

/** Files that say that pytest is used, and by what. */
const PYTEST_SIGNS: readonly (readonly [string, RegExp])[] = [
  ["pytest.ini", /^/],
  ["conftest.py", /^/],
  ["pyproject.toml", /\[tool\.pytest|["']pytest\b|^pytest\s*=/m],
  ["setup.cfg", /\[tool:pytest\]|^\s*pytest\b/m],
  ["tox.ini", /\[pytest\]|\bpytest\b/],
  ["requirements.txt", /^pytest\b/m],
  ["requirements-dev.txt", /^pytest\b/m],
  ["dev-requirements.txt", /^pytest\b/m],
  ["Pipfile", /^pytest\b/m],
];

/** pytest where something says so, and for tests that are not written for unittest. */
export async function pythonTests(folder: ProjectFolder): Promise<TestCommand[]> {
  const pytest = { text: "python -m pytest", folder: folder.folder, runner: "pytest" } as const;
  for (const [name, sign] of PYTEST_SIGNS) {
    const text = folder.has(name) ? await folder.text(name) : undefined;
    if (text !== undefined && sign.test(text)) return [{ ...pytest, because: `${name} is about pytest` }];
  }
  const tests = folder.paths.filter(isPythonTest).slice(0, LOOKED_AT_MAX);
  const [first] = tests;
  if (first === undefined) return [];
  for (const path of tests) {
    const text = (await folder.text(path)) ?? "";
    if (!/^\s*(import|from)\s+unittest\b/m.test(text)) return [{ ...pytest, because: `${path} is a test` }];
  }
  const because = `${first} imports unittest`;
  return [{ text: "python -m unittest", folder: folder.folder, runner: null, because }];
}

/** `go test ./...` */
export async function goTests({ folder, has }: ProjectFolder): Promise<TestCommand[]> {
  return has("go.mod") ? [{ text: "go test ./...", folder, runner: "go", because: "there is a go.mod" }] : [];
}

/** `cargo test` */
export async function cargoTests({ folder, has }: ProjectFolder): Promise<TestCommand[]> {
  return has("Cargo.toml")
    ? [{ text: "cargo test", folder, runner: "cargo", because: "there is a Cargo.toml" }]
    : [];
}

/** The last resort: a target `test` of a Makefile. */
export async function makeTests(folder: ProjectFolder): Promise<TestCommand[]> {
  const name = ["Makefile", "makefile", "GNUmakefile"].find((each) => folder.has(each));
  if (name === undefined || !/^test\s*:(?!=)/m.test((await folder.text(name)) ?? "")) return [];
  return [{ text: "make test", folder: folder.folder, runner: null, because: `${name} has a target "test"` }];
}
