import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ProjectFiles, runCheck, wouldPass } from "./run-check.ts";

const MANIFEST = JSON.stringify({ scripts: { test: "mocha test/*.test.js" } });
const TEST = `
  const { expect } = require("chai");
  const { add } = require("../src/add.js");
  it("adds", () => { expect(add(1, 2)).to.equal(3); });
`;
const HONEST = "exports.add = (a, b) => a + b;";
const WRONG = "exports.add = (a, b) => a - b;";
const ID = "test/add.test.js › adds";

function project(source: string, more: ProjectFiles = {}): ProjectFiles {
  return { "package.json": MANIFEST, "test/add.test.js": TEST, "src/add.js": source, ...more };
}

test.each([
  ["one process", "mocha a.test.js"],
  ["a process that mocha starts", "mocha --stack-trace-limit=20 a.test.js"],
  ["one process, whatever was asked for", "mocha --parallel --reporter dot a.test.js"],
])("every kind of ending has its status and its id, in %s", async (_how, script) => {
  const outcome = await runCheck(
    {
      "package.json": JSON.stringify({ scripts: { test: script } }),
      "a.test.js": `
        const assert = require("node:assert");
        it("good", () => {});
        it("bad", async () => { await 1; assert.equal(1, 2); });
        it("twice", () => {});
        it("twice", () => {});
        describe("suite", () => { it("inner", (done) => { setImmediate(done); }); it.skip("skipped", () => {}); it("later"); });
        let tries = 0;
        it("in the end", function () { this.retries(2); assert.equal(++tries, 2); });
        describe("broken", () => { before(() => { throw new Error("broken"); }); it("never", () => {}); });
      `,
    },
    "npm test",
  );
  expect(outcome.exitCode).not.toBe(0);
  expect(outcome.report).toMatchObject({
    channel: "authenticated",
    isComplete: true,
    canary: "failed as it must",
    problems: [],
  });
  expect(outcome.statuses).toEqual({
    "a.test.js › good": "passed",
    "a.test.js › bad": "failed",
    "a.test.js › twice": "passed",
    "a.test.js › twice (2)": "passed",
    "a.test.js › suite › inner": "passed",
    "a.test.js › suite › skipped": "skipped",
    "a.test.js › suite › later": "skipped",
    "a.test.js › in the end": "passed",
    'a.test.js › broken › "before all" hook for "never"': "failed",
  });
});

test("an honest project passes, also when its tests stub process.exit and set globals", async () => {
  const outcome = await runCheck(
    project(HONEST, {
      ".mocharc.json": JSON.stringify({ require: ["./set-up.js"] }),
      "set-up.js": "globalThis.ready = 1;",
      "test/exit.test.js": `
        const { mock } = require("node:test");
        it("exits", () => { const exit = mock.method(process, "exit", () => {}); process.exit(3); exit.mock.restore(); });
        globalThis.window = {};
        it("is ready", () => { if (globalThis.ready !== 1) throw new Error("not ready"); });
      `,
    }),
    "npm test",
  );
  expect(outcome.output).toContain("3 passing");
  expect(wouldPass(outcome, ID)).toBe(true);
});

describe("what a hostile source may try", () => {
  test.each<[string, string]>([
    ["patch chai", `require("chai").Assertion.prototype.assert = function () {}; ${WRONG}`],
    ["replace it", `const real = it; globalThis.it = (name) => real(name, () => {}); ${WRONG}`],
    [
      "patch mocha's runner",
      `const { Runner, Runnable } = require("mocha"); try { Runner.prototype.fail = () => {}; } catch {} try { Runnable.prototype.run = (done) => done(); } catch {} ${WRONG}`,
    ],
    [
      "replace emit",
      `const { EventEmitter } = require("events"); EventEmitter.prototype.emit = () => true; ${WRONG}`,
    ],
    ["exit with 0 on import", `process.exit(0); ${HONEST}`],
    ["exit with 0 by the inner way", `process.reallyExit(0); ${HONEST}`],
    ["exit with 0 in a hook", `after(() => process.exit(0)); ${WRONG}`],
    ["set the exit code", `process.on("exit", () => { process.reallyExit(0); }); ${WRONG}`],
    [
      "take the record",
      `const w = process[Symbol.for("nightshift.reporter")]; exports.add = () => (w ? 3 : 0);`,
    ],
    [
      "forge the record",
      `const fs = require("fs"); for (const f of fs.readdirSync(process.env.EXCHANGE)) fs.appendFileSync(process.env.EXCHANGE + "/" + f, "{}\\n"); ${HONEST}`,
    ],
  ])("%s", async (_trick, source) => {
    expect(wouldPass(await runCheck(project(source), "npm test"), ID)).toBe(false);
  });

  test.each<[string, (exchange: string) => Promise<void>]>([
    ["delete the record", (exchange) => rm(join(exchange, "record.main"))],
    ["add to the record", (exchange) => appendFile(join(exchange, "record.main"), "{}\n")],
  ])("%s", async (_trick, meddle) => {
    expect(wouldPass(await runCheck(project(HONEST), "npm test", { meddle }), ID)).toBe(false);
  });
});
