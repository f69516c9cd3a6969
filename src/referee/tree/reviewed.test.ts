import { describe, expect, test } from "vitest";
import {
  blob,
  type Edits,
  JS,
  MORE,
  type Options,
  PY,
  PYTEST,
  planOf,
  TEST,
  told,
} from "../../../test/support/compositions.ts";
import type { Files } from "../../../test/support/trees.ts";
import type { RunnerKind } from "../contract.ts";
import { reviewHash } from "../review.ts";

describe("what a person has to see", () => {
  test.each<[string, RunnerKind | null, Files, Edits, Options, string[]]>([
    [
      "an assertion that is weaker",
      "vitest",
      JS,
      { "test/add.test.js": TEST.replace("toBe(3)", "toBeDefined()") },
      {},
      ["test/add.test.js"],
    ],
    ["a test that is gone", "vitest", JS, { "test/add.test.js": null }, {}, ["test/add.test.js"]],
    [
      "a case that is skipped",
      "vitest",
      JS,
      { "test/add.test.js": TEST.replace("test(", "test.skip(") },
      {},
      ["test/add.test.js"],
    ],
    [
      "a case beside which others are not run",
      "vitest",
      JS,
      { "test/add.test.js": `${TEST}test.only("x", () => {});` },
      {},
      ["test/add.test.js"],
    ],
    [
      "a statement that is cut in two",
      "vitest",
      JS,
      { "test/add.test.js": TEST.replace("  expect", "  return\n  expect") },
      {},
      ["test/add.test.js"],
    ],
    [
      "a mock beside the cases",
      "vitest",
      JS,
      { "test/add.test.js": `${TEST}vi.mock("../src/add.js");` },
      {},
      ["test/add.test.js"],
    ],
    [
      "expect from elsewhere",
      "jest",
      { "test/a.test.js": "test('x', () => { expect(1).toBe(2); });" },
      { "test/a.test.js": "import { expect } from './fake';\ntest('x', () => { expect(1).toBe(2); });" },
      {},
      ["test/a.test.js"],
    ],
    [
      "a hook that skips",
      "mocha",
      { "test/a.test.js": "it('x', () => {});" },
      { "test/a.test.js": "beforeEach(function () { this.skip(); });\nit('x', () => {});" },
      {},
      ["test/a.test.js"],
    ],
    [
      "a comment that runners obey",
      "jest",
      { "test/a.test.js": "it('x', () => {});" },
      { "test/a.test.js": "/** @jest-environment ./evil.js */\nit('x', () => {});" },
      {},
      ["test/a.test.js"],
    ],
    [
      "a test moved with its module",
      "vitest",
      JS,
      { "test/add.test.js": null, "test/sum.test.js": TEST, "src/add.js": null, "src/sum.js": "" },
      {},
      ["test/add.test.js"],
    ],
    [
      "a snapshot that is changed",
      "vitest",
      { ...JS, "test/add.test.js.snap": "exports[`a`] = `1`;" },
      { "test/add.test.js.snap": "exports[`a`] = `2`;" },
      {},
      ["test/add.test.js.snap"],
    ],
    [
      "a configuration",
      "vitest",
      JS,
      { "vite.config.js": "export default { test: { exclude: ['**'] } };" },
      {},
      ["vite.config.js"],
    ],
    [
      "a configuration that only gets one more import",
      "vitest",
      JS,
      { "vite.config.js": `import x from "./x.js";\nexport default {};\n` },
      {},
      ["vite.config.js"],
    ],
    [
      "a configuration where there was none",
      "vitest",
      { "a.test.js": "" },
      { "vitest.config.ts": "" },
      {},
      ["vitest.config.ts"],
    ],
    [
      "a configuration under a new name",
      "vitest",
      JS,
      { "vite.config.js": null, "vite.config.ts": "" },
      {},
      ["vite.config.js", "vite.config.ts"],
    ],
    [
      "a new hook of a script",
      "vitest",
      JS,
      { "package.json": JSON.stringify({ name: "p", scripts: { test: "vitest run", pretest: "x" } }) },
      {},
      ["package.json"],
    ],
    [
      "a script for whoever installs it",
      "vitest",
      JS,
      { "package.json": JSON.stringify({ name: "p", scripts: { test: "vitest run", postinstall: "x" } }) },
      {},
      ["package.json"],
    ],
    [
      "how modules are read",
      "vitest",
      JS,
      { "package.json": JSON.stringify({ name: "p", type: "module", scripts: { test: "vitest run" } }) },
      {},
      ["package.json"],
    ],
    [
      "a package of its own for the tests",
      "vitest",
      JS,
      { "test/package.json": '{"type":"commonjs"}' },
      {},
      ["test/package.json"],
    ],
    [
      "modules that replace others by their place",
      "jest",
      JS,
      { "__mocks__/fs.js": "" },
      {},
      ["__mocks__/fs.js"],
    ],
    ["a registry", "vitest", JS, { ".npmrc": "registry=x" }, {}, [".npmrc"]],
    ["attributes", null, JS, { "src/.gitattributes": "* text" }, {}, ["src/.gitattributes"]],
    ["another commit of a submodule", null, { sub: "commit:a" }, { sub: "commit:b" }, {}, ["sub"]],
    ["a submodule in a new place", null, JS, { lib: "commit:b" }, {}, ["lib"]],
    [
      "sections for pytest",
      "pytest",
      PY,
      { "pyproject.toml": PY["pyproject.toml"]!.replace("-q", "-q -k nothing") },
      {},
      ["pyproject.toml"],
    ],
    [
      "pytest's section in other words",
      "pytest",
      { ...PY, "pyproject.toml": "[project]\nname = 'x'\n" },
      { "pyproject.toml": "tool.pytest.ini_options.addopts = '-k x'\n[project]\nname = 'x'\n" },
      {},
      ["pyproject.toml"],
    ],
    [
      "a fixture by a name that is used",
      "pytest",
      PY,
      { "tests/test_add.py": `${PYTEST}\n\n@pytest.fixture\ndef add():\n    return lambda a, b: 3\n` },
      {},
      ["tests/test_add.py"],
    ],
    [
      "a test defined a second time",
      "pytest",
      PY,
      { "tests/test_add.py": `${PYTEST}\n\ndef test_add():\n    pass\n` },
      {},
      ["tests/test_add.py"],
    ],
    [
      "a mark for all tests",
      "pytest",
      PY,
      { "tests/test_add.py": `${PYTEST}\npytestmark = pytest.mark.skip\n` },
      {},
      ["tests/test_add.py"],
    ],
    ["a new conftest.py beside tests", "pytest", PY, { "tests/conftest.py": "" }, {}, ["tests/conftest.py"]],
    ["tests that become a package", "pytest", PY, { "tests/__init__.py": "" }, {}, ["tests/__init__.py"]],
    [
      "what the contract protects",
      null,
      { "golden/a.txt": "1" },
      { "golden/a.txt": "2", "golden/b.txt": "" },
      { protect: ["golden/"] },
      ["golden/a.txt", "golden/b.txt"],
    ],
    [
      "a script that the check runs",
      null,
      { "scripts/test.sh": "exit 1" },
      { "scripts/test.sh": "exit 0" },
      { check: "sh scripts/test.sh" },
      ["scripts/test.sh"],
    ],
    [
      "the makefile of the check",
      null,
      { Makefile: "test:\n\tfalse" },
      { Makefile: "test:\n\ttrue" },
      { check: "make test" },
      ["Makefile"],
    ],
    [
      "new tests, where all is looked at",
      "vitest",
      JS,
      { "test/more.test.js": "" },
      { protection: "review" },
      ["test/more.test.js"],
    ],
    [
      "a link in the place of a new test",
      "vitest",
      JS,
      { "test/l.test.js": "link:../src/add.js" },
      {},
      ["test/l.test.js"],
    ],
    ["a manifest that is no JSON", "vitest", JS, { "package.json": "{" }, {}, ["package.json"]],
    [
      "a manifest without end",
      "vitest",
      JS,
      { "package.json": `{"jest":${"[".repeat(20_000)}${"]".repeat(20_000)}}` },
      {},
      ["package.json"],
    ],
    [
      "the settings of a linter that is the check",
      null,
      { "package.json": '{"scripts":{"check":"npm run lint","lint":"eslint ."}}', "eslint.config.js": "" },
      { "eslint.config.js": "export default [];" },
      { check: "npm run check" },
      ["eslint.config.js"],
    ],
    [
      "the compiler's, by a script before the check",
      null,
      { "package.json": '{"scripts":{"pretest":"tsc","test":"./run"}}', "tsconfig.json": "{}" },
      { "tsconfig.json": '{"exclude":["src"]}' },
      { check: "npm test" },
      ["tsconfig.json"],
    ],
    [
      "helpers of tests",
      "vitest",
      { "src/test-utils.js": "f()" },
      { "src/test-utils.js": "" },
      {},
      ["src/test-utils.js"],
    ],
  ])("%s", async (_, kind, base, edits, options, paths) => {
    const plan = await planOf(kind, base, edits, options);
    expect(told(plan).sort()).toEqual(
      paths.map(
        (path) =>
          `review ${path.includes("/") || !/^(sub|lib)$/.test(path) ? "protected" : "submodule"} ${path}`,
      ),
    );
    for (const path of paths) expect(plan.changed).toContain(path);
  });

  test("another commit of a submodule stays noted once it is approved, because no check has seen it", async () => {
    const [base, edits] = [{ sub: "commit:a" }, { sub: "commit:b" }] as const;
    const hash = reviewHash("sub", blob("a"), blob("b"));
    const plan = await planOf(null, base, edits, { approved: [hash] });
    expect(told(plan)).toEqual(["note submodule sub"]);
  });

  test("says what of the tests was lost", async () => {
    const edited = MORE.replace("toBe(3)", "toBeDefined()")
      .replace('test("subtracts"', 'test.skip("subtracts"')
      .replace("toBe(1)", "toBe(2)");
    const plan = await planOf("vitest", { "test/add.test.js": MORE }, { "test/add.test.js": edited });
    expect(plan.findings[0]?.detail).toBe(
      [
        "tests not run any more: subtracts (skip)",
        "assertions changed: adds: add ( 1 , 2 ) toBe 3: weakened: add ( 1 , 2 ) toBeDefined; subtracts: subtract ( 3 , 2 ) toBe 1: expects something else: subtract ( 3 , 2 ) toBe 2",
      ].join("\n"),
    );
  });
});
