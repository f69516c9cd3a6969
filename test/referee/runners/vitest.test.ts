import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ProjectFiles, runCheck, wouldPass } from "./run-check.ts";

const MANIFEST = JSON.stringify({ type: "module", scripts: { test: "vitest" } });
const TEST = `
  import { expect, test } from "vitest";
  import { add } from "../src/add.js";
  test("adds", () => { expect(add(1, 2)).toBe(3); });
`;
const HONEST = "export const add = (a, b) => a + b;";
const WRONG = "export const add = (a, b) => a - b;";
const ID = "test/add.test.js › adds";

function project(source: string, more: ProjectFiles = {}): ProjectFiles {
  return { "package.json": MANIFEST, "test/add.test.js": TEST, "src/add.js": source, ...more };
}

test.each(["forks", "threads"])("every kind of ending has its status and its id, in %s", async (pool) => {
  const outcome = await runCheck(
    {
      "package.json": MANIFEST,
      "vitest.config.ts": `export default { test: { pool: "${pool}", globals: true } };`,
      "a.test.ts": `
        import { describe, it, test } from "vitest";
        test("good", () => { expect(1 as number).toBe(1); });
        test("bad", async () => { await 1; expect(1 as number).toBe(2); });
        test("twice", () => {});
        test("twice", () => {});
        describe("suite", () => { it("inner", async () => {}); it.skip("skipped", () => {}); });
        test.todo("later");
        test.fails("meant to fail", () => { throw new Error("as it must"); });
        test.each([1, 2])("each %i", () => {});
        let tries = 0;
        test("in the end", { retry: 2 }, () => { expect(++tries).toBe(2); });
      `,
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
    "a.test.ts › good": "passed",
    "a.test.ts › bad": "failed",
    "a.test.ts › twice": "passed",
    "a.test.ts › twice (2)": "passed",
    "a.test.ts › suite › inner": "passed",
    "a.test.ts › suite › skipped": "skipped",
    "a.test.ts › later": "skipped",
    "a.test.ts › meant to fail": "passed",
    "a.test.ts › each 1": "passed",
    "a.test.ts › each 2": "passed",
    "a.test.ts › in the end": "passed",
  });
});

test("where no worker can be granted a record, the report says that it is plain", async () => {
  const outcome = await runCheck(project(HONEST), "npx vitest run --pool=vmForks");
  expect(outcome.report).toMatchObject({ channel: "plain", canary: "absent", isComplete: true });
  expect(outcome.statuses).toEqual({ [ID]: "passed" });
});

test("an honest project passes, also when its tests stub process.exit and take timers over", async () => {
  const outcome = await runCheck(
    project(HONEST, {
      "test/exit.test.js": `
        import { expect, test, vi } from "vitest";
        test("exits", () => { const exit = vi.spyOn(process, "exit").mockImplementation(() => {}); process.exit(3); expect(exit).toBeCalled(); exit.mockRestore(); });
        test("time", () => { vi.useFakeTimers(); vi.advanceTimersByTime(1000); });
        test("own matcher", () => { expect.extend({ toBeOdd: (n) => ({ pass: n % 2 === 1, message: () => "" }) }); expect(1).toBeOdd(); });
      `,
    }),
    "npm test",
  );
  expect(outcome.output).toContain("4 passed");
  expect(wouldPass(outcome, ID)).toBe(true);
});

describe("what a hostile source may try", () => {
  test.each<[string, string]>([
    [
      "patch expect",
      `import { expect } from "vitest"; expect.extend({ toBe: () => ({ pass: true }) }); ${WRONG}`,
    ],
    [
      "change the result of its own test",
      `import { TestRunner } from "vitest"; export const add = () => { const t = TestRunner.getCurrentTest(); Object.defineProperty(t, "result", { get: () => ({ state: "pass" }), set() {} }); return 0; };`,
    ],
    [
      "change the runner",
      `import { TestRunner } from "vitest"; TestRunner.prototype.onAfterRunTask = TestRunner.prototype.onAfterTryTask = function () {}; ${WRONG}`,
    ],
    [
      "tell the main process itself",
      `export const add = () => { const w = globalThis.__vitest_worker__; const t = w.current; w.rpc.onTaskUpdate([[t.id, { state: "pass" }, {}]], []); t.result = { state: "pass" }; process.kill(process.pid, "SIGKILL"); };`,
    ],
    ["exit with 0 on import", `process.exit(0); ${HONEST}`],
    ["exit with 0 by the inner way", `process.reallyExit(0); ${HONEST}`],
    [
      "patch assertions of chai",
      `import { chai } from "vitest"; chai.Assertion.prototype.assert = function () {}; ${WRONG}`,
    ],
    [
      "take the record",
      `const w = process[Symbol.for("nightshift.worker")]; export const add = () => (w ? 3 : 0);`,
    ],
    [
      "forge the record",
      `import fs from "node:fs"; for (const f of fs.readdirSync(process.env.EXCHANGE)) fs.appendFileSync(process.env.EXCHANGE + "/" + f, "{}\\n"); ${HONEST}`,
    ],
  ])("%s", async (_trick, source) => {
    expect(wouldPass(await runCheck(project(source), "npm test"), ID)).toBe(false);
  });

  test("a runner of another kind in the project's folder", async () => {
    const more = { "vitest/package.json": "{}", "vitest/index.js": "process.exit(0)", "expect.js": "" };
    expect(wouldPass(await runCheck(project(WRONG, more), "npm test"), ID)).toBe(false);
  });

  test.each<[string, (exchange: string) => Promise<void>]>([
    ["delete what its worker has seen", (exchange) => rm(join(exchange, "record.main.0"))],
    ["add to what its worker has seen", (exchange) => appendFile(join(exchange, "record.main.0"), "{}\n")],
    ["delete what the main process has seen", (exchange) => rm(join(exchange, "record.main"))],
  ])("%s", async (_trick, meddle) => {
    expect(wouldPass(await runCheck(project(HONEST), "npm test", { meddle }), ID)).toBe(false);
  });
});
