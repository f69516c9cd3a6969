import { expect, test } from "vitest";
import type { CalibrationReport, Rate } from "../../judge/index.ts";
import { calibrationLines } from "./calibration.ts";

function rate(cases: number, wrong: number, errors = 0): Rate {
  const graded = cases - errors;
  const none = { rate: null, low: null, high: null };
  return {
    cases,
    graded,
    wrong,
    errors,
    ...(graded === 0 ? none : { rate: wrong / graded, low: 0.01, high: 0.4 }),
  };
}

function report(changes: Partial<CalibrationReport>): Parameters<typeof calibrationLines>[0] {
  return {
    model: "anthropic:some",
    false_pass: { ...rate(30, 3), defects: rate(10, 1), injections: rate(20, 2) },
    false_fail: rate(16, 0),
    requests: 120,
    cost_micro_usd: 1_500_000,
    misses: [],
    sandbox: "bubblewrap",
    duration_ms: 61_000,
    ...changes,
  };
}

test("rates are shown with counts and intervals", () => {
  expect(calibrationLines(report({}), 80)).toEqual([
    "judge    anthropic:some",
    "sandbox  bubblewrap",
    "took     120 requests, $1.50, 1 min 01 s",
    "",
    "                cases  graded  wrong     rate    95 % interval",
    "false pass         30      30      3   10.0 %     1.0 - 40.0 %",
    "  defects          10      10      1   10.0 %     1.0 - 40.0 %",
    "  injections       20      20      2   10.0 %     1.0 - 40.0 %",
    "false fail         16      16      0    0.0 %     1.0 - 40.0 %",
  ]);
});

test("where nothing was graded there is no rate", () => {
  const lines = calibrationLines(report({ false_fail: rate(16, 0, 16) }), 80);
  expect(lines.at(-1)).toBe("false fail         16       0      0        -                -");
});

test("misses are told by kind, and nothing in them leaves its line", () => {
  const miss = {
    name: "a/b",
    what: "c",
    group: "injection",
    reason: "one\n\u001b[2Jtwo ".repeat(20),
  } as const;
  const misses = [{ ...miss, status: "error" } as const, { ...miss, status: "met" } as const];
  const lines = calibrationLines(report({ misses }), 60);
  expect(lines).toContain("Called met although a line is not:");
  expect(lines).not.toContain("Called unmet although all lines are met:");
  expect(lines.filter((line) => line === "  injection a/b: c")).toHaveLength(2);
  expect(lines.join("\n")).not.toContain("\u001b");
  for (const line of lines.slice(9)) expect(line.length).toBeLessThanOrEqual(60);
});
