/** Runs one check in a sandbox of its own, and reads what came of it when nothing in there can write any more. */
import { hash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Check, CheckRun, Service } from "../core/contract/contract.ts";
import { isNightshiftError, messageOf } from "../core/errors.ts";
import type { ExecResult, Mount } from "../sandbox/contract.ts";
import type { WorkspaceFiles } from "../workspace/contract.ts";
import { faultCodeOf } from "./cannot-run.ts";
import type { InstrumentedCheck, RunnerMatch, TestReport } from "./contract.ts";
import type { CheckResult, ProblemCode } from "./gates.ts";
import { ATTEMPTS_MAX, REASON_LENGTH_MAX } from "./limits.ts";
import { Commands, inSandbox } from "./sandboxes.ts";
import { shellCommand } from "./shell-command.ts";
import type { CheckWorld } from "./world.ts";

/** One run of one check. */
export interface CheckTask {
  readonly check: Check;
  /** Null: only the exit status counts. */
  readonly match: RunnerMatch | null;
  readonly tree: string;
  /** Files that the worker never sees. */
  readonly extra: { readonly folder: string; readonly target: string } | null;
  readonly wallMs: number;
  /** Run beside it. */
  readonly services: readonly Service[];
}

/** Where the reporters and the folder of a run are, in sandboxes with a view of their own. */
const INNER_TOOLS = "/referee/tools";
const INNER_EXCHANGE = "/referee/exchange";
/** More chance in it than the key can hold. */
const KEY_LENGTH = 64;

/**
 * Runs it, and once more when that went wrong on our side; what goes wrong then is in the result.
 * @throws NightshiftError `E_SANDBOX_STALE` for a referee that has been replaced; what the signal aborts with
 */
export async function runCheck(
  world: CheckWorld,
  task: CheckTask,
  signal: AbortSignal,
): Promise<CheckResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await tryCheck(world, task, signal);
    if (result.fault === null || attempt >= ATTEMPTS_MAX) return result;
  }
}

async function tryCheck(world: CheckWorld, task: CheckTask, signal: AbortSignal): Promise<CheckResult> {
  try {
    return await runOnce(world, task, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isFatal(error)) throw error;
    return faultResult(task, messageOf(error), faultCodeOf(error));
  }
}

/** Going on would be wrong: somebody else judges now, a cap is reached, or this program is broken. */
export function isFatal(error: unknown): boolean {
  const codes = ["E_SANDBOX_STALE", "E_CAP_REACHED", "E_INTERNAL"] as const;
  return codes.some((code) => isNightshiftError(error, code));
}

/** Nothing is known of the candidate. */
export function faultResult(
  { match }: Pick<CheckTask, "match">,
  fault: string,
  faultCode: ProblemCode,
): CheckResult {
  const run: CheckRun = {
    ending: "sandbox_lost",
    exit_code: null,
    duration_ms: 0,
    runner: match?.kind ?? null,
    counts: null,
    output: "",
  };
  const short = fault.slice(0, REASON_LENGTH_MAX);
  return { run, report: null, outputHash: sha256(""), fault: short, faultCode };
}

async function runOnce(world: CheckWorld, task: CheckTask, signal: AbortSignal): Promise<CheckResult> {
  const { parts } = world;
  const files = await parts.trees.open(world.sessionId, task.tree, task.extra, signal);
  try {
    const exchange = join(parts.scratch, `run-${parts.chance.unique(12)}`);
    mkdirSync(exchange, { recursive: true, mode: 0o700 });
    try {
      return await runOn(world, task, files.files, exchange, signal);
    } finally {
      rmSync(exchange, { recursive: true, force: true });
    }
  } finally {
    await files.close();
  }
}

async function runOn(
  world: CheckWorld,
  task: CheckTask,
  files: WorkspaceFiles,
  exchange: string,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { runners, isIsolated } = world.parts;
  const { match } = task;
  const mounts: readonly Mount[] = [
    { source: runners.toolsFolder, target: INNER_TOOLS, access: "read-only" },
    { source: exchange, target: INNER_EXCHANGE, access: "read-write" },
  ];
  const content = { files, mounts: isIsolated && match !== null ? mounts : [] };
  const { result, ran } = await inSandbox(
    world,
    content,
    async (sandbox) => {
      const commands = new Commands(world, sandbox, task.wallMs, signal);
      if (match !== null) return await runInstrumented(world, task, match, exchange, commands);
      const unready = await commands.serve(task.services);
      return { result: unready ?? (await commands.run(shellCommand(task.check))), ran: null };
    },
    signal,
  );
  // The sandbox is gone: what is in the exchange folder now stays as it is.
  const report = ran === null ? null : await ran.instrumented.report(ran.result);
  return { run: runOf(result, match, report), report, outputHash: sha256(result.output), fault: null };
}

/** The whole run, and the part of it that is the test runner's; null when that was not come to. */
interface Ran {
  readonly result: ExecResult;
  readonly ran: { readonly instrumented: InstrumentedCheck; readonly result: ExecResult } | null;
}

/** What the script runs before and after the runner is the worker's code, so the key is there in between only. */
async function runInstrumented(
  { parts }: CheckWorld,
  { check, services }: CheckTask,
  match: RunnerMatch,
  exchange: string,
  commands: Commands,
): Promise<Ran> {
  const { runners, isIsolated, chance } = parts;
  const { before, after } = runners.around(match);
  for (const command of before) {
    const result = await commands.run(command);
    if (!isGreen(result)) return { result: commands.total(result), ran: null };
  }
  const unready = await commands.serve(services);
  if (unready !== null) return { result: unready, ran: null };
  const instrumented = await runners.instrument({
    match,
    check,
    innerTools: isIsolated ? INNER_TOOLS : runners.toolsFolder,
    exchange: { outer: exchange, inner: isIsolated ? INNER_EXCHANGE : exchange },
    key: sha256(chance.unique(KEY_LENGTH)),
  });
  const own = await commands.run(instrumented.command, instrumented.environment);
  let last = own;
  for (const command of after) if (isGreen(last)) last = await commands.run(command);
  return { result: commands.total(last), ran: { instrumented, result: own } };
}

function isGreen({ ending, exitCode }: ExecResult): boolean {
  return ending === "exited" && exitCode === 0;
}

function runOf(result: ExecResult, match: RunnerMatch | null, report: TestReport | null): CheckRun {
  const count = (status: string): number =>
    report?.tests.filter((test) => test.status === status).length ?? 0;
  return {
    ending: result.ending,
    exit_code: result.exitCode,
    duration_ms: Math.round(result.durationMs),
    runner: match?.kind ?? null,
    counts:
      report === null
        ? null
        : { passed: count("passed"), failed: count("failed"), skipped: count("skipped") },
    output: result.output,
  };
}

function sha256(text: string): string {
  return hash("sha256", text, "hex");
}
