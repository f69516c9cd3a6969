/** Why a check cannot run on the base at all, with the next step; a check that runs and fails is no problem. */
import type { Criterion } from "../core/contract/contract.ts";
import { isNightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Absent } from "./absent.ts";
import type { RunnerMatch } from "./contract.ts";
import type { CheckResult, ProblemCode } from "./gates.ts";

/** One reason why work cannot begin. */
export type Problem = EventBody<"preflight.finished">["problems"][number];

const FAULT_CODES: Readonly<Record<string, ProblemCode>> = {
  E_LAYER_FAILED: "setup_failed",
  E_SOURCE_REFUSED: "setup_failed",
  E_CONFIG: "setup_failed",
  E_TOOLCHAIN_MISSING: "toolchain_missing",
  E_SANDBOX_UNAVAILABLE: "sandbox_unavailable",
  E_SANDBOX_LOST: "sandbox_lost",
};

/** What kind of thing went wrong on our side. */
export function faultCodeOf(error: unknown): ProblemCode {
  return isNightshiftError(error) ? (FAULT_CODES[error.code] ?? "failed") : "failed";
}

const COMMAND_NOT_EXECUTABLE = 126;
const COMMAND_NOT_FOUND = 127;
const SHOWN_LENGTH = 1500;
/** How node and Python say that what was to be loaded is not there. */
const NOT_INSTALLED =
  /Cannot find (?:module|package) ['"]([^'"]+)['"]|No module named ['"]?([\w.]+)['"]?|ERR_MODULE_NOT_FOUND/;

/** How runners say that a path or pattern leads to nothing. */
const NO_TESTS = /^Could not find '|No test files? found|No tests? found|no tests ran|collected 0 items/im;

/** @returns undefined when the check ran, whatever came of it */
export function whyNot(
  criterion: Criterion,
  match: RunnerMatch | null,
  result: CheckResult,
  wallMs: number,
): Problem | undefined {
  const problem = (code: ProblemCode, text: string): Problem => ({
    code,
    criterion: criterion.id,
    message: `criterion ${criterion.id}: ${text}`.slice(0, 4000),
  });
  const command = `\`${criterion.check?.argv.join(" ").slice(0, 200) ?? ""}\``;
  const tail = tailOf(result);
  const shown = tail === "" ? "" : `. It printed: ${tail}`;
  if (result.fault !== null)
    return problem(result.faultCode ?? "failed", `${command} could not be run: ${result.fault}`);
  switch (result.run.ending) {
    case "timed_out":
      return problem(
        "timed_out",
        `${command} did not end within ${Math.round(wallMs / 1000)} s; name a faster check, or a longer limit (check_ms)${shown}`,
      );
    case "out_of_memory":
      return problem("out_of_memory", `${command} used more memory than a sandbox has${shown}`);
    case "exited":
      break;
    default:
      return problem("sandbox_lost", `${command} ended as ${result.run.ending}`);
  }
  switch (result.run.exit_code) {
    case 0:
      return undefined;
    case COMMAND_NOT_FOUND:
      if (isToBeMade(criterion)) return undefined;
      return problem(
        "not_found",
        `${command} was not found; correct the command, or add what has it to the dependencies or with --mount${shown}`,
      );
    case COMMAND_NOT_EXECUTABLE:
      return problem("not_executable", `${command} is not executable; run \`chmod +x\` and commit${shown}`);
    default:
      return match === null ? undefined : withoutTests(criterion, match, result, problem, shown);
  }
}

/** Whoever adds what it is made of would decide alone when it is green, unless a person wants it so. */
export function withoutItsParts({ id, check }: Criterion, { name }: Absent): Problem {
  const command = `\`${check?.argv.join(" ").slice(0, 200) ?? ""}\``;
  const message = `criterion ${id}: ${command} is red because ${name} is not there; correct the check, or commit it first. If the work is to bring it, say \`"role": "earn"\` in a contract`;
  return { code: "not_found", criterion: id, message: message.slice(0, 4000) };
}

/** Somebody said that it is to be earned, and it is a program of the project's own. */
function isToBeMade({ role, check }: Criterion): boolean {
  return role === "earn" && check !== null && !check.shell && (check.argv[0]?.includes("/") ?? false);
}

/** A known runner that ended without a single test did not get as far as the project's tests. */
function withoutTests(
  { role }: Criterion,
  { kind }: RunnerMatch,
  { run, report }: CheckResult,
  problem: (code: ProblemCode, text: string) => Problem,
  shown: string,
): Problem | undefined {
  if (report === null || report.tests.length > 0) return undefined;
  const missing = NOT_INSTALLED.exec(textOf(run.output));
  if (!report.isComplete && missing !== null && isRunner(kind, missing[1] ?? missing[2] ?? "")) {
    return problem(
      "runner_missing",
      `the test runner ${kind} is not there; add it to the dependencies and commit the lockfile${shown}`,
    );
  }
  if ((report.isComplete || NO_TESTS.test(textOf(run.output))) && role !== "earn")
    return problem("no_tests", `${kind} found no tests; correct the path or pattern in the check${shown}`);
  return undefined;
}

function isRunner(kind: RunnerMatch["kind"], missing: string): boolean {
  return missing === kind || missing.startsWith(`${kind}/`) || missing.includes(`/node_modules/${kind}/`);
}

function tailOf({ run }: CheckResult): string {
  return textOf(run.output).trim().slice(-SHOWN_LENGTH);
}

/** What a run has printed is a string until it is stored. */
function textOf(output: CheckResult["run"]["output"]): string {
  return typeof output === "string" ? output : "";
}
