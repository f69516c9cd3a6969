import { describe, expect, test } from "vitest";
import { type Edits, JS, MORE, PY, PYTEST, planOf, TEST, told } from "../../../test/support/compositions.ts";
import type { Files } from "../../../test/support/trees.ts";
import type { RunnerKind } from "../contract.ts";

describe("an honest candidate", () => {
  test.each<[string, RunnerKind, Files, Edits]>([
    ["changes a source", "vitest", JS, { "src/add.js": "export const add = (x, y) => x + y;\n" }],
    ["adds a file of tests", "vitest", JS, { "test/more.test.js": "test('x', () => {});" }],
    ["adds a test beside its source", "vitest", JS, { "src/add.test.js": "test('x', () => {});" }],
    [
      "adds a fixture and a helper for new tests",
      "vitest",
      JS,
      { "test/fixtures/a.json": "{}", "test/help.js": "" },
    ],
    [
      "adds a test with its snapshot",
      "vitest",
      JS,
      { "test/n.test.js": "", "test/__snapshots__/n.test.js.snap": "" },
    ],
    ["adds a case, and what it imports", "vitest", JS, { "test/add.test.js": MORE }],
    [
      "adds a suite with hooks of its own",
      "vitest",
      JS,
      { "test/add.test.js": `${TEST}describe("s", () => { beforeEach(() => {}); test("t", () => {}); });` },
    ],
    [
      "formats a test",
      "vitest",
      JS,
      {
        "test/add.test.js": TEST.replaceAll('"', "'").replaceAll(";", "").replace("(1, 2)", "(\n1,\n 2,\n)"),
      },
    ],
    ["comments a test", "vitest", JS, { "test/add.test.js": `// why\n${TEST}` }],
    [
      "adds a dependency",
      "vitest",
      JS,
      {
        "package.json": JSON.stringify({
          name: "p",
          dependencies: { x: "1" },
          scripts: { test: "vitest run" },
        }),
      },
    ],
    [
      "adds a script",
      "vitest",
      JS,
      { "package.json": JSON.stringify({ name: "p", scripts: { test: "vitest run", docs: "x" } }) },
    ],
    [
      "adds a package",
      "vitest",
      { ...JS, "package.json": JSON.stringify({ workspaces: ["a"] }) },
      {
        "package.json": JSON.stringify({ workspaces: ["a", "b"] }),
        "b/package.json": "{}",
        "b/src/x.js": "",
      },
    ],
    ["adds a file of tests", "pytest", PY, { "tests/test_more.py": PYTEST }],
    [
      "adds a case",
      "pytest",
      PY,
      {
        "tests/test_add.py": `${PYTEST}\n\n@pytest.mark.parametrize("a", [1])\ndef test_more(a):\n    assert add(a, a) == 2\n`,
      },
    ],
    [
      "makes the module that a test imports",
      "pytest",
      { ...PY, "tests/test_new.py": "from sums import total\n" },
      { "sums.py": "total = sum\n" },
    ],
    ["adds a package of its own", "pytest", PY, { "calc_more/__init__.py": "", "calc_more/types.py": "" }],
    ["adds tests in a package", "pytest", PY, { "tests/more/__init__.py": "", "tests/more/test_x.py": "" }],
    [
      "adds a dependency",
      "pytest",
      PY,
      { "pyproject.toml": PY["pyproject.toml"]!.replace("numpy>=2", 'numpy>=2", "x') },
    ],
  ])("%s (%s)", async (_, kind, base, edits) => {
    const plan = await planOf(kind, base, edits);
    const parked = told(plan).filter(
      (each) => !(each.startsWith("review") && each.endsWith("more/__init__.py")),
    );
    expect(parked).toEqual([]);
  });

  test("that changes nothing protected is checked as it is", async () => {
    const plan = await planOf("vitest", JS, {
      "src/add.js": "export const add = Math.max;\n",
      "README.md": "x",
    });
    expect(plan).toMatchObject({ entries: null, findings: [] });
  });
});
