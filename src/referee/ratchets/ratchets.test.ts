import { describe, expect, test } from "vitest";
import type { Edits } from "../../../test/support/compositions.ts";
import { type Files, matchOf, treeOfFiles } from "../../../test/support/trees.ts";
import type { Finding } from "../../core/contract/contract.ts";
import { changesBetween } from "../changes.ts";
import type { RunnerKind } from "../contract.ts";
import { ratchet } from "./ratchets.ts";

async function findingsOf(kind: RunnerKind | null, base: Files, edits: Edits): Promise<readonly Finding[]> {
  const merged = Object.entries({ ...base, ...edits }).filter(([, text]) => text !== null);
  const [before, after] = [treeOfFiles(base), treeOfFiles(Object.fromEntries(merged) as Files)];
  const matches = kind === null ? [] : [matchOf(kind)];
  return ratchet(before, after, await changesBetween(before, after), matches);
}

const told = (findings: readonly Finding[]): string[] =>
  findings.map(({ effect, gate, path, detail }) => `${effect} ${gate} ${path}: ${detail}`);

const IGNORES = "// @ts-ignore\na();\n";
const STRICT = '{ "compilerOptions": { "strict": true, "skipLibCheck": false }, "exclude": ["dist"] }';
const ESLINT = '{ "rules": { "no-undef": "error", "eqeqeq": ["error", "always"] } }';
const RUFF = '[tool.ruff.lint]\nselect = ["E", "F"]\nignore = []\n[tool.mypy]\nstrict = true\n';

describe("nothing is said", () => {
  test.each<[string, RunnerKind | null, Files, Edits]>([
    ["of a change of a source", null, { "a.ts": "f();" }, { "a.ts": "g();" }],
    ["of what is protected", "vitest", { "a.test.ts": "test('x', () => {})" }, { "a.test.ts": null }],
    ["of suppressions that move", null, { "a.ts": IGNORES, "b.ts": "" }, { "a.ts": "", "b.ts": IGNORES }],
    ["of words in texts", null, { "a.ts": "" }, { "a.ts": "f('// @ts-ignore', 'eslint-disable');" }],
    ["of comments in settings", null, { "tsconfig.json": STRICT }, { "tsconfig.json": `// why\n${STRICT}` }],
    [
      "of settings that demand more",
      null,
      { "tsconfig.json": '{"exclude":["dist"]}' },
      { "tsconfig.json": STRICT },
    ],
    ["of new settings", null, {}, { "tsconfig.json": '{"compilerOptions":{"strict":false}}' }],
    ["of a new test", null, { "a.test.ts": "test('x', f)" }, { "a.test.ts": "test('x', f); test('y', g)" }],
    [
      "of methods that others define",
      null,
      {},
      { "a.py": "class A(ABC):\n    def f(self):\n        raise NotImplementedError\n" },
    ],
    ["of functions that do nothing", null, {}, { "a.ts": "export function f() {}\nconst g = () => {};" }],
  ])("%s", async (_, kind, base, edits) => {
    expect(told(await findingsOf(kind, base, edits))).toEqual([]);
  });
});

describe("clocks", () => {
  const measuring = "const start = performance.now(); f(); assert.ok(performance.now() - start < 9);";

  test("one that a source replaces waits for a person, those of tests and their helpers do not", async () => {
    const base = { "src/a.js": "f();", "test/help.js": "", "test/a.test.js": "" };
    const replaced = "Date.now = () => 0;";
    const edits = { "src/a.js": replaced, "test/help.js": replaced, "test/a.test.js": replaced };
    const found = await findingsOf(null, base, edits);
    expect(told(found).filter((each) => each.includes("clocks"))).toEqual([
      "review clocks src/a.js: it puts another clock in the place of Date.now",
    ]);
  });

  test("nothing new is said of a source that has always done so; tests that measure are named", async () => {
    const base = { "src/a.js": "Date.now = f;", "test/a.test.js": measuring };
    const found = await findingsOf("node-test", base, { "src/a.js": "Date.now = f; g();" });
    expect(told(found)).toEqual(["note clocks test/a.test.js: it measures time"]);
  });
});

describe("what is noted", () => {
  test.each<[string, Files, Edits, string]>([
    ["a suppression", { "a.ts": "" }, { "a.ts": IGNORES }, "suppressions a.ts: 1 more ts-ignore"],
    ["one in Python", { "a.py": "" }, { "a.py": "import x  # noqa\n" }, "suppressions a.py: 1 more noqa"],
    ["one in Rust", {}, { "a.rs": "#[allow(dead_code)]\nfn f() {}" }, "suppressions a.rs: 1 more allow"],
    [
      "an exception",
      { "tsconfig.json": STRICT },
      { "tsconfig.json": STRICT.replace('"dist"', '"dist", "gen"') },
      'configuration tsconfig.json: exclude: more exceptions: "gen"',
    ],
    [
      "a part that is not there yet",
      {},
      { "a.ts": "function f(x) { if (x) throw new Error('not implemented'); return 1; }" },
      "placeholders a.ts: code that is not there yet: a part of the file",
    ],
  ])("%s", async (_, base, edits, expected) => {
    expect(told(await findingsOf(null, base, edits))).toEqual([`note ${expected}`]);
  });
});

describe("what a person has to see", () => {
  test.each<[string, Files, Edits, string]>([
    [
      "many suppressions",
      { "a.ts": "" },
      { "a.ts": IGNORES.repeat(4) },
      "suppressions a.ts: 4 more ts-ignore",
    ],
    [
      "one for a whole file",
      { "a.ts": "" },
      { "a.ts": "// @ts-nocheck\n" },
      "suppressions a.ts: 1 more ts-nocheck, 1 more whole file",
    ],
    [
      "less strictness",
      { "tsconfig.json": STRICT },
      { "tsconfig.json": STRICT.replace("true", "false") },
      "configuration tsconfig.json: compilerOptions.strict: true → false",
    ],
    [
      "no strictness",
      { "tsconfig.json": STRICT },
      { "tsconfig.json": "{}" },
      "configuration tsconfig.json: compilerOptions.strict: true → absent",
    ],
    [
      "types that are not checked",
      { "tsconfig.json": STRICT },
      { "tsconfig.json": STRICT.replace("false", "true") },
      "configuration tsconfig.json: compilerOptions.skipLibCheck: false → true",
    ],
    [
      "a rule that is off",
      { ".eslintrc.json": ESLINT },
      { ".eslintrc.json": ESLINT.replace('"error" }', '"off" }').replace('f": "error"', 'f": 0') },
      'configuration .eslintrc.json: rules.no-undef: "error" → 0',
    ],
    [
      "a rule with options that only warns",
      { ".eslintrc.json": ESLINT },
      { ".eslintrc.json": ESLINT.replace('["error"', '["warn"') },
      'configuration .eslintrc.json: rules.eqeqeq: "error" → "warn"',
    ],
    [
      "a new rule that is off",
      { ".eslintrc.json": ESLINT },
      { ".eslintrc.json": ESLINT.replace('{ "no', '{ "no-x": "off", "no') },
      'configuration .eslintrc.json: rules.no-x: absent → "off"',
    ],
    [
      "less coverage",
      { ".c8rc.json": '{"lines":90}' },
      { ".c8rc.json": '{"lines":80}' },
      "configuration .c8rc.json: lines: 90 → 80",
    ],
    [
      "fewer rules of ruff",
      { "pyproject.toml": RUFF },
      { "pyproject.toml": RUFF.replace(', "F"', "") },
      'configuration pyproject.toml: tool.ruff.lint.select: no longer: "F"',
    ],
    [
      "less strictness of mypy",
      { "pyproject.toml": RUFF },
      { "pyproject.toml": RUFF.replace("true", "false") },
      "configuration pyproject.toml: tool.mypy.strict: true → false",
    ],
    [
      "exceptions in an ini",
      { ".flake8": "[flake8]\nmax-line-length=99\n" },
      { ".flake8": "[flake8]\nmax-line-length=99\nignore=E,F\n" },
      "configuration .flake8: .flake8: new: ignore=E,F",
    ],
    [
      "a rule in a script",
      { "eslint.config.js": "export default [];" },
      { "eslint.config.js": 'export default [\n{ rules: { "no-undef": "off" } }];' },
      'configuration eslint.config.js: eslint.config.js: new: { rules: { "no-undef": "off" } }];',
    ],
    [
      "a function that only throws",
      {},
      { "a.ts": "export const f = (x: number): number => { throw new Error('Not implemented yet'); };" },
      "placeholders a.ts: functions that do nothing but say so: f",
    ],
    [
      "one that promises",
      {},
      { "a.js": "class A { save() { /* TODO: write it */ return null; } }" },
      "placeholders a.js: functions that do nothing but say so: save",
    ],
    [
      "one in Python",
      {},
      { "a.py": 'def f(x):\n    """Adds."""\n    raise NotImplementedError\n' },
      "placeholders a.py: functions that do nothing but say so: f",
    ],
    [
      "one that passes",
      {},
      { "a.py": "def f(x):\n    # TODO\n    pass\n" },
      "placeholders a.py: functions that do nothing but say so: f",
    ],
    [
      "a test that nobody's globs name",
      { "a.test.ts": "test('x', () => { expect(f()).toBe(1) })" },
      { "a.test.ts": "test('x', () => { expect(f()).toBeTruthy() })" },
      "tests a.test.ts: assertions changed: x: f ( ) toBe 1: weakened: f ( ) toBeTruthy",
    ],
    [
      "a file of tests that is gone",
      { "a_test.go": "package a\n" },
      { "a_test.go": null },
      "tests a_test.go: tests removed: the whole file",
    ],
  ])("%s", async (_, base, edits, expected) => {
    expect(told(await findingsOf(null, base, edits))).toEqual([`review ${expected}`]);
  });
});

test("what is too large or no text is passed over, and others are looked at", async () => {
  const base = { "a.ts": "", "large.ts": "" };
  const findings = await findingsOf(null, base, {
    "large.ts": "x".repeat(1_000_001),
    "a.ts": IGNORES,
    b: "\0\xff",
  });
  expect(findings.map(({ path }) => path)).toEqual(["a.ts"]);
});
