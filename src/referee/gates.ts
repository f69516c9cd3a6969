/**
 * What one run of a check comes to. Pure. Everything fails closed: what a run does not show is not met, and what
 * went wrong on our side is `error`, neither met nor unmet.
 */
import type { CheckRun, Strength } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { TestReport, TestResult } from "./contract.ts";
import { ALL_GATES_ON, type Gate } from "./gates-list.ts";
import { MISSING_TESTS_MAX, NAME_LENGTH_MAX, NAMED_TESTS_MAX, REASON_LENGTH_MAX } from "./limits.ts";
import { fileOfId, readIds } from "./test-ids.ts";

/** Why a check cannot run, in one word. */
export type ProblemCode = EventBody<"preflight.finished">["problems"][number]["code"];

/** One run with everything that is known of it. */
export interface CheckResult {
  readonly run: CheckRun;
  /** Null without a known runner, and where nothing ran. */
  readonly report: TestReport | null;
  /** SHA-256 of the output, in hex. */
  readonly outputHash: string;
  /** What went wrong on our side; null when the run says something about the candidate. */
  readonly fault: string | null;
  /** Of which kind that was; absent without one. */
  readonly faultCode?: ProblemCode;
}

/** What the base has shown of one check. */
export interface BaseRecord {
  readonly role: "earn" | "keep";
  /** Null: only its exit status counts. */
  readonly runner: string | null;
  readonly passing: readonly string[];
  readonly failing: readonly string[];
  readonly exempt: ReadonlySet<string>;
  readonly unstable: number;
  readonly wallMs: number;
}

/** What a run is taken for. */
export interface Judgement {
  readonly status: "met" | "unmet" | "error";
  readonly strength: Strength;
  readonly reason: string;
  /** Absent where the exit status itself decided. */
  readonly gate?: string;
  /** Tests that should have been reported as passed and were not; a part of them. */
  readonly missing: readonly string[];
}

/** What the preflight has found, by criterion. */
export function baseRecords(preflight: EventBody<"preflight.finished">): ReadonlyMap<string, BaseRecord> {
  return new Map(
    preflight.criteria.map((found) => [
      found.criterion,
      {
        role: found.role,
        runner: found.runs[0]?.runner ?? null,
        passing: readIds(found.passing),
        failing: readIds(found.failing),
        exempt: new Set(readIds(found.exempt)),
        unstable: found.unstable,
        wallMs: found.wall_ms,
      },
    ]),
  );
}

/** Runners whose ids never name a file. */
const FILELESS: ReadonlySet<string> = new Set(["tap", "go"]);

/** Do the ids of this record name no file? */
export function isFileless({ runner }: Pick<BaseRecord, "runner">): boolean {
  return runner !== null && FILELESS.has(runner);
}

/**
 * The record without the tests of these files: a person looks at how they changed, or has done so. Where ids name no
 * files it stays as it is (see apart.ts).
 */
export function withoutFiles(base: BaseRecord, paths: ReadonlySet<string>): BaseRecord {
  if (paths.size === 0 || isFileless(base)) return base;
  const isKept = (id: string): boolean => {
    const file = fileOfId(id);
    return ![...paths].some((path) => path === file || path.endsWith(`/${file}`));
  };
  return { ...base, passing: base.passing.filter(isKept), failing: base.failing.filter(isKept) };
}

/** @param isHeldOut - nothing but a number may be told @param off - gates that have nothing to say */
export function judgeRun(
  result: CheckResult,
  base: BaseRecord,
  isHeldOut: boolean,
  off: ReadonlySet<Gate> = ALL_GATES_ON,
): Judgement {
  const opinion = opinionOf(result, base, off);
  const strength = strengthOf(result, isHeldOut);
  const { status, reason, gate, tests = [], missing = [] } = opinion;
  if (isHeldOut) {
    const count = new Set([...tests, ...missing]).size || 1;
    const told = { met: "all met", unmet: `${count} unmet`, error: "it could not be run" }[status];
    return { status, strength, reason: told, missing: [] };
  }
  const named = [...new Set([...tests, ...missing])];
  return {
    status,
    strength,
    reason: (named.length === 0 ? reason : `${reason}: ${listed(named)}`).slice(0, REASON_LENGTH_MAX),
    ...(gate !== undefined && { gate }),
    missing: missing.slice(0, MISSING_TESTS_MAX),
  };
}

/** Of the base's own files, where it was red: what is green of them now shows nothing of anybody's work. */
export function judgeUnchanged(judged: Judgement, { role }: Pick<BaseRecord, "role">): Judgement {
  if (role !== "earn" || judged.status !== "met") return judged;
  const reason = "nothing has changed since the base, where it was red: the check itself changes its mind";
  return { ...judged, status: "unmet", gate: "unchanged", reason };
}

function strengthOf({ report }: CheckResult, isHeldOut: boolean): Strength {
  if (isHeldOut) return "held-out";
  if (report === null) return "exit-status";
  return report.channel === "plain" ? "printed" : "in-process";
}

interface Opinion {
  readonly status: "met" | "unmet" | "error";
  readonly reason: string;
  readonly gate?: string;
  /** That failed. */
  readonly tests?: readonly string[];
  readonly missing?: readonly string[];
}

function opinionOf({ run, report, fault }: CheckResult, base: BaseRecord, off: ReadonlySet<Gate>): Opinion {
  if (fault !== null) return { status: "error", reason: fault };
  switch (run.ending) {
    case "timed_out":
      return unmet("wall-limit", `it ran longer than ${Math.round(base.wallMs / 1000)} s and was ended`);
    case "out_of_memory":
      return unmet("memory", "it used more memory than a sandbox has and was ended");
    case "cancelled":
    case "refused":
    case "sandbox_lost":
      return { status: "error", reason: `the run ended as ${run.ending}` };
    case "exited":
      if (report !== null) return byReport(run.exit_code, report, base, off);
      if (run.exit_code === 0 && base.runner !== null && !off.has("record"))
        return unmet("record", "the run has left no record");
      return byExit(run.exit_code);
  }
}

function byExit(exitCode: number | null): Opinion {
  return exitCode === 0
    ? { status: "met", reason: "exit status 0" }
    : { status: "unmet", reason: exitCode === null ? "it was killed" : `exit status ${exitCode}` };
}

/** Exit 0 is not enough, and another one is too much unless the base's own failures are all there is to it. */
function byReport(
  exitCode: number | null,
  report: TestReport,
  base: BaseRecord,
  off: ReadonlySet<Gate>,
): Opinion {
  const failed = idsOf(report.tests, "failed");
  const serious = failed.filter((id) => !base.exempt.has(id));
  const isExcused = exitCode !== null && isSound(report) && failed.length > 0 && serious.length === 0;
  if (exitCode !== 0 && !isExcused) {
    const how = byExit(exitCode).reason;
    return serious.length === 0
      ? { status: "unmet", reason: problemsOf(how, report) }
      : { status: "unmet", reason: `${how}; failed`, tests: serious };
  }
  const objections = [...toTheRecord(report), ...toTheTests(exitCode, serious, report, base)];
  const passed = idsOf(report.tests, "passed").length;
  const met: Opinion = { status: "met", reason: `${passed} ${passed === 1 ? "test" : "tests"} passed` };
  return objections.find(({ gate }) => !off.has(gate)) ?? met;
}

function isSound({ isComplete, problems }: TestReport): boolean {
  return isComplete && problems.length === 0;
}

type Objection = Opinion & { readonly gate: Gate };

function* toTheRecord(report: TestReport): Generator<Objection> {
  if (!isSound(report)) yield unmet("record", problemsOf("the record of the run is not whole", report));
  if (report.canary === "passed")
    yield unmet("canary", "an assertion that has to fail passed in the process that ran the tests");
  if (report.canary === "missing")
    yield unmet("canary", "the process that ran the tests did not come to its last assertion");
}

/** Whatever has passed once goes on existing and passing. */
function* toTheTests(
  exitCode: number | null,
  serious: readonly string[],
  report: TestReport,
  base: BaseRecord,
): Generator<Objection> {
  const { tests } = report;
  if (serious.length > 0) yield unmet("failed-tests", `exit status ${exitCode}, but failed`, serious);
  const passed = idsOf(tests, "passed");
  const known = new Set(passed);
  const missing = base.passing.filter((id) => !known.has(id));
  if (missing.length > 0) {
    const reason = `${missing.length} tests of the base were not reported as passed`;
    yield { ...unmet("base-tests", reason), missing };
  }
  const open = base.role === "earn" ? base.failing.filter((id) => !isEarned(id, report, base)) : [];
  if (open.length > 0) {
    const reason = `${open.length} tests that failed on the base were not reported as passed`;
    yield { ...unmet("earned-tests", reason), missing: open };
  }
  if (passed.length === 0) yield unmet("no-tests", "no test was reported as passed");
  const changing = passed.length - base.passing.length;
  if (changing < base.unstable) {
    const reason = `of the tests whose names change, ${changing} were reported as passed; on the base it were ${base.unstable}`;
    yield unmet("test-count", reason);
  }
}

/**
 * A file that could not be loaded on the base has no tests there; then those that it has now count in its place. So do
 * the assertions of a TAP test: one that says what must not happen has a name only where it happens.
 */
function isEarned(id: string, { runner, tests }: TestReport, { passing }: BaseRecord): boolean {
  const same = tests.filter((test) => test.id === id);
  if (same.length > 0) return same.every(({ status }) => status === "passed");
  const place = fileOfId(id);
  if (runner !== "tap" && passing.some((other) => fileOfId(other) === place)) return false;
  const others = tests.filter((test) => fileOfId(test.id) === place).map((test) => test.status);
  return others.includes("passed") && !others.includes("failed");
}

function idsOf(tests: readonly TestResult[], status: TestResult["status"]): string[] {
  return tests.filter((test) => test.status === status).map(({ id }) => id);
}

function unmet<Name extends string>(
  gate: Name,
  reason: string,
  tests: readonly string[] = [],
): Opinion & { readonly gate: Name } {
  return { status: "unmet", gate, reason, tests };
}

function problemsOf(what: string, { problems }: TestReport): string {
  return problems.length === 0 ? what : `${what}: ${problems.slice(0, NAMED_TESTS_MAX).join("; ")}`;
}

function listed(ids: readonly string[]): string {
  const named = ids.slice(0, NAMED_TESTS_MAX).map(shortened).join(" · ");
  return ids.length > NAMED_TESTS_MAX ? `${named} · and ${ids.length - NAMED_TESTS_MAX} more` : named;
}

/** Names are as long as whoever wrote the tests likes. */
function shortened(id: string): string {
  return id.length > NAME_LENGTH_MAX ? `${id.slice(0, NAME_LENGTH_MAX)}…` : id;
}
