/**
 * What an amendment asks less for than the contract before it: derived from both texts, so that nobody has to read them.
 * What may be weaker and what only may be (another check) are told alike; what is only more is not told.
 */
import { canonicalJson } from "./canonical.ts";
import type { Check, Contract, Criterion } from "./contract.ts";
import { commandText } from "./tell.ts";

/** One short line each, in the order of the contract; empty when nothing is weaker. */
export function weakenings(before: Contract, after: Contract): readonly string[] {
  return [
    ...(before.goal === after.goal ? [] : ["the goal is another"]),
    ...missing(before.constraints, after.constraints).map((line) => `constraint gone: "${line}"`),
    ...before.criteria.flatMap((criterion) => {
      const now = after.criteria.find(({ id }) => id === criterion.id);
      return now === undefined ? [`criterion ${criterion.id} is gone`] : ofCriterion(criterion, now);
    }),
    ...missing(before.protect, after.protect).map((glob) => `not protected any more: ${glob}`),
    ...looser("protection", PROTECTION, before.protection, after.protection),
    ...looser("deps", DEPS, before.deps, after.deps),
    ...(isSame(before.services, after.services) ? [] : ["other services run beside the checks"]),
    ...ofLimits(before.limits, after.limits),
  ];
}

/** From the strictest on. */
const PROTECTION: readonly Contract["protection"][] = ["strict", "review", "additive"];
const DEPS: readonly Contract["deps"][] = ["deny", "ask", "allow"];

function looser<Choice extends string>(
  name: string,
  choices: readonly Choice[],
  before: Choice,
  after: Choice,
): string[] {
  return choices.indexOf(after) > choices.indexOf(before) ? [`${name} is ${after}, not ${before}`] : [];
}

function ofCriterion(before: Criterion, after: Criterion): string[] {
  const { id } = before;
  const lines = missing(before.rubric, after.rubric).map((line) => `${id} is not judged by "${line}"`);
  const isEarned = before.role === "earn" && after.role !== "earn";
  return [
    ...ofCheck(id, before.check, after.check),
    ...(isEarned ? [`${id} has no longer to be earned`] : []),
    ...lines,
  ];
}

function ofCheck(id: string, before: Check | null, after: Check | null): string[] {
  if (before === null) return [];
  if (after === null) return [`${id} has no check any more`];
  const was = commandText(before);
  const is = commandText(after);
  const isOther = was !== is || before.shell !== after.shell;
  const exempt = missing(after.exempt ?? [], before.exempt ?? []);
  return [
    ...(isOther ? [`the check of ${id} is \`${is}\`, not \`${was}\``] : []),
    ...ofHeldOut(id, before.held_out, after.held_out),
    ...(exempt.length === 0 ? [] : [`tests need not pass for ${id}: ${exempt.join(", ")}`]),
  ];
}

function ofHeldOut(id: string, before: Check["held_out"], after: Check["held_out"]): string[] {
  if (before === undefined || isSame(before, after)) return [];
  return after === undefined
    ? [`${id} is not checked with the held-out files`]
    : [`${id} is checked with other held-out files`];
}

function ofLimits(before: Contract["limits"], after: Contract["limits"]): string[] {
  const isMore = after.verdicts > before.verdicts;
  const was = before.check_ms;
  const is = after.check_ms;
  const isLonger = was !== undefined && (is === undefined || is > was);
  const now = is === undefined ? "as long as the base's allows" : `${is} ms`;
  return [
    ...(isMore ? [`${after.verdicts} verdicts, not ${before.verdicts}`] : []),
    ...moreChanged("files", before.files, after.files),
    ...moreChanged("lines", before.lines, after.lines),
    ...(isLonger ? [`a check may take ${now}, not ${was} ms`] : []),
  ];
}

function moreChanged(what: string, was: number | undefined, is: number | undefined): string[] {
  if (was === undefined || (is !== undefined && is <= was)) return [];
  return [`${is ?? "any number of"} ${what} may be changed, not ${was}`];
}

/** Those that `all` has no more. */
function missing(wanted: readonly string[], all: readonly string[]): readonly string[] {
  return wanted.filter((each) => !all.includes(each));
}

function isSame(left: unknown, right: unknown): boolean {
  return left === right || (right !== undefined && canonicalJson(left) === canonicalJson(right));
}
