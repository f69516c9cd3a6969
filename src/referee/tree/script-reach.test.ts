/** Scripts of `package.json`: those that a check comes to are protected, and the others are the worker's. */
import { describe, expect, test } from "vitest";
import { type Options, passA, planOf, told } from "../../../test/support/compositions.ts";
import type { Files } from "../../../test/support/trees.ts";
import type { RunnerKind } from "../contract.ts";

type Scripts = Readonly<Record<string, string>>;

interface Case {
  readonly before: Scripts;
  readonly after: Scripts;
  readonly check?: string;
  readonly files?: Files;
  readonly kind?: RunnerKind | null;
  readonly contract?: Options;
}

async function parked({ before, after, check = "npm test", files = {}, kind = "vitest", contract }: Case) {
  const base = { ...files, "package.json": JSON.stringify({ name: "p", scripts: before }) };
  const edits = { "package.json": JSON.stringify({ name: "p", scripts: after }) };
  const plan = await planOf(kind, base, edits, { check, ...contract });
  const scripts = (passA(plan)?.["package.json"] ?? "").startsWith("{")
    ? (JSON.parse(passA(plan)?.["package.json"] ?? "") as { scripts?: Scripts }).scripts
    : undefined;
  return { told: told(plan), details: plan.findings.map(({ detail }) => detail), scripts };
}

describe("a script that no check comes to", () => {
  test.each<[string, Case]>([
    [
      "is edited",
      { before: { test: "vitest run", build: "tsc" }, after: { test: "vitest run", build: "tsc -b" } },
    ],
    ["is removed", { before: { test: "vitest run", dev: "vite" }, after: { test: "vitest run" } }],
    [
      "is given a hook",
      {
        before: { test: "vitest run", build: "tsc" },
        after: { test: "vitest run", build: "tsc", prebuild: "x" },
      },
    ],
    [
      "has the name of a test, but not of the one that is run",
      {
        before: { test: "npm run test:unit", "test:unit": "vitest run", "test:e2e": "playwright test" },
        after: { test: "npm run test:unit", "test:unit": "vitest run", "test:e2e": "playwright test --ui" },
      },
    ],
    [
      "is beside a runner that is called itself",
      { before: { test: "vitest run" }, after: { test: "x" }, check: "npx vitest run" },
    ],
    [
      "is beside scripts that are run one after another",
      {
        before: { test: "run-s lint unit", lint: "eslint .", unit: "vitest run", docs: "typedoc" },
        after: { test: "run-s lint unit", lint: "eslint .", unit: "vitest run", docs: "typedoc src" },
      },
    ],
    [
      "is beside a program of the project that starts none",
      {
        before: { test: "node tools/run.js", docs: "x" },
        after: { test: "node tools/run.js", docs: "y" },
        files: { "tools/run.js": "console.log('run');\n" },
        kind: null,
      },
    ],
    [
      "is none that installing comes to",
      {
        before: { test: "vitest run", prepare: "npm run build", build: "tsc", docs: "x" },
        after: { test: "vitest run", prepare: "npm run build", build: "tsc", docs: "y" },
      },
    ],
  ])("%s, and nobody is asked", async (_, each) => {
    expect((await parked(each)).told).toEqual([]);
  });
});

describe("a script that a check comes to waits for a person", () => {
  const all = { test: "npm run a && npm run b", a: "tsc", b: "vitest run" };
  test.each<[string, string, Case]>([
    ["itself", "test", { before: { test: "vitest run" }, after: { test: "exit 0" } }],
    ["removed", "test", { before: { test: "vitest run" }, after: {} }],
    ["through npm run", "b", { before: all, after: { ...all, b: "exit 0" } }],
    ["by a short name", "test", { before: { test: "vitest run" }, after: { test: "true" }, check: "npm t" }],
    ["with flags before it", "b", { before: all, after: { ...all, b: "x" }, check: "npm --silent run -s b" }],
    ["by another manager", "b", { before: all, after: { ...all, b: "x" }, check: "pnpm b" }],
    ["behind a wrapper", "b", { before: all, after: { ...all, b: "x" }, check: "cross-env CI=1 npm run b" }],
    [
      "in a row",
      "b",
      { before: { test: "run-s a b", a: "x", b: "y" }, after: { test: "run-s a b", a: "x", b: "z" } },
    ],
    [
      "by a pattern",
      "t:b",
      {
        before: { test: "run-p t:*", "t:a": "vitest", "t:b": "tsc" },
        after: { test: "run-p t:*", "t:a": "vitest", "t:b": "x" },
      },
    ],
    [
      "beside others",
      "b",
      {
        before: { test: 'concurrently "npm:a" "npm run b"', a: "vitest", b: "tsc" },
        after: { test: 'concurrently "npm:a" "npm run b"', a: "vitest", b: "x" },
      },
    ],
    [
      "before it",
      "pretest",
      { before: { test: "vitest", pretest: "tsc" }, after: { test: "vitest", pretest: "x" } },
    ],
    ["after it, new", "posttest", { before: { test: "vitest" }, after: { test: "vitest", posttest: "x" } }],
    [
      "called by the one before it",
      "build",
      {
        before: { test: "vitest", pretest: "npm run build", build: "tsc" },
        after: { test: "vitest", pretest: "npm run build", build: "x" },
      },
    ],
    [
      "when installing",
      "prepare",
      { before: { test: "vitest", prepare: "tsc" }, after: { test: "vitest", prepare: "x" } },
    ],
    [
      "called when installing",
      "build",
      {
        before: { test: "vitest", prepare: "npm run build", build: "tsc" },
        after: { test: "vitest", prepare: "npm run build", build: "x" },
      },
    ],
    [
      "started by a test",
      "build",
      {
        before: { test: "vitest run", build: "tsc" },
        after: { test: "vitest run", build: "cp -r evil/. test" },
        files: { "test/built.test.js": 'execSync("npm run build");\n' },
      },
    ],
    [
      "under a name that a test makes up",
      "build",
      {
        before: { test: "vitest run", build: "tsc" },
        after: { test: "vitest run", build: "x" },
        files: { "test/built.test.js": "for (const each of all) execSync('npm run ' + each);\n" },
      },
    ],
    [
      "started by a shell script",
      "verify",
      {
        before: { verify: "node a.js" },
        after: { verify: "true" },
        check: "sh ci.sh",
        files: { "ci.sh": "set -e\nnpm run verify\n" },
        kind: null,
      },
    ],
    [
      "started by a makefile",
      "verify",
      {
        before: { verify: "node a.js" },
        after: { verify: "true" },
        check: "make verify",
        files: { Makefile: "verify:\n\tnpm run verify\n" },
        kind: null,
      },
    ],
    [
      "behind a variable",
      "b",
      { before: { test: "npm run $WHAT", b: "vitest" }, after: { test: "npm run $WHAT", b: "x" } },
    ],
    [
      "behind more than lists of commands",
      "b",
      {
        before: { test: "for x in b; do npm run $x; done", b: "tsc" },
        after: { test: "for x in b; do npm run $x; done", b: "x" },
      },
    ],
    [
      "behind a program that nobody knows",
      "b",
      { before: { test: "turbo run b", b: "tsc" }, after: { test: "turbo run b", b: "x" } },
    ],
    [
      "in all workspaces",
      "b",
      { before: { test: "npm run b -ws", b: "tsc" }, after: { test: "npm run b -ws", b: "x" } },
    ],
    [
      "by a service",
      "start",
      {
        before: { test: "vitest", start: "node server.js" },
        after: { test: "vitest", start: "node fake.js" },
        contract: { services: [{ argv: ["npm", "start"], ready: { port: 80 }, within_ms: 1000 }] },
      },
    ],
  ])("%s", async (_, name, each) => {
    const { told: said, details, scripts } = await parked(each);
    expect(said).toEqual(["review protected package.json"]);
    expect(details[0]).toContain(`scripts.${name}`);
    expect(scripts?.[name]).toBe(each.before[name]);
  });

  test("in a package of its own", async () => {
    const base = {
      "package.json": '{"scripts":{"test":"npm test --workspaces"}}',
      "a/package.json": '{"scripts":{"test":"vitest run"}}',
    };
    const plan = await planOf(null, base, { "a/package.json": '{"scripts":{"test":"exit 0"}}' });
    expect(told(plan)).toEqual(["review protected a/package.json"]);
  });

  test("and the others are the candidate's in both passes", async () => {
    const { scripts } = await parked({
      before: { test: "vitest run", build: "tsc", old: "x" },
      after: { test: "exit 0", build: "tsc -b", more: "y" },
    });
    expect(scripts).toEqual({ test: "vitest run", build: "tsc -b", more: "y" });
  });
});
