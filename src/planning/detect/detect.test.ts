import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ProjectFacts } from "./contract.ts";
import { detectProject } from "./detect.ts";
import { openFolder } from "./folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-detect-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Files = { readonly [path: string]: string };

function detect(files: Files): Promise<ProjectFacts> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return detectProject(openFolder(folder));
}

const script = (text: string, more: object = {}): string =>
  JSON.stringify({ scripts: { test: text }, ...more });
const uses = (name: string): string => JSON.stringify({ devDependencies: { [name]: "^1.0.0" } });

test.each<[string, Files, [string, string | null]]>([
  ["a script", { "package.json": script("vitest run") }, ["npm test", "vitest"]],
  ["jest by its script", { "package.json": script("NODE_ENV=test jest --ci") }, ["npm test", "jest"]],
  ["mocha by its script", { "package.json": script("tsc && mocha") }, ["npm test", "mocha"]],
  [
    "node by its script",
    { "package.json": script("node --import x --test test/") },
    ["npm test", "node-test"],
  ],
  ["tape by its script", { "package.json": script("tape test/*.js") }, ["npm test", "tap"]],
  ["a script of anything", { "package.json": script("./run-tests.sh") }, ["npm test", null]],
  ["pnpm by its lockfile", { "package.json": script("jest"), "pnpm-lock.yaml": "" }, ["pnpm test", "jest"]],
  ["yarn by its lockfile", { "package.json": script("jest"), "yarn.lock": "" }, ["yarn test", "jest"]],
  [
    "pnpm by its field",
    { "package.json": script("jest", { packageManager: "pnpm@10.1.0" }), "package-lock.json": "{}" },
    ["pnpm test", "jest"],
  ],
  ["vitest that is installed", { "package.json": uses("vitest") }, ["npx vitest run", "vitest"]],
  ["jest that is installed", { "package.json": uses("jest") }, ["npx jest", "jest"]],
  ["mocha that is installed", { "package.json": uses("mocha") }, ["npx mocha", "mocha"]],
  [
    "no script, but tests for node",
    {
      "package.json": script('echo "Error: no test specified" && exit 1'),
      "a.test.js": 'import { test } from "node:test";',
    },
    ["node --test", "node-test"],
  ],
  ["pytest.ini", { "pytest.ini": "" }, ["python -m pytest", "pytest"]],
  ["pyproject.toml", { "pyproject.toml": "[tool.pytest.ini_options]\n" }, ["python -m pytest", "pytest"]],
  ["setup.cfg", { "setup.cfg": "[tool:pytest]\n" }, ["python -m pytest", "pytest"]],
  ["tox.ini", { "tox.ini": "[testenv]\ncommands = pytest\n" }, ["python -m pytest", "pytest"]],
  ["requirements", { "requirements-dev.txt": "pytest==8\n" }, ["python -m pytest", "pytest"]],
  ["functions named test", { "tests/test_a.py": "def test_a(): pass\n" }, ["python -m pytest", "pytest"]],
  ["unittest", { "test_a.py": "import unittest\n" }, ["python -m unittest", null]],
  ["go", { "go.mod": "module a\n" }, ["go test ./...", "go"]],
  ["cargo", { "Cargo.toml": "[package]\n" }, ["cargo test", "cargo"]],
  ["make", { Makefile: ".PHONY: test\ntest: build\n\t./run\n" }, ["make test", null]],
])("%s", async (_name, files, [text, runner]) => {
  const { tests } = await detect(files);
  expect(tests).toMatchObject([{ text, runner, folder: "" }]);
  expect(tests[0]?.because).not.toBe("");
});

test("a project without tests has no command", async () => {
  const facts = await detect({
    "package.json": "{}",
    "README.md": "pytest",
    Makefile: "test := 1\nall:\n",
    "src/a.js": "1",
  });
  expect(facts.tests).toEqual([]);
  expect(facts.testFiles).toEqual([]);
});

test("two languages have two commands, and make is not asked for", async () => {
  const { tests } = await detect({ "package.json": script("jest"), "go.mod": "", Makefile: "test:\n" });
  expect(tests.map(({ text }) => text)).toEqual(["npm test", "go test ./..."]);
});

test("projects below the top are found when the top has none, with the lockfile of the top", async () => {
  const { tests } = await detect({
    "pnpm-lock.yaml": "",
    "packages/b/package.json": script("vitest run"),
    "api/pytest.ini": "",
    "packages/b/node_modules/c/package.json": script("mocha"),
    "a/b/c/d/package.json": script("mocha"),
  });
  expect(tests.map(({ folder, text }) => [folder, text])).toEqual([
    ["api", "python -m pytest"],
    ["packages/b", "pnpm test"],
  ]);
});

test("other commands of the project", async () => {
  const scripts = { lint: "eslint .", "type-check": "tsc", build: "vite build", dev: "vite" };
  const facts = await detect({ "package.json": JSON.stringify({ scripts }), "yarn.lock": "" });
  expect(facts.chores).toEqual({
    lint: "yarn run lint",
    typecheck: "yarn run type-check",
    build: "yarn run build",
  });
  expect(facts.scripts).toEqual(scripts);
});

test("test files by their names", async () => {
  const tests = [
    "a.test.ts",
    "b/__tests__/c.jsx",
    "go/x_test.go",
    "py/test_y.py",
    "py/z_test.py",
    "tests/it.rs",
  ];
  const others = ["a.ts", "contest.py", "latest.js", "README.md"];
  const facts = await detect(Object.fromEntries([...tests, ...others].map((path) => [path, ""])));
  expect(facts.testFiles).toEqual(tests.toSorted());
});

test("hostile folders are read as far as they can be", async () => {
  execFileSync("mkfifo", [join(folder, "pytest.ini")]);
  symlinkSync("/etc/passwd", join(folder, "Cargo.toml"));
  symlinkSync("..", join(folder, "up"));
  mkdirSync(join(folder, "go.mod"));
  writeFileSync(join(folder, "setup.cfg"), "");
  truncateSync(join(folder, "setup.cfg"), 64 * 1024 * 1024);
  const facts = await detect({
    "package.json": '{ "scripts": { "test": 3, "__proto__": "x" }, "devDependencies": null ',
    "tox.ini": "\u0000\ufffd",
  });
  expect(facts.tests).toMatchObject([{ text: "cargo test" }]);
  expect(facts.paths).toEqual(["Cargo.toml", "package.json", "setup.cfg", "tox.ini", "up"]);
});

test("a file is read only inside", async () => {
  const tree = openFolder(folder);
  symlinkSync("/etc", join(folder, "etc"));
  expect(await tree.read("etc/passwd")).toBeUndefined();
  expect(await tree.read("nothing")).toBeUndefined();
  truncateSync(writeTo("large", ""), 17 * 1024 * 1024);
  await expect(tree.read("large")).rejects.toMatchObject({ code: "E_CONTRACT_FILE" });
});

function writeTo(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
