import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blob, JS, PY, passA, planOf, TEST, told } from "../../../test/support/compositions.ts";
import { contractOf, matchOf, treeOfFiles } from "../../../test/support/trees.ts";
import { reviewHash } from "../review.ts";
import { planComposition } from "./compose.ts";

describe("pass A", () => {
  test("has the base's protected paths and nothing of the candidate's", async () => {
    const plan = await planOf("vitest", JS, {
      "test/add.test.js": "test.skip('adds', () => {});",
      "test/new.test.js": "",
      "vite.config.js": null,
      "src/add.js": "export const add = () => 3;\n",
    });
    expect(passA(plan)).toEqual({
      "package.json": blob(JS["package.json"]!),
      "src/add.js": blob("export const add = () => 3;\n"),
      "test/add.test.js": blob(TEST),
      "vite.config.js": blob(JS["vite.config.js"]!),
    });
  });

  test("has package.json with the base's scripts and the candidate's dependencies", async () => {
    const manifest = {
      version: "2.0.0",
      dependencies: { x: "1" },
      scripts: { test: "exit 0" },
      type: "module",
    };
    const plan = await planOf("vitest", JS, { "package.json": JSON.stringify(manifest) });
    expect(told(plan)).toEqual(["review protected package.json"]);
    const text = passA(plan)?.["package.json"] ?? "";
    expect(JSON.parse(text)).toEqual({
      version: "2.0.0",
      dependencies: { x: "1" },
      scripts: { test: "vitest run" },
      name: "p",
    });
    expect(text).toMatch(/^\{\n {2}"version"/);
  });

  test("takes what was approved as it is, and nothing else", async () => {
    const changed = TEST.replace("toBe(3)", "toBeTruthy()");
    const hash = reviewHash("test/add.test.js", blob(TEST), blob(changed));
    const edits = { "test/add.test.js": changed, "vite.config.js": "export default 1;" };
    const plan = await planOf("vitest", JS, edits, { approved: [hash] });
    expect(told(plan)).toEqual(["review protected vite.config.js"]);
    expect(passA(plan)?.["test/add.test.js"]).toBe(blob(changed));
    const other = await planOf(
      "vitest",
      JS,
      { ...edits, "test/add.test.js": `${changed}\n;x()` },
      { approved: [hash] },
    );
    expect(told(other)).toEqual(["review protected test/add.test.js", "review protected vite.config.js"]);
  });

  test("has nothing of the worker's where held-out files are put", async () => {
    const contract = contractOf("pytest");
    const [criterion] = contract.criteria;
    const held = { digest: "0".repeat(64), target: "held/out" };
    const check = { argv: ["pytest"], folder: "", shell: false, held_out: held };
    const request = {
      contract: { ...contract, criteria: [{ ...criterion!, check }] },
      matches: [],
      approved: new Set<string>(),
    };
    const base = treeOfFiles({ "a.py": "", "held/x.py": "" });
    const candidate = treeOfFiles({ "a.py": "", "held/x.py": "2", "held/out/conftest.py": "" });
    const plan = await planComposition(base, candidate, request);
    expect(told(plan)).toEqual(["review protected held/out/conftest.py"]);
    expect(passA(plan)).toEqual({ "a.py": blob(""), "held/x.py": blob("2") });
  });

  test("is without what tools leave behind for their next run", async () => {
    const state = {
      "tests/__pycache__/test_add.cpython-312-pytest-8.3.pyc": `PYC\n${"\0".repeat(12)}`,
      "__pycache__/calc.cpython-312.pyc": `PYC\n${"\0".repeat(12)}`,
      ".pytest_cache/v/cache/lastfailed": "{}",
      "web/app.tsbuildinfo": "{}",
      "lib/target/debug/app": "",
    };
    const base = { ...PY, "lib/Cargo.toml": "" };
    const plan = await planOf("pytest", base, state);
    expect(told(plan).sort()).toEqual([
      "note state .pytest_cache",
      "note state __pycache__",
      "note state lib/target",
      "note state tests/__pycache__",
      "note state web/app.tsbuildinfo",
    ]);
    expect(Object.keys(passA(plan) ?? {}).sort()).toEqual(Object.keys(base).sort());
  });

  test("notes how modules are found, and takes it from the candidate", async () => {
    const manifest = JSON.stringify({ name: "p", exports: "./x.js", scripts: { test: "vitest run" } });
    const plan = await planOf("vitest", JS, { "package.json": manifest });
    expect(told(plan)).toEqual(["note protected package.json"]);
    expect(plan.entries).toBeNull();
  });

  test("has no byte of the candidate at a protected path, whatever it did there", async () => {
    const name = fc.constantFrom("a", "b", "test", "tests", "x.test.js", "y.js", ".npmrc", "conftest.py");
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
    const content = fc.constantFrom("one", "two", "link:a", "link:/etc", "commit:x");
    const files = fc.dictionary(path, content, { maxKeys: 8 }).filter(isTree);
    await fc.assert(
      fc.asyncProperty(files, files, async (base, candidate) => {
        const request = {
          contract: contractOf("npm test"),
          matches: [matchOf("vitest")],
          approved: new Set<string>(),
        };
        const plan = await planComposition(treeOfFiles(base), treeOfFiles(candidate), request);
        const after = treeOfFiles(candidate).items;
        const composed = plan.entries ?? after;
        expect(isTree(Object.fromEntries(composed.map((each) => [each.path, ""])))).toBe(true);
        const isProtected = (each: string): boolean => /(^|\/)(tests?|\.npmrc)(\/|$)|\.test\.js/.test(each);
        const left = (items: readonly object[]): string[] =>
          items
            .map((each) => JSON.stringify(each))
            .filter((each) => isProtected((JSON.parse(each) as { path: string }).path));
        expect(left(composed).sort()).toEqual(left(treeOfFiles(base).items).sort());
        const same = await planComposition(treeOfFiles(base), treeOfFiles(base), request);
        expect(same).toMatchObject({ entries: null, findings: [] });
      }),
    );
  });
});

/** No file is where another one has a folder. */
function isTree(files: Readonly<Record<string, unknown>>): boolean {
  const paths = Object.keys(files);
  return paths.every((path) => !paths.some((other) => other.startsWith(`${path}/`)));
}
