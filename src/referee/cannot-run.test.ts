import { expect, test } from "vitest";
import type { CheckRun, Criterion } from "../core/contract/contract.ts";
import { NightshiftError } from "../core/errors.ts";
import { faultCodeOf, whyNot } from "./cannot-run.ts";
import type { RunnerMatch, TestReport } from "./contract.ts";
import type { CheckResult, ProblemCode } from "./gates.ts";
import { faultResult } from "./run-check.ts";

const check = { argv: ["npx", "vitest", "run"], folder: "", shell: false };
const criterion: Criterion = {
  ...{ id: "tests", description: "tests", steps: [], check, role: null, rubric: [], needs: [] },
};
const vitest = { kind: "vitest" } as RunnerMatch;
const nothing: TestReport = { ...({} as TestReport), tests: [], problems: [], isComplete: false };

const ended = (run: Partial<CheckRun>, report: TestReport | null = null): CheckResult => ({
  run: {
    ...{ ending: "exited", exit_code: 1, duration_ms: 5, runner: "vitest", counts: null, output: "" },
    ...run,
  },
  ...{ report, outputHash: "", fault: null },
});

const missing = "Error: Cannot find package 'vitest' imported from /workspace/";
const lost = (error: unknown): CheckResult => faultResult({ match: null }, "it is gone", faultCodeOf(error));

test.each<[ProblemCode | undefined, RunnerMatch | null, CheckResult]>([
  ["runner_missing", vitest, ended({ output: missing }, nothing)],
  [undefined, vitest, ended({ output: "Error: Cannot find package 'left-pad'" }, nothing)],
  ["out_of_memory", null, ended({ ending: "out_of_memory", exit_code: null })],
  ["timed_out", null, ended({ ending: "timed_out", exit_code: null })],
  ["sandbox_lost", null, ended({ ending: "sandbox_lost", exit_code: null })],
  ["sandbox_lost", null, lost(new NightshiftError("E_SANDBOX_LOST", "x"))],
  ["sandbox_unavailable", null, lost(new NightshiftError("E_SANDBOX_UNAVAILABLE", "x"))],
  ["toolchain_missing", null, lost(new NightshiftError("E_TOOLCHAIN_MISSING", "x"))],
  ["setup_failed", null, lost(new NightshiftError("E_CONFIG", "x"))],
  ["failed", null, lost(new Error("the disk is full"))],
  [undefined, null, ended({})],
])("%s is the cause of what cannot run", (code, match, result) => {
  expect(whyNot(criterion, match, result, 60_000)?.code).toBe(code);
});
