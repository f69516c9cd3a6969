import { appendFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type CheckOutcome, type ProjectFiles, runCheck, wouldPass } from "./run-check.ts";

const MANIFEST = JSON.stringify({ scripts: { test: "jest" }, jest: { testEnvironment: "node" } });
const TEST = `
  const { add } = require("../src/add.js");
  test("adds", () => { expect(add(1, 2)).toBe(3); });
`;
const HONEST = "exports.add = (a, b) => a + b;";
const WRONG = "exports.add = (a, b) => a - b;";
const ID = "test/add.test.js › adds";

function project(source: string, more: ProjectFiles = {}): ProjectFiles {
  return { "package.json": MANIFEST, "test/add.test.js": TEST, "src/add.js": source, ...more };
}

test.each([
  ["one process", "jest --runInBand"],
  ["processes", "jest --maxWorkers=2"],
  ["threads", "jest --maxWorkers=2 --workerThreads"],
  ["modules of its own", "NODE_OPTIONS=--experimental-vm-modules jest"],
])("every kind of ending has its status and its id, in %s", async (_how, script) => {
  const outcome = await runCheck(
    {
      "package.json": JSON.stringify({ scripts: { test: script } }),
      "a.test.js": `
        test("good", () => { expect(1).toBe(1); });
        test("bad", async () => { await 1; expect(1).toBe(2); });
        test("twice", () => {});
        test("twice", () => {});
        describe("suite", () => { it("inner", async () => {}); it.skip("skipped", () => {}); });
        test.todo("later");
        test.failing("meant to fail", () => { throw new Error("as it must"); });
        test.each([1, 2])("each %i", () => {});
      `,
      "b.test.js": `
        jest.retryTimes(2);
        let tries = 0;
        test("in the end", () => { expect(++tries).toBe(2); });
      `,
      "c.test.js": "throw new Error('cannot be loaded');",
    },
    "npm test",
  );
  expect(outcome.exitCode).toBe(1);
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
    "a.test.js › later": "skipped",
    "a.test.js › meant to fail": "passed",
    "a.test.js › each 1": "passed",
    "a.test.js › each 2": "passed",
    "b.test.js › in the end": "passed",
    "c.test.js": "failed",
  });
});

test("an honest project passes, also when its tests stub process.exit and take timers over", async () => {
  const outcome = await runCheck(
    project(HONEST, {
      "test/exit.test.js": `
        test("exits", () => { const exit = jest.spyOn(process, "exit").mockImplementation(() => {}); process.exit(3); expect(exit).toHaveBeenCalled(); exit.mockRestore(); });
        test("time", () => { jest.useFakeTimers(); jest.advanceTimersByTime(1000); });
        test("own matcher", () => { expect.extend({ toBeOdd: (n) => ({ pass: n % 2 === 1, message: () => "" }) }); expect(1).toBeOdd(); });
      `,
    }),
    "npm test",
  );
  expect(outcome.output).toContain("4 passed");
  expect(wouldPass(outcome, ID)).toBe(true);
});

/** By what each does; all of them have the same test, which each of them would like to see passed. */
const TRICKS: readonly (readonly [string, string])[] = [
  [
    "change the errors of its own test",
    `exports.add = () => { const s = Object.getOwnPropertySymbols(globalThis).map((k) => globalThis[k]).find((v) => v && v.currentlyRunningTest); s.currentlyRunningTest.errors.push = () => 0; return 0; };`,
  ],
  [
    "tell the main process itself",
    `exports.add = () => { process.send?.([0, { testResults: [{ ancestorTitles: [], title: "adds", status: "passed" }], numPassingTests: 1, numFailingTests: 0 }]); return 0; };`,
  ],
  ["exit with 0 on import", `process.exit(0); ${HONEST}`],
  ["exit with 0 by the inner way", `process.reallyExit(0); ${HONEST}`],
  ["take the record", `const w = process[Symbol.for("nightshift.worker")]; exports.add = () => (w ? 3 : 0);`],
];

describe("what a hostile source may try", () => {
  const sourceOf = (at: number): string => `test/trick-${at}.test.js`;
  let outcome: CheckOutcome;

  beforeAll(async () => {
    const files = TRICKS.flatMap(([, source], at) => [
      [sourceOf(at), TEST.replace("add.js", `trick-${at}.js`)],
      [`src/trick-${at}.js`, source],
    ]);
    const project = { "package.json": MANIFEST, ...Object.fromEntries(files) };
    outcome = await runCheck(project, "npm test -- --maxWorkers=2");
  }, 120_000);

  test.each(TRICKS.map(([trick], at) => [trick, at] as const))("%s", (_trick, at) => {
    const id = `${sourceOf(at)} › adds`;
    const isContested = outcome.report.problems.some((problem) => problem.startsWith(id));
    expect(outcome.statuses[id] === "passed" && !isContested).toBe(false);
  });

  test.each<[string, string]>([
    ["patch expect", `expect.extend({ toBe: () => ({ pass: true }) }); ${WRONG}`],
    ["replace expect", `globalThis.expect = () => ({ toBe() {} }); ${WRONG}`],
    [
      "forge the record",
      `const fs = require("fs"); for (const f of fs.readdirSync(process.env.EXCHANGE)) fs.appendFileSync(process.env.EXCHANGE + "/" + f, "{}\\n"); ${HONEST}`,
    ],
  ])("%s", async (_trick, source) => {
    expect(wouldPass(await runCheck(project(source), "npm test"), ID)).toBe(false);
  });

  test.each<[string, (exchange: string) => Promise<void>]>([
    [
      "delete what workers have seen",
      async (exchange) => {
        const records = (await readdir(exchange)).filter((name) => name.startsWith("record.main."));
        for (const name of records) await rm(join(exchange, name));
      },
    ],
    ["add to what its worker has seen", (exchange) => appendFile(join(exchange, "record.main.0"), "{}\n")],
    ["delete what the main process has seen", (exchange) => rm(join(exchange, "record.main"))],
  ])("%s", async (_trick, meddle) => {
    const files = project(HONEST, { "test/other.test.js": "test('other', () => {});" });
    const outcome = await runCheck(files, "npm test -- --maxWorkers=2", { meddle });
    expect(wouldPass(outcome, ID)).toBe(false);
  });
});
