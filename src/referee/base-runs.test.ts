import { expect, test } from "vitest";
import { isUnreadable, learnTests, statusOf } from "./base-runs.ts";
import type { TestReport, TestResult } from "./contract.ts";
import type { CheckResult } from "./gates.ts";

type Statuses = Readonly<Record<string, TestResult["status"]>>;

function report(statuses: Statuses, changes: Partial<TestReport> = {}): TestReport {
  return {
    runner: "node-test",
    channel: "authenticated",
    tests: Object.entries(statuses).map(([id, status]) => ({ id, file: "f", status })),
    isComplete: true,
    canary: "failed as it must",
    problems: [],
    ...changes,
  };
}

function result(exitCode: number | null, read: TestReport | null, fault: string | null = null): CheckResult {
  const run = { exit_code: exitCode, duration_ms: 1, runner: null, counts: null, output: "" };
  return { run: { ...run, ending: "exited" }, report: read, outputHash: "", fault };
}

test("what passes and fails each time, what flakes, and what changes its name", () => {
  const first = report({
    a: "passed",
    b: "failed",
    c: "passed",
    d: "skipped",
    "t 1": "passed",
    "u 1": "failed",
  });
  const second = report({ a: "passed", b: "failed", c: "failed", d: "skipped", "t 2": "passed" });
  expect(learnTests([first, second])).toEqual({
    passing: ["a"],
    failing: ["b"],
    flaking: ["c"],
    unstable: 1,
  });
});

test("nothing is learnt from nothing", () => {
  expect(learnTests([])).toEqual({ passing: [], failing: [], flaking: [], unstable: 0 });
});

test.each([
  [[0, 0], "passed"],
  [[1, 2], "failed"],
  [[0, 1], "flaky"],
  [[null, 0], "flaky"],
] as const)("exit statuses %j are %s", (codes, status) => {
  expect(statusOf(codes.map((code) => result(code, null)))).toBe(status);
});

test("a failure of ours is none of the check's", () => {
  expect(statusOf([result(0, null), result(null, null, "lost")])).toBe("error");
});

test("a record that is of no use where the runner was content", () => {
  const good = report({ a: "passed" });
  expect(isUnreadable([result(0, good), result(0, good)])).toBe(false);
  expect(isUnreadable([result(0, good), result(0, report({ a: "passed" }, { isComplete: false }))])).toBe(
    true,
  );
  expect(isUnreadable([result(0, report({ a: "passed" }, { canary: "passed" }))])).toBe(true);
  expect(isUnreadable([result(1, report({}, { isComplete: false }))])).toBe(false);
  expect(isUnreadable([result(0, null)])).toBe(false);
});
