import { describe, expect, test } from "vitest";
import { checkOf, type ProjectFiles, treeOf } from "../../../test/referee/runners/run-check.ts";
import { createRunners } from "./runners.ts";

const { match, around } = createRunners();

function matchOf(text: string, scripts: Record<string, string>, more: ProjectFiles = {}, shell = false) {
  const files = { "package.json": JSON.stringify({ scripts }), ...more };
  return match(checkOf(text, { shell }), treeOf(files));
}

test.each<[string, Record<string, string>, object]>([
  ["npm test", { test: "vitest" }, { kind: "vitest", argv: ["vitest"] }],
  ["npm t", { test: "vitest run" }, { kind: "vitest", argv: ["vitest", "run"] }],
  ["npm run unit -- -t name", { unit: "vitest run" }, { argv: ["vitest", "run", "-t", "name"] }],
  ["npm run -s unit", { unit: "node --test" }, { kind: "node-test" }],
  ["pnpm unit", { unit: "vitest" }, { kind: "vitest" }],
  ["yarn run unit --silent", { unit: "vitest" }, { argv: ["vitest", "--silent"] }],
  ["npx vitest run src", {}, { kind: "vitest", argv: ["vitest", "run", "src"] }],
  ["node --import tsx --test test/*.test.ts", {}, { kind: "node-test" }],
  ["node node_modules/vitest/vitest.mjs run", {}, { kind: "vitest" }],
  ["pytest -q tests", {}, { kind: "pytest" }],
  ["python3 -m pytest", {}, { kind: "pytest" }],
  ["uv run pytest", {}, { kind: "pytest", argv: ["pytest"] }],
  [
    "npm test",
    { test: "NODE_ENV=test A='b c' vitest" },
    { argv: ["env", "NODE_ENV=test", "A=b c", "vitest"] },
  ],
  ["npm test", { test: "cross-env NODE_ENV=test vitest" }, { argv: ["env", "NODE_ENV=test", "vitest"] }],
  [
    "npm test",
    {
      pretest: "npm run lint",
      lint: "eslint .",
      test: "tsc -p . && vitest run && npm run size",
      size: "size",
      posttest: "done",
    },
    {
      before: [
        ["eslint", "."],
        ["tsc", "-p", "."],
      ],
      argv: ["vitest", "run"],
      after: [["size"], ["done"]],
    },
  ],
  [
    "npm test",
    { test: "npm run unit --", unit: "c8 --reporter=text vitest run" },
    { argv: ["vitest", "run"] },
  ],
])("%s with %j", async (text, scripts, expected) => {
  expect(await matchOf(text, scripts)).toMatchObject(expected);
});

test.each<[string, Record<string, string>]>([
  ["npm test", { test: "vitest | tee log" }],
  ["npm test", { test: "vitest || true" }],
  ["npm test", { test: "vitest; exit 0" }],
  ["npm test", { test: "vitest $FILES" }],
  ["npm test", { test: "(vitest)" }],
  ["npm test", { test: "vitest & wait" }],
  ["npm test", { test: "vitest 'open" }],
  ["npm test", { test: "vitest --watch" }],
  ["npm test", { test: "vitest -u" }],
  ["npm test", { test: "node --test --test-force-exit" }],
  ["npm test", { test: "vitest src/*.test.ts" }],
  ["npm test", { test: "npm test" }],
  ["npm test", { test: "node --test && vitest" }],
  ["npm test", { test: "c8 --check-coverage vitest" }],
  ["npm test", {}],
  ["npm run other", { test: "vitest" }],
  ["npm test --workspaces", { test: "vitest" }],
  ["make test", {}],
  ["node script.js", {}],
])("%s with %j is nobody's", async (text, scripts) => {
  expect(await matchOf(text, scripts)).toBeNull();
});

test("a text for the shell is looked through too", async () => {
  expect(await matchOf("tsc && npx vitest run", {}, {}, true)).toMatchObject({
    before: [["tsc"]],
    argv: ["vitest", "run"],
  });
});

test("a broken manifest has no scripts", async () => {
  expect(await match(checkOf("npm test"), treeOf({ "package.json": "{" }))).toBeNull();
});

describe("what decides a result is protected", () => {
  test("files that the configuration names", async () => {
    const found = await matchOf(
      "npm test",
      { test: "vitest --config build/vitest.config.ts" },
      {
        "build/vitest.config.ts": `export default { test: { setupFiles: ["../tools/set-up"], environment: "./env.ts" } };`,
        "tools/set-up.ts": "",
        "build/env.ts": "",
        "src/index.ts": "",
      },
    );
    expect(found?.protects).toEqual(
      expect.arrayContaining([
        "build/vitest.config.ts",
        "tools/set-up.ts",
        "build/env.ts",
        "**/vitest.config.ts",
        "**/*.test.ts",
        "**/tsconfig*.json",
        "**/__snapshots__/**",
      ]),
    );
    expect(found?.protects).not.toContain("src/index.ts");
    expect(found?.testFiles).not.toContain("**/tsconfig*.json");
  });

  test("files and patterns of the command", async () => {
    const found = await matchOf(
      "npm test",
      { test: "node --test checks/*.js one.js" },
      { "one.js": "", "checks/a.js": "" },
    );
    expect(found?.testFiles).toEqual(expect.arrayContaining(["checks/*.js", "one.js"]));
  });

  test("shared settings only when they have a part for the runner", async () => {
    const without = await matchOf("pytest", {}, { "pyproject.toml": "[project]\n" });
    expect(without?.protects).not.toContain("pyproject.toml");
    const found = await matchOf("pytest", {}, { "pyproject.toml": "[tool.pytest.ini_options]\n" });
    expect(found?.protects).toContain("pyproject.toml");
  });
});

test("what runs around the runner sees the project's programs and stays in its folder", async () => {
  const found = await match(
    { ...checkOf("npm test"), folder: "packages/a b" },
    treeOf({
      "packages/a b/package.json": JSON.stringify({ scripts: { test: "A=1 tsc && vitest && size 'x y'" } }),
    }),
  );
  expect(found).not.toBeNull();
  if (found === null) return;
  expect(around(found)).toEqual({
    before: [
      `PATH="$PWD"'/packages/a b/node_modules/.bin':"$PWD"/node_modules/.bin:"$PATH" && export PATH && cd './packages/a b' && exec env 'A=1' tsc`,
    ],
    after: [
      `PATH="$PWD"'/packages/a b/node_modules/.bin':"$PWD"/node_modules/.bin:"$PATH" && export PATH && cd './packages/a b' && exec size 'x y'`,
    ],
  });
});

test("entries of a package are sources, what its runner is set up with is not", async () => {
  const manifest = {
    main: "index.js",
    exports: { import: "./index.mjs", require: "./index.js" },
    files: ["CHANGELOG.md"],
    scripts: { test: "mocha" },
    mocha: { require: ["./tools/set-up"] },
  };
  const files = {
    "package.json": JSON.stringify(manifest),
    "index.js": "",
    "index.mjs": "",
    "CHANGELOG.md": "",
  };
  const found = await match(checkOf("npm test"), treeOf({ ...files, "tools/set-up.js": "" }));
  expect(found?.protects).toContain("tools/set-up.js");
  for (const source of ["index.js", "index.mjs", "CHANGELOG.md"])
    expect(found?.protects).not.toContain(source);
});
