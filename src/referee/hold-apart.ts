/** A run that has lost tests, judged by what is none of the looked-at files': the effects; what is asked is in apart.ts. */
import type { Check } from "../core/contract/contract.ts";
import { type EventBody, event } from "../core/events/index.ts";
import {
  type Apart,
  hasTests,
  mayBeExcused,
  recordApart,
  whatLoadsOthers,
  withoutLookedAt,
} from "./apart.ts";
import type { TreeReader } from "./contract.ts";
import type { Evidence } from "./evidence.ts";
import { type BaseRecord, type CheckResult, type Judgement, judgeRun } from "./gates.ts";
import type { Gate } from "./gates-list.ts";
import { REASON_LENGTH_MAX } from "./limits.ts";
import { type CheckTask, runCheck } from "./run-check.ts";
import { readIds, writeIds } from "./test-ids.ts";
import type { CheckWorld } from "./world.ts";

type Checked = EventBody<"referee.checked">;

/** A run, and what it is held against. */
export interface RunToJudge {
  readonly verdict: number;
  readonly criterion: string;
  readonly check: Check;
  readonly pass: Checked["pass"];
  readonly task: CheckTask;
  readonly result: CheckResult;
  readonly base: BaseRecord;
  /** Files that a person looks at, or has approved. */
  readonly looked: ReadonlySet<string>;
  readonly baseTree: string;
  readonly reader: TreeReader;
  readonly off: ReadonlySet<Gate>;
}

/** Everything is a fact in the log before the answer relies on it. */
export async function judgeApart(
  world: CheckWorld,
  run: RunToJudge,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<Judgement> {
  const { result, base, looked, off } = run;
  const { trees } = world.parts;
  const judged = judgeRun(result, base, isHeldOut(run), off);
  if (looked.size === 0 || !mayBeExcused(judged, base)) return judged;
  const { record, problem } = await attributed(world, run, evidence, signal);
  if (record === null) {
    const which = [...looked].slice(0, 5).join(", ");
    const more = `; which tests are those of ${which} nobody can tell: ${problem}`;
    return { ...judged, reason: `${judged.reason}${more}`.slice(0, REASON_LENGTH_MAX) };
  }
  const rest = await trees.without(world.sessionId, run.task.tree, looked, signal);
  if (rest !== undefined && hasTests(record)) await checkRest(world, run, rest, record, evidence, signal);
  // Where the candidate has nothing in these files, the whole run is that of the rest.
  const asked = rest === undefined && hasTests(record) ? record : withoutLookedAt(base, record);
  return judgeRun(result, asked, isHeldOut(run), off);
}

function isHeldOut({ check }: RunToJudge): boolean {
  return check.held_out !== undefined;
}

/** Learnt once for the same files. */
async function attributed(
  world: CheckWorld,
  run: RunToJudge,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<Apart> {
  const { criterion, looked, base, check, task } = run;
  const paths = [...looked].sort();
  const known = evidence.attributed.find(
    ({ body }) => body.criterion === criterion && body.paths.join("\0") === paths.join("\0"),
  );
  if (known !== undefined) return apartOf(known.body, base);
  const { trees } = world.parts;
  const tree = await trees.without(world.sessionId, run.baseTree, looked, signal);
  const loads = await whatLoadsOthers(run.reader, looked);
  const results: CheckResult[] = [];
  // A file that the base does not have holds none of its tests.
  for (let count = 0; count < RUNS && loads === null && tree !== undefined; count++)
    results.push(await runCheck(world, { ...task, tree }, signal));
  const apart: Apart =
    loads === null
      ? tree === undefined
        ? { record: base, problem: null }
        : recordApart(base, results, check.exempt ?? [])
      : { record: null, problem: loads };
  const { passing = [], failing = [], exempt = [] } = apart.record ?? {};
  await evidence.add(
    event("referee.attributed", {
      ...{ verdict: run.verdict, criterion, paths, tree: tree ?? run.baseTree },
      runs: results.map(({ run: each }) => (isHeldOut(run) ? { ...each, output: "" } : each)),
      ...{ passing: writeIds(passing), failing: writeIds(failing), exempt: writeIds([...exempt]) },
      ...(apart.problem !== null && { problem: apart.problem }),
    }),
  );
  return apart;
}

const RUNS = 2;

function apartOf(body: EventBody<"referee.attributed">, base: BaseRecord): Apart {
  if (body.problem !== undefined) return { record: null, problem: body.problem };
  const [passing, failing] = [readIds(body.passing), readIds(body.failing)];
  return {
    record: { ...base, passing, failing, exempt: new Set(readIds(body.exempt)), unstable: 0 },
    problem: null,
  };
}

/** The candidate without the looked-at files has to report what the base does without them. */
async function checkRest(
  world: CheckWorld,
  run: RunToJudge,
  tree: string,
  record: BaseRecord,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<void> {
  const { task, criterion } = run;
  const isKnown = evidence.checked.some(({ body }) => body.criterion === criterion && body.tree === tree);
  if (isKnown) return;
  const result = await runCheck(world, { ...task, tree }, signal);
  const judged = judgeRun(result, record, isHeldOut(run), run.off);
  const reason = `without the files that a person looks at: ${judged.reason}`.slice(0, REASON_LENGTH_MAX);
  await evidence.add(checkedFact({ ...run, task: { ...task, tree }, result }, { ...judged, reason }));
}

/** What is logged of a run. */
export function checkedFact(
  {
    verdict,
    criterion,
    check,
    pass,
    task,
    result,
  }: Pick<RunToJudge, "verdict" | "criterion" | "check" | "pass" | "task" | "result">,
  { status, strength, reason, gate, missing }: Judgement,
) {
  const isSecret = check.held_out !== undefined;
  return event("referee.checked", {
    ...{ verdict, criterion, pass, tree: task.tree, command: check.argv },
    run: isSecret ? { ...result.run, output: "", counts: null } : result.run,
    output_hash: result.outputHash,
    ...{ strength, status, reason },
    ...(gate !== undefined && { gate }),
    missing: [...missing],
  });
}
