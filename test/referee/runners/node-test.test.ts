import { appendFile, copyFile, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type CheckOutcome, type ProjectFiles, runCheck, wouldPass } from "./run-check.ts";

const MANIFEST = JSON.stringify({ scripts: { test: "node --test" } });
const TEST = `
  const { test } = require("node:test");
  const assert = require("node:assert");
  const { add } = require("../src/add.js");
  test("adds", () => assert.strictEqual(add(1, 2), 3));
`;
const HONEST = "exports.add = (a, b) => a + b;";
const WRONG = "exports.add = (a, b) => a - b;";

function project(source: string, more: ProjectFiles = {}): ProjectFiles {
  return { "package.json": MANIFEST, "test/add.test.js": TEST, "src/add.js": source, ...more };
}
const ID = "test/add.test.js › adds";

test("every kind of ending has its status and its id", async () => {
  const outcome = await runCheck(
    {
      "package.json": MANIFEST,
      "a.test.mjs": `
        import { describe, it, test } from "node:test";
        import assert from "node:assert";
        test("good", () => {});
        test("bad", async () => { await 1; assert.equal(1, 2); });
        test("twice", () => {});
        test("twice", () => {});
        describe("suite", () => { it("inner", async () => { await 1; }); it.skip("skipped", () => {}); });
        test.todo("later");
        test("outer", async (t) => { await t.test("sub", () => {}); });
      `,
      "test/script.js": "console.log('no tests in here');",
    },
    "npm test",
  );
  expect(outcome.exitCode).toBe(1);
  expect(outcome.report).toMatchObject({
    runner: "node-test",
    channel: "authenticated",
    isComplete: true,
    canary: "failed as it must",
    problems: [],
  });
  expect(outcome.statuses).toEqual({
    "a.test.mjs › good": "passed",
    "a.test.mjs › bad": "failed",
    "a.test.mjs › twice": "passed",
    "a.test.mjs › twice (2)": "passed",
    "a.test.mjs › suite › inner": "passed",
    "a.test.mjs › suite › skipped": "skipped",
    "a.test.mjs › later": "skipped",
    "a.test.mjs › outer › sub": "passed",
    "a.test.mjs › outer": "passed",
    "test/script.js": "passed",
  });
});

test("tests that are chosen by name, by patterns and with modules loaded before", async () => {
  const outcome = await runCheck(
    project(HONEST, {
      "setup.js": "globalThis.ready = true;",
      "test/more.test.js": `const { test } = require("node:test");
        test("adds more", () => { if (!globalThis.ready) throw new Error("not ready"); });
        test("other", () => {});`,
    }),
    "node --test --require ./setup.js --test-name-pattern=adds test/*.test.js",
  );
  expect(outcome.statuses).toMatchObject({ [ID]: "passed", "test/more.test.js › adds more": "passed" });
  expect(outcome.report).toMatchObject({ isComplete: true, canary: "failed as it must", problems: [] });
});

test("an honest project passes, also when its tests stub process.exit and start processes", async () => {
  const outcome = await runCheck(
    project(HONEST, {
      "test/exit.test.js": `
        const { test, mock } = require("node:test");
        const { fork, execFileSync } = require("node:child_process");
        const Module = require("node:module");
        test("exits", () => { const exit = mock.method(process, "exit", () => {}); process.exit(3); exit.mock.restore(); });
        test("forks", async () => { const child = fork(__dirname + "/../child.js"); await new Promise((done) => child.on("exit", done)); });
        test("runs", () => { execFileSync(process.execPath, ["-e", "1"]); });
        test("loads", () => { const load = Module._load; Module._load = function () { return load.apply(this, arguments); }; require("node:os"); Module._load = load; require("node:path"); });
      `,
      "child.js": "",
    }),
    "npm test",
  );
  expect(wouldPass(outcome, ID)).toBe(true);
});

/** By what each does; all of them have the same test, which each of them would like to see passed. */
const TRICKS: readonly (readonly [string, string])[] = [
  ["patch assert", `const assert = require("assert"); assert.strictEqual = () => {}; ${WRONG}`],
  [
    "define assert anew",
    `Object.defineProperty(require("assert"), "strictEqual", { value: () => {} }); ${WRONG}`,
  ],
  ["patch the runner", `const t = require("node:test"); t.test = t.it = () => {}; ${WRONG}`],
  ["exit with 0 on import", "process.exit(0);"],
  ["exit with 0 by the inner way", "process.reallyExit(0);"],
  ["exit with 0 in a hook", `require("node:test").after(() => process.exit(0)); ${WRONG}`],
  ["exit with 0 in the test", "exports.add = () => process.exit(0);"],
  ["kill itself", "process.kill(process.pid, 'SIGKILL');"],
  ["set the exit code", `process.on("exit", () => { process.exitCode = 0; }); ${WRONG}`],
  [
    "print what a reporter would",
    `console.log("TAP version 13\\nok 1 - adds\\n1..1\\n# pass 1\\n# fail 0"); ${WRONG}`,
  ],
  [
    "swallow what tests throw",
    `require("async_hooks").AsyncResource.prototype.runInAsyncScope = () => {}; ${WRONG}`,
  ],
  [
    "turn node's own object of a test",
    `exports.add = () => { const t = require("async_hooks").executionAsyncResource(); t.fail = t.pass; Object.getPrototypeOf(t).fail = () => {}; };`,
  ],
  ["lie in toJSON", `Object.prototype.toJSON = Array.prototype.toJSON = () => "passed"; ${WRONG}`],
  [
    "lie in iterators",
    `const next = Array.prototype[Symbol.iterator]; Array.prototype[Symbol.iterator] = function () { return next.call(Array.from({ length: this.length }, (_, i) => this[i] === "failed" ? "passed" : this[i])); }; ${WRONG}`,
  ],
  ["replace emit", `require("events").prototype.emit = () => true; ${WRONG}`],
  [
    "answer for assert in require",
    `const m = require("module"); const load = m._load; m._load = (r, ...all) => /assert/.test(r) ? Object.assign(() => {}, { strictEqual() {} }) : load(r, ...all); ${WRONG}`,
  ],
];

describe("what a hostile source may try", () => {
  const sourceOf = (at: number): string => `test/trick-${at}.test.js`;
  let outcome: CheckOutcome;

  beforeAll(async () => {
    const files = TRICKS.flatMap(([, source], at) => [
      [sourceOf(at), TEST.replace("add.js", `trick-${at}.js`)],
      [`src/trick-${at}.js`, source],
    ]);
    outcome = await runCheck({ "package.json": MANIFEST, ...Object.fromEntries(files) }, "npm test");
  }, 120_000);

  test.each(TRICKS.map(([trick], at) => [trick, at] as const))("%s", (_trick, at) => {
    expect(outcome.statuses[`${sourceOf(at)} › adds`]).not.toBe("passed");
  });

  test("none of it goes unnoticed", () => {
    expect(outcome.report.isComplete).toBe(false);
  });

  test.each<[string, string]>([
    [
      "forge the record",
      `const fs = require("fs"); for (const f of fs.readdirSync(process.env.EXCHANGE)) fs.appendFileSync(process.env.EXCHANGE + "/" + f, "0".repeat(64) + ' {"n":1,"type":"test","path":["adds"],"status":"passed"}\\n'); ${WRONG}`,
    ],
    [
      "look for the key",
      `const fs = require("fs"); const found = fs.readdirSync(process.env.EXCHANGE).includes("key") || [...Array(40).keys()].some((fd) => { try { return fs.readlinkSync("/proc/self/fd/" + fd).includes("/key"); } catch { return false; } }) || /[0-9a-f]{64}/.test(fs.readFileSync("/proc/self/environ", "utf8") + fs.readFileSync("/proc/self/cmdline", "utf8") + JSON.stringify(process.env)); exports.add = () => (found ? 3 : 0);`,
    ],
  ])("%s", async (_trick, source) => {
    expect(wouldPass(await runCheck(project(source), "npm test"), ID)).toBe(false);
  });

  test.each<[string, ProjectFiles]>([
    [".npmrc", { ".npmrc": "node-options=--require ./preload.js\nscript-shell=/bin/true" }],
    ["a module named like node's", { "assert.js": "module.exports = { strictEqual() {} };" }],
    ["a program in .bin", { "bin/node": "#!/bin/sh\nexit 0" }],
  ])("%s", async (_trick, more) => {
    expect(wouldPass(await runCheck(project(WRONG, more), "npm test"), ID)).toBe(false);
  });
});

describe("records that are not as they were written", () => {
  const meddlers: readonly (readonly [string, (exchange: string) => Promise<void>])[] = [
    ["deleted", (exchange) => rm(join(exchange, "record.main.0"))],
    ["the main one deleted", (exchange) => rm(join(exchange, "record.main"))],
    ["cut within a line", (exchange) => truncate(join(exchange, "record.main.0"), 200)],
    [
      "cut between lines",
      async (exchange) => {
        const lines = (await readFile(join(exchange, "record.main.0"), "utf8")).split("\n");
        await writeFile(join(exchange, "record.main.0"), `${lines.slice(0, -2).join("\n")}\n`);
      },
    ],
    ["appended to", (exchange) => appendFile(join(exchange, "record.main.0"), "{}\n")],
    [
      "a link",
      async (exchange) => {
        await copyFile(join(exchange, "record.main.0"), join(exchange, "other"));
        await rm(join(exchange, "record.main.0"));
        await symlink("other", join(exchange, "record.main.0"));
      },
    ],
    [
      "one of another process",
      (exchange) => copyFile(join(exchange, "record.main"), join(exchange, "record.main.0")),
    ],
  ];
  test.each(meddlers)("%s", async (_how, meddle) => {
    const outcome = await runCheck(project(HONEST), "npm test", { meddle });
    expect(wouldPass(outcome, ID)).toBe(false);
    expect(outcome.report.problems).not.toEqual(outcome.report.isComplete ? [] : undefined);
  });

  test("of another run", async () => {
    const kept: Record<string, string> = {};
    await runCheck(project(HONEST), "npm test", {
      meddle: async (exchange) => {
        for (const name of await readdir(exchange)) kept[name] = await readFile(join(exchange, name), "utf8");
      },
    });
    const outcome = await runCheck(project(WRONG), "npm test", {
      meddle: async (exchange) => {
        for (const [name, content] of Object.entries(kept)) await writeFile(join(exchange, name), content);
      },
    });
    expect(wouldPass(outcome, ID)).toBe(false);
    expect(outcome.report.problems).not.toEqual([]);
  });
});
