/** What a verdict does not show, said plainly. Nobody is to read more into "met" than there is. */

import type { Findings } from "./findings.ts";
import { baseRecords } from "./gates.ts";
import type { VerdictRequest } from "./parts.ts";
import { readIds } from "./test-ids.ts";

const GAP_LENGTH_MAX = 1000;
const NAMED_FILES_MAX = 5;
/** Tests that a sentence names. */
const IDLE_TESTS_MAX = 5;

/** One sentence each. */
export function gapsOf(request: VerdictRequest, findings: Findings): readonly string[] {
  const gaps = [
    ...ofContract(request),
    ...ofJudge(request, findings),
    ...ofBase(request, findings),
    ...ofNewTests(findings),
    ...ofPlace(findings),
  ];
  return gaps.map((gap) => gap.slice(0, GAP_LENGTH_MAX));
}

function* ofContract({ contract, preflight }: VerdictRequest): Generator<string> {
  const checks = contract.criteria.filter(({ check }) => check !== null);
  const earned = preflight.criteria.filter(({ role }) => role === "earn");
  const hasRubric = contract.criteria.some(({ rubric }) => rubric.length > 0);
  if (checks.length > 0 && earned.length === 0 && !hasRubric)
    yield "no regression shown; goal not checked: every check was green before the work began";
  if (contract.services.length > 0 && checks.length > 0)
    yield "services run beside the checks as the same user: one that the agent has written could meddle with them";
  if (checks.length > 0 && checks.every(({ check }) => check?.held_out === undefined))
    yield "no held-out checks: answers that were looked up cannot be excluded";
  const judged = contract.criteria.filter(({ rubric }) => rubric.length > 0);
  if (judged.length > 0)
    yield `${idsOf(judged)}: rests on the judgement of a model, which no command can show`;
}

function* ofJudge({ workerModels = [] }: VerdictRequest, { graded }: Findings): Generator<string> {
  // Several judges are named together.
  const own = graded.filter(({ body }) =>
    body.model.split(", ").every((model) => workerModels.includes(model)),
  );
  if (own.length > 0)
    yield `${own.map(({ body }) => body.criterion).join(", ")}: graded by the model that did the work, which finds its own work good; name another judge`;
}

function* ofBase({ contract, preflight }: VerdictRequest, { waived, checked }: Findings): Generator<string> {
  const notAsked = contract.criteria.filter(({ id }) => waived.has(id));
  if (notAsked.length > 0) yield `waived, so not asked for: ${idsOf(notAsked)}`;
  const records = baseRecords(preflight);
  const checks = contract.criteria.filter(({ id, check }) => check !== null && !waived.has(id));
  const unknown = checks.filter(({ id }) => records.get(id)?.runner === null);
  if (unknown.length > 0)
    yield `${idsOf(unknown)}: no known test runner, so only the exit status of the command counts`;
  for (const { id } of checks) {
    const exempt = records.get(id)?.exempt.size ?? 0;
    if (exempt > 0)
      yield exempt === 1
        ? `${id}: 1 test fails or flakes on the base, or is exempt, and was not asked for`
        : `${id}: ${exempt} tests fail or flake on the base, or are exempt, and were not asked for`;
    const unstable = records.get(id)?.unstable ?? 0;
    if (unstable > 0)
      yield unstable === 1
        ? `${id}: 1 test changes its name from run to run and was only counted`
        : `${id}: ${unstable} tests change their names from run to run and were only counted`;
  }
  const plain = new Set(
    checked
      .filter(({ body }) => body.strength === "printed" || isPlain(body.run.runner))
      .map(({ body }) => body.criterion),
  );
  if (plain.size > 0)
    yield `${[...plain].join(", ")}: the runner's report is written where tests can write too, so it could be forged`;
  const flaky = preflight.criteria
    .filter(({ status }) => status === "flaky")
    .map(({ criterion }) => criterion);
  if (flaky.length > 0) yield `flaky on the base: ${flaky.join(", ")}`;
}

/** A test that passes without the work, too, is no evidence of it. */
function* ofNewTests({ contrasted }: Findings): Generator<string> {
  for (const { body } of contrasted) {
    const { criterion, tests, passing, problem } = body;
    const idle = readIds(passing);
    if (problem !== undefined)
      yield `${criterion}: whether its new tests show anything was not found out: ${problem}`;
    else if (idle.length > 0)
      yield `${criterion}: ${idle.length} of ${tests} new tests pass without the work, too, so they do not show it: ${idle.slice(0, IDLE_TESTS_MAX).join(" · ")}`;
  }
}

function* ofPlace({ isIsolated, gatesOff, review, findings }: Findings): Generator<string> {
  const submodules = findings.filter(({ gate }) => gate === "submodule").map(({ path }) => path);
  if (submodules.length > 0)
    yield `${submodules.join(", ")}: checked as the base has it, not at the other commit of the submodule`;
  const measuring = findings.filter(({ gate, effect }) => gate === "clocks" && effect === "note");
  if (measuring.length > 0)
    yield `${namedIn(measuring)}: measured by a clock that the code under test shares and could set`;
  if (gatesOff.size > 0) yield `gates were off, so this is no verdict: ${[...gatesOff].join(", ")}`;
  if (!isIsolated)
    yield "the checks ran without isolation: what they run could reach everything on this machine";
  if (review.open.length > 0)
    yield review.open.length === 1
      ? "1 change of protected files waits for a person"
      : `${review.open.length} changes of protected files wait for a person`;
}

/** Runners without a reporter of the harness's. */
const PLAIN: ReadonlySet<string> = new Set(["go", "cargo", "tap", "junit"]);

function isPlain(runner: string | null): boolean {
  return runner !== null && PLAIN.has(runner);
}

function namedIn(findings: Findings["findings"]): string {
  const named = findings.slice(0, NAMED_FILES_MAX).map(({ path }) => path);
  const more = findings.length - named.length;
  return more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
}

function idsOf(criteria: readonly { readonly id: string }[]): string {
  return criteria.map(({ id }) => id).join(", ");
}
