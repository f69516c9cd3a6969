/** What the runs of a check on the base teach of it. Pure. */
import type { TestReport, TestResult } from "./contract.ts";
import type { CheckResult } from "./gates.ts";

/** Of all runs together. */
export interface BaseTests {
  /** Passed in every run, in the order of the report. */
  readonly passing: readonly string[];
  /** Failed in every run. */
  readonly failing: readonly string[];
  /** Passed in one and failed in another. */
  readonly flaking: readonly string[];
  /** Passed tests of one run whose names the others do not have. */
  readonly unstable: number;
}

/** @param reports - of runs of the same files */
export function learnTests(reports: readonly TestReport[]): BaseTests {
  const runs = reports.map(({ tests }) => new Map(tests.map((test) => [test.id, test.status])));
  const ids = [...new Set(runs.flatMap((run) => [...run.keys()]))];
  const shared = ids.filter((id) => runs.every((run) => run.has(id)));
  const always = (status: TestResult["status"]): string[] =>
    shared.filter((id) => runs.every((run) => run.get(id) === status));
  const inSome = (id: string, status: TestResult["status"]): boolean =>
    runs.some((run) => run.get(id) === status);
  const isShared = new Set(shared);
  const ownPasses = runs.map(
    (run) => [...run].filter(([id, status]) => status === "passed" && !isShared.has(id)).length,
  );
  return {
    passing: always("passed"),
    failing: always("failed"),
    flaking: shared.filter((id) => inSome(id, "passed") && inSome(id, "failed")),
    unstable: runs.length === 0 ? 0 : Math.min(...ownPasses),
  };
}

/** How the runs ended, all of them together. */
export function statusOf(results: readonly CheckResult[]): "passed" | "failed" | "flaky" | "error" {
  if (results.some(({ fault }) => fault !== null)) return "error";
  const greens = results.filter(({ run }) => run.ending === "exited" && run.exit_code === 0).length;
  if (greens === results.length) return "passed";
  return greens === 0 ? "failed" : "flaky";
}

/**
 * Green runs whose record is of no use: this project's runner cannot be read, and nobody is to suffer for it. Then
 * only the exit status counts, and every verdict says so.
 */
export function isUnreadable(results: readonly CheckResult[]): boolean {
  return results.some(
    ({ run, report }) =>
      report !== null && run.exit_code === 0 && run.ending === "exited" && !isWhole(report),
  );
}

function isWhole({ isComplete, problems, canary, tests }: TestReport): boolean {
  const canaryHolds = canary === "failed as it must" || canary === "absent";
  return isComplete && problems.length === 0 && canaryHolds && tests.length > 0;
}
