import { describe, expect, test } from "vitest";
import type { CheckRun } from "../core/contract/contract.ts";
import type { TestReport, TestResult } from "./contract.ts";
import { type BaseRecord, type CheckResult, judgeRun, withoutFiles } from "./gates.ts";

const base: BaseRecord = {
  role: "keep",
  runner: "node-test",
  passing: ["a.test.js › one", "a.test.js › two"],
  failing: [],
  exempt: new Set(),
  unstable: 0,
  wallMs: 600_000,
};

function tests(statuses: Readonly<Record<string, TestResult["status"]>>): TestResult[] {
  return Object.entries(statuses).map(([id, status]) => ({ id, file: id.split(" › ")[0] ?? "", status }));
}

const green = tests({ "a.test.js › one": "passed", "a.test.js › two": "passed" });

function ran(run: Partial<CheckRun> = {}, report: Partial<TestReport> | null = {}): CheckResult {
  const whole: TestReport = {
    runner: "node-test",
    channel: "authenticated",
    tests: green,
    isComplete: true,
    canary: "failed as it must",
    problems: [],
    ...report,
  };
  const exited = {
    ending: "exited",
    exit_code: 0,
    duration_ms: 5,
    runner: "node-test",
    counts: null,
    output: "",
  };
  const merged = { ...exited, ...run } as CheckRun;
  return { run: merged, report: report === null ? null : whole, outputHash: "", fault: null };
}

test("no run is said to be looked at from outside: what decides shares its sandbox with the candidate", () => {
  const results = [ran(), ran({}, null), ran({ exit_code: 1 }), ran({ ending: "timed_out" })];
  for (const result of results)
    for (const isHeldOut of [true, false])
      for (const runner of ["node-test", null])
        expect(judgeRun(result, { ...base, runner }, isHeldOut).strength).not.toBe("black-box");
});

describe("a run of a known runner", () => {
  test("is met when the base's tests are reported as passed, whatever else passes", () => {
    const more = [...green, ...tests({ "b.test.js › new": "passed" })];
    expect(judgeRun(ran({}, { tests: more }), base, false)).toEqual({
      status: "met",
      strength: "in-process",
      reason: "3 tests passed",
      missing: [],
    });
  });

  test("counts one test as one", () => {
    const only = tests({ "a.test.js › one": "passed" });
    const judged = judgeRun(ran({}, { tests: only }), { ...base, passing: ["a.test.js › one"] }, false);
    expect(judged.reason).toBe("1 test passed");
  });

  test.each([
    ["authenticated", "in-process"],
    ["plain", "printed"],
  ] as const)("read over an %s channel is %s", (channel, strength) => {
    const result = ran({}, { channel });
    expect(judgeRun(result, base, false)).toMatchObject({ status: "met", strength });
    expect(judgeRun(result, base, true)).toMatchObject({ strength: "held-out" });
  });

  test.each([
    ["record", ran({}, { isComplete: false })],
    ["record", ran({}, { problems: ["line 3 is not from this run"] })],
    ["record", ran({}, null)],
    ["canary", ran({}, { canary: "passed" })],
    ["canary", ran({}, { canary: "missing" })],
    ["failed-tests", ran({}, { tests: [...green, ...tests({ "b › x": "failed" })] })],
    ["base-tests", ran({}, { tests: green.slice(1) })],
    ["base-tests", ran({}, { tests: tests({ "a.test.js › one": "passed", "a.test.js › two": "skipped" }) })],
    ["wall-limit", ran({ ending: "timed_out", exit_code: null })],
    ["memory", ran({ ending: "out_of_memory", exit_code: null })],
  ])("exit 0 is not enough: %s", (gate, result) => {
    expect(judgeRun(result, base, false)).toMatchObject({ status: "unmet", gate });
  });

  test("names what is missing of the base's tests", () => {
    const { missing, reason } = judgeRun(ran({}, { tests: green.slice(0, 1) }), base, false);
    expect(missing).toEqual(["a.test.js › two"]);
    expect(reason).toBe("1 tests of the base were not reported as passed: a.test.js › two");
  });

  test("without any test on the base has to pass at least one", () => {
    const empty = { ...base, passing: [] };
    expect(judgeRun(ran({}, { tests: [] }), empty, false)).toMatchObject({
      status: "unmet",
      gate: "no-tests",
    });
    expect(judgeRun(ran(), empty, false)).toMatchObject({ status: "met" });
  });

  test("fails by its exit status, with the tests that failed", () => {
    const failed = tests({ "a.test.js › one": "passed", "a.test.js › two": "failed" });
    const judged = judgeRun(ran({ exit_code: 1 }, { tests: failed }), base, false);
    expect(judged).toMatchObject({ status: "unmet", reason: "exit status 1; failed: a.test.js › two" });
    expect(judged.gate).toBeUndefined();
  });

  test("may fail where the base does, and nowhere else", () => {
    const exempt = { ...base, exempt: new Set(["old › broken"]) };
    const old = ran({ exit_code: 1 }, { tests: [...green, ...tests({ "old › broken": "failed" })] });
    expect(judgeRun(old, exempt, false)).toMatchObject({ status: "met" });
    const both = tests({ "old › broken": "failed", "b › x": "failed" });
    expect(judgeRun(ran({ exit_code: 1 }, { tests: [...green, ...both] }), exempt, false)).toMatchObject({
      status: "unmet",
      reason: "exit status 1; failed: b › x",
    });
    const cut = { tests: [...green, ...tests({ "old › broken": "failed" })], isComplete: false };
    expect(judgeRun(ran({ exit_code: 1 }, cut), exempt, false)).toMatchObject({ status: "unmet" });
    expect(judgeRun(ran({ exit_code: 1 }), exempt, false)).toMatchObject({ status: "unmet" });
  });

  test("counts tests whose names change", () => {
    const counted = { ...base, unstable: 2 };
    const three = [...green, ...tests({ "c › at 12:01": "passed" })];
    expect(judgeRun(ran({}, { tests: three }), counted, false)).toMatchObject({ gate: "test-count" });
    const four = [...three, ...tests({ "c › at 12:02": "passed" })];
    expect(judgeRun(ran({}, { tests: four }), counted, false)).toMatchObject({ status: "met" });
  });
});

describe("what is to be earned", () => {
  const earn: BaseRecord = { ...base, role: "earn", failing: ["b.test.js › sum"] };

  test.each([
    ["passed", { "b.test.js › sum": "passed" }, "met"],
    ["skipped", { "b.test.js › sum": "skipped" }, "unmet"],
    ["gone, with its file", {}, "unmet"],
    [
      "gone, and its file, which could not be loaded, passes",
      { "b.test.js › total › adds": "passed" },
      "met",
    ],
    ["gone, and its file has only skipped tests", { "b.test.js › total": "skipped" }, "unmet"],
  ] as const)("a test that failed on the base: %s", (_, statuses, status) => {
    const judged = judgeRun(ran({}, { tests: [...green, ...tests(statuses)] }), earn, false);
    expect(judged.status).toBe(status);
    if (status === "unmet") expect(judged.gate).toBe("earned-tests");
  });
});

describe("an assertion of TAP that fails on the base, and has its name only there", () => {
  const earn: BaseRecord = {
    ...{ ...base, runner: "tap", role: "earn", passing: ["ends once › opens"] },
    failing: ["ends once › is not called twice"],
  };
  test.each([
    ["its test passes", { "ends once › opens": "passed", "ends once › closes": "passed" }, "met"],
    ["its test fails otherwise", { "ends once › opens": "passed", "ends once › closes": "failed" }, "unmet"],
    ["its test skips the rest", { "ends once › opens": "skipped" }, "unmet"],
    ["only other tests pass", { "opens › opens": "passed" }, "unmet"],
  ] as const)("%s", (_, statuses, status) => {
    const report = { tests: tests(statuses), runner: "tap", channel: "plain", canary: "absent" } as const;
    expect(judgeRun(ran({}, report), earn, false).status).toBe(status);
  });
});

test("a failing test cannot be earned by removing it from a file that has others", () => {
  const earn: BaseRecord = { ...base, role: "earn", failing: ["a.test.js › three"] };
  expect(judgeRun(ran(), earn, false)).toMatchObject({ status: "unmet", gate: "earned-tests" });
});

test("tests of files that a person looks at are not asked for", () => {
  const looked = withoutFiles({ ...base, failing: ["b.test.js › x"] }, new Set(["lib/a.test.js"]));
  expect(looked).toMatchObject({ passing: [], failing: ["b.test.js › x"] });
});

describe("an unknown runner", () => {
  const unknown = { ...base, runner: null, passing: [] };
  test.each([
    [0, "met", "exit status 0"],
    [3, "unmet", "exit status 3"],
    [null, "unmet", "it was killed"],
  ] as const)("exit %s is %s, at the weakest strength", (exit_code, status, reason) => {
    const judged = judgeRun(ran({ exit_code, runner: null }, null), unknown, false);
    expect(judged).toEqual({ status, reason, strength: "exit-status", missing: [] });
  });
});

test("a failure of ours is neither met nor unmet", () => {
  const fault = { ...ran({}, null), fault: "the sandbox was lost" };
  expect(judgeRun(fault, base, false)).toMatchObject({ status: "error", reason: "the sandbox was lost" });
  for (const ending of ["cancelled", "refused", "sandbox_lost"] as const)
    expect(judgeRun(ran({ ending, exit_code: null }, null), base, false).status).toBe("error");
});

test("of held-out files nothing but a number is told", () => {
  const failed = tests({ "secret › boundary 41": "failed", "secret › boundary 42": "failed" });
  const judged = judgeRun(ran({ exit_code: 1 }, { tests: [...green, ...failed] }), base, true);
  expect(judged).toEqual({ status: "unmet", strength: "held-out", reason: "2 unmet", missing: [] });
  expect(judgeRun(ran({}, { tests: [] }), base, true)).toMatchObject({ reason: "2 unmet", missing: [] });
  expect(judgeRun(ran({}, { canary: "passed" }), base, true)).toEqual({
    status: "unmet",
    strength: "held-out",
    reason: "1 unmet",
    missing: [],
  });
});

test("names of hostile length do not fill the log", () => {
  const long = tests(
    Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`${at}${"x".repeat(9000)}`, "failed"])),
  );
  const { reason } = judgeRun(ran({ exit_code: 1 }, { tests: long }), base, false);
  expect(reason.length).toBeLessThanOrEqual(8000);
});
