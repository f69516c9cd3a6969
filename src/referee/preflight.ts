/** The preflight: the contract's checks on the base, each of them twice, before the first model request. */
import type { Check, Contract, Criterion } from "../core/contract/contract.ts";
import { isNightshiftError, messageOf } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import { absentFrom } from "./absent.ts";
import { isUnreadable, learnTests, statusOf } from "./base-runs.ts";
import { faultCodeOf, type Problem, whyNot, withoutItsParts } from "./cannot-run.ts";
import type { RunnerMatch, TestReport, TreeReader } from "./contract.ts";
import type { CheckResult } from "./gates.ts";
import { BASE_WALL_MS, NAMED_TESTS_MAX, PARALLEL_MAX, WALL_FACTOR, WALL_MS_MIN } from "./limits.ts";
import { missingLockfile } from "./lockfiles.ts";
import type { PreflightRequest, RefereeParts } from "./parts.ts";
import { isFatal, runCheck } from "./run-check.ts";
import { preflightText } from "./tell.ts";
import { idMatcher, readIds, writeIds } from "./test-ids.ts";
import { type CheckWorld, inParallel, openWorld } from "./world.ts";

type Finished = EventBody<"preflight.finished">;
type Found = Finished["criteria"][number];

const RUNS = 2;

/** A criterion that a command can show. */
type Checked = Criterion & { readonly check: Check };

/**
 * Runs the checks on the base. What cannot run is a problem with its cause and the next step; a check that runs and is
 * red is what there is to be earned.
 * @throws NightshiftError `E_SANDBOX_STALE` for one who has been replaced; what the signal aborts with
 */
export async function runPreflight(
  parts: RefereeParts,
  request: PreflightRequest,
  signal: AbortSignal,
): Promise<Finished> {
  const startedMs = parts.clock.monotonicMs();
  const { base, contract } = request;
  const outcome = await tryPreflight(parts, request, signal);
  const { criteria, problems } = outcome;
  return {
    commit: base,
    criteria: [...criteria],
    problems: [...problems],
    ...(problems.length === 0 && {
      content: [{ type: "text" as const, text: preflightText(contract, outcome.criteria) }],
    }),
    duration_ms: Math.round(parts.clock.monotonicMs() - startedMs),
  };
}

interface Outcome {
  readonly criteria: readonly Found[];
  readonly problems: readonly Problem[];
}

async function tryPreflight(
  parts: RefereeParts,
  request: PreflightRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  const { sessionId, base, contract } = request;
  const missing = missingHeldOut(parts, contract);
  if (missing.length > 0) return { criteria: [], problems: missing };
  const reader = parts.trees.reader(sessionId, base, signal);
  let world: CheckWorld;
  try {
    const own = { base, candidate: base, contract, matches: [], approved: new Set<string>() };
    const { baseTree } = await parts.trees.compose(sessionId, own, signal);
    world = await openWorld(parts, request, baseTree, signal);
    const learn = (criterion: Checked): Promise<Outcome> =>
      learnCriterion(world, contract, criterion, baseTree, reader, signal);
    const outcomes = await inParallel(checkedOf(contract), PARALLEL_MAX, learn);
    const problems = [...outcomes.flatMap((each) => each.problems), ...unknownTests(contract, outcomes)];
    return { criteria: outcomes.flatMap(({ criteria }) => criteria), problems };
  } catch (error) {
    signal.throwIfAborted();
    if (isFatal(error)) throw error;
    return { criteria: [], problems: [setUpProblem(error)] };
  }
}

function checkedOf({ criteria }: Contract): readonly Checked[] {
  return criteria.filter((criterion): criterion is Checked => criterion.check !== null);
}

function missingHeldOut(parts: RefereeParts, contract: Contract): readonly Problem[] {
  return checkedOf(contract).flatMap(({ id, check }) =>
    check.held_out === undefined || parts.heldOut(check.held_out.digest) !== undefined
      ? []
      : [
          {
            code: "held_out_missing",
            criterion: id,
            message: `criterion ${id}: its held-out files (${check.held_out.digest.slice(0, 12)}) are not on this machine; begin again with --held-out and the folder that has them`,
          },
        ],
  );
}

function setUpProblem(error: unknown): Problem {
  const hint = isNightshiftError(error) ? ` ${error.hint}` : "";
  return {
    code: faultCodeOf(error),
    message: `what the checks need could not be made: ${messageOf(error)}.${hint}`.slice(0, 4000),
  };
}

async function learnCriterion(
  world: CheckWorld,
  contract: Contract,
  criterion: Checked,
  tree: string,
  reader: TreeReader,
  signal: AbortSignal,
): Promise<Outcome> {
  const { check } = criterion;
  const match = await world.parts.runners.match(check, reader);
  const wallMs = contract.limits.check_ms ?? BASE_WALL_MS;
  const results: CheckResult[] = [];
  for (let run = 1; run <= RUNS; run++) {
    const task = {
      check,
      match,
      tree,
      extra: extraOf(world.parts, check),
      wallMs,
      services: contract.services,
    };
    const result = await runCheck(world, task, signal);
    results.push(result);
    const problem = whyNot(criterion, match, result, wallMs);
    if (problem === undefined) continue;
    const lockfile =
      world.parts.surroundings === null ? undefined : await missingLockfile(reader, check.folder);
    const problems = [lockfile === undefined ? problem : { ...problem, ...lockfile }];
    return { criteria: [], problems };
  }
  const found = foundOf(criterion, match, results, wallOf(contract, results));
  const absent = criterion.role === "earn" || isGreen(results) ? undefined : await absentFrom(check, reader);
  return absent === undefined ? found : { criteria: [], problems: [withoutItsParts(criterion, absent)] };
}

function isGreen(results: readonly CheckResult[]): boolean {
  return statusOf(results) !== "failed";
}

/** Held-out files of a check, for one sandbox. */
export function extraOf(
  parts: Pick<RefereeParts, "heldOut">,
  { held_out: heldOut }: Check,
): { readonly folder: string; readonly target: string } | null {
  if (heldOut === undefined) return null;
  const folder = parts.heldOut(heldOut.digest);
  return folder === undefined ? null : { folder, target: heldOut.target };
}

function wallOf({ limits }: Contract, results: readonly CheckResult[]): number {
  const longest = Math.max(...results.map(({ run }) => run.duration_ms));
  return limits.check_ms ?? Math.max(WALL_MS_MIN, WALL_FACTOR * longest);
}

function foundOf(
  criterion: Checked,
  match: RunnerMatch | null,
  results: readonly CheckResult[],
  wallMs: number,
): Outcome {
  const isKnown = match !== null && !isUnreadable(results);
  const reports = results.flatMap(({ report }): TestReport[] => (report === null ? [] : [report]));
  const tests = learnTests(isKnown && reports.length === results.length ? reports : []);
  const status = statusOf(results);
  const isExempt = idMatcher(criterion.check.exempt ?? []);
  const passing = tests.passing.filter((id) => !isExempt(id));
  const open = tests.failing.filter((id) => !isExempt(id));
  // What fails may be all that nobody asks for.
  const isExcused = tests.failing.length > 0 && open.length === 0;
  const isKept = (criterion.role === "keep" || isExcused) && isKnown && passing.length > 0;
  const role = status === "failed" && !isKept ? "earn" : "keep";
  const named = [...tests.passing, ...tests.failing].filter(isExempt);
  const found: Found = {
    criterion: criterion.id,
    status,
    role,
    runs: results.map(({ run }) => ({
      ...run,
      ...(!isKnown && { runner: null }),
      ...(criterion.check.held_out !== undefined && { output: "" }),
    })),
    passing: writeIds(passing),
    failing: writeIds(role === "earn" ? open : []),
    exempt: writeIds([...new Set([...named, ...(role === "earn" ? [] : open), ...tests.flaking])]),
    unstable: tests.unstable,
    wall_ms: wallMs,
  };
  return { criteria: [found], problems: contradiction(criterion, role) };
}

/** A pattern that names no test is a mistake; without all the checks' records nobody can tell. */
function unknownTests(contract: Contract, outcomes: readonly Outcome[]): readonly Problem[] {
  const criteria = outcomes.flatMap((each) => each.criteria);
  const checks = checkedOf(contract).flatMap(({ check }) => check);
  if (criteria.length < checks.length) return [];
  const exempt = criteria.flatMap((each) => readIds(each.exempt));
  const failing = criteria.flatMap((each) => readIds(each.failing));
  const lost = new Set(checks.flatMap((check) => check.exempt ?? []));
  for (const pattern of lost) if (exempt.some(idMatcher([pattern]))) lost.delete(pattern);
  const there =
    failing.length === 0 ? "" : `; those that fail: ${failing.slice(0, NAMED_TESTS_MAX).join(" · ")}`;
  return [...lost].map((pattern) => ({
    code: "exempt_unknown",
    message: `no known runner has reported a test that ${JSON.stringify(pattern)} names${there}`.slice(
      0,
      4000,
    ),
  }));
}

/** What a person has said of the base must be so, or they are wrong about what is shown. */
function contradiction({ id, role, check }: Checked, learnt: "earn" | "keep"): readonly Problem[] {
  if (role === null || role === learnt) return [];
  const command = `\`${check.argv.join(" ").slice(0, 200)}\``;
  const message =
    role === "earn"
      ? `criterion ${id} is to be earned, but ${command} is green on the base already; name a check that fails now, or make it a \`keep\``
      : `criterion ${id} is to be kept, but ${command} is red on the base; mend it first, or make it an \`earn\``;
  return [{ code: role === "earn" ? "already_green" : "already_red", criterion: id, message }];
}
