/** Why a rubric is not put before the judge: a verdict that cannot be positive any more is not worth a model's price. */
import type { Criterion, Strength } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { VerdictRequest } from "./parts.ts";
import { type Review, WHOLE_TREE } from "./review.ts";

type Run = Pick<EventBody<"referee.checked">, "criterion" | "tree" | "status">;

/** What a criterion is that nobody has judged for that reason. */
export interface Unjudged {
  readonly status: "unmet" | "error";
  readonly strength: Strength | null;
  readonly reason: string;
}

/**
 * Null: it is to be judged. Checks come first, those of other criteria too, unless the contract says otherwise; what
 * waits for a person, or is declared, holds up nobody else.
 */
export function whyUnjudged(
  { id }: Criterion,
  { contract, declared }: Pick<VerdictRequest, "contract" | "declared">,
  runs: readonly Run[],
  review: Review,
): Unjudged | null {
  const own = runs.filter(({ criterion }) => criterion === id);
  const excused = new Set(declared.map(({ criterion }) => criterion));
  const others = contract.judging === "always" ? [] : runs.filter(({ criterion }) => !excused.has(criterion));
  const bad = [...own, ...others].filter(({ status }) => status !== "met");
  const decided = bad.filter((run) => own.includes(run) || !isUndecided(run, runs, review));
  const worst = decided.find(({ status }) => status === "unmet") ?? decided[0];
  if (worst === undefined) return null;
  const whose = worst.criterion === id ? "its check" : `the check of ${worst.criterion}`;
  return worst.status === "unmet"
    ? { status: "unmet", strength: null, reason: `not judged: ${whose} is unmet` }
    : { status: "error", strength: null, reason: `not judged: ${whose} could not be run` };
}

/** As delivered it is met: whether the protected files had to change for it, a person decides; of how much was
 * changed, nothing follows for a check. */
export function isUndecided(bad: Run, runs: readonly Run[], { open }: Review): boolean {
  return (
    open.some(({ path }) => path !== WHOLE_TREE) &&
    bad.status === "unmet" &&
    runs.some((run) => run.criterion === bad.criterion && run.tree !== bad.tree && run.status === "met")
  );
}
