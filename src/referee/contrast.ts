/**
 * Tests that the worker has written, on the base's own sources: one that passes there, too, shows nothing of the work.
 * That is no reason to refuse it (a test may well hold on to what was right), so it is only said.
 */
import type { Check, Criterion } from "../core/contract/contract.ts";
import { messageOf } from "../core/errors.ts";
import { type EventBody, event } from "../core/events/index.ts";
import type { ChangedFile } from "../workspace/contract.ts";
import type { RunnerMatch } from "./contract.ts";
import type { Evidence } from "./evidence.ts";
import type { BaseRecord, CheckResult } from "./gates.ts";
import { REASON_LENGTH_MAX, WALL_MS_MIN } from "./limits.ts";
import type { VerdictRequest } from "./parts.ts";
import { isFatal, runCheck } from "./run-check.ts";
import { writeIds } from "./test-ids.ts";
import { isInTestFolder, testFileMatcher } from "./tree/test-files.ts";
import type { CheckWorld } from "./world.ts";

/** The work whose tests these are. */
export interface ContrastedWork
  extends Pick<VerdictRequest, "sessionId" | "number" | "base" | "commit" | "contract"> {
  readonly changed: readonly ChangedFile[];
  readonly matches: ReadonlyMap<string, RunnerMatch>;
  readonly records: ReadonlyMap<string, BaseRecord>;
}

type Contrasted = Omit<EventBody<"referee.contrasted">, "verdict" | "criterion" | "paths">;

/** Once every check is met, for each criterion that has tests which can be told apart. */
export async function contrastNewTests(
  world: CheckWorld,
  work: ContrastedWork,
  criteria: readonly Criterion[],
  evidence: Evidence,
  signal: AbortSignal,
): Promise<void> {
  if (!criteria.every(({ id }) => isMet(id, evidence))) return;
  for (const { id, check } of criteria) {
    const match = work.matches.get(id);
    const record = work.records.get(id);
    const isKnown = evidence.contrasted.some(({ body }) => body.criterion === id);
    if (isKnown || check === null || check.held_out !== undefined) continue;
    if (match === undefined || record === undefined || record.runner === null) continue;
    const paths = filesOfTests(work.changed, match);
    if (paths.length === 0) continue;
    const found = await contrast(world, work, { check, match, record, paths }, signal);
    await evidence.add(event("referee.contrasted", { verdict: work.number, criterion: id, paths, ...found }));
  }
}

function isMet(criterion: string, { checked }: Evidence): boolean {
  const runs = checked.filter(({ body }) => body.criterion === criterion);
  return runs.length > 0 && runs.every(({ body }) => body.status === "met");
}

/** With what is beside them; none, where no test is new or another one. */
function filesOfTests(changed: readonly ChangedFile[], match: RunnerMatch): string[] {
  const isTest = testFileMatcher([match]);
  const there = changed.filter(({ change }) => change !== "deleted").map(({ path }) => path);
  if (!there.some(isTest)) return [];
  return there.filter((path) => isTest(path) || isInTestFolder(path)).sort();
}

interface Subject {
  readonly check: Check;
  readonly match: RunnerMatch;
  readonly record: BaseRecord;
  readonly paths: readonly string[];
}

async function contrast(
  world: CheckWorld,
  work: ContrastedWork,
  { check, match, record, paths }: Subject,
  signal: AbortSignal,
): Promise<Contrasted> {
  // A longer limit than the least comes from a base run of more than three minutes.
  if (record.wallMs > WALL_MS_MIN) return untold("they take too long to be run once more");
  if (record.unstable > 0) return untold("their names change from run to run");
  const { sessionId, base, commit } = work;
  try {
    const tree = await world.parts.trees.withFiles(sessionId, base, commit, new Set(paths), signal);
    const task = { check, match, tree, extra: null, wallMs: record.wallMs, services: work.contract.services };
    return { tree, ...told(await runCheck(world, task, signal), record) };
  } catch (error) {
    signal.throwIfAborted();
    if (isFatal(error)) throw error;
    return untold(messageOf(error));
  }
}

function told({ run, report, fault }: CheckResult, record: BaseRecord): Omit<Contrasted, "tree"> {
  if (fault !== null || report === null)
    return {
      run,
      tests: 0,
      passing: "",
      problem: (fault ?? "the run left no record").slice(0, REASON_LENGTH_MAX),
    };
  const known = new Set([...record.passing, ...record.failing, ...record.exempt]);
  const added = report.tests.filter(({ id }) => !known.has(id));
  const passing = added.filter(({ status }) => status === "passed").map(({ id }) => id);
  return { run, tests: added.length, passing: writeIds(passing) };
}

function untold(problem: string): Contrasted {
  return { tree: null, run: null, tests: 0, passing: "", problem: problem.slice(0, REASON_LENGTH_MAX) };
}
