/** Are the facts of a verdict such as the referee writes for this contract? Pure. */
import { hash } from "node:crypto";
import type { Contract } from "../../core/contract/contract.ts";
import type { EventBody, SessionEvent } from "../../core/events/index.ts";
import type { RefereeFactType } from "../../referee/parts.ts";

/** A verdict, and what is in the log of it. */
export interface FactsOfVerdict {
  readonly base: string;
  readonly contract: Contract;
  readonly body: EventBody<"verdict.given">;
  readonly done: readonly SessionEvent<RefereeFactType>[];
}

type Checked = EventBody<"referee.checked">;

/** Stands where a secret was: such a text is not the one whose hash was taken. */
const REDACTED = "[redacted:";

/** What does not fit; each goes on after the verdict's name. */
export function* factProblems({ base, contract, body, done }: FactsOfVerdict): Generator<string> {
  if (body.tree_a !== null && composedFor(body, done) === undefined)
    yield "is on trees that nobody has composed for it";
  for (const { type, seq, body: fact } of done) {
    if (type === "referee.composed" && (fact.base !== base || fact.candidate !== body.commit))
      yield `leans on event ${seq}, which composed the files of another base or commit`;
    if (type === "referee.checked") {
      const problem = checkedProblem(contract, body, fact);
      if (problem !== null) yield `leans on event ${seq}, ${problem}`;
    }
  }
}

/** The composition that the verdict is on: the last, where the same trees were composed twice. */
export function composedFor(
  { tree_a, tree_b }: FactsOfVerdict["body"],
  done: FactsOfVerdict["done"],
): EventBody<"referee.composed"> | undefined {
  const all = done.flatMap((fact) => (fact.type === "referee.composed" ? [fact.body] : []));
  return all.findLast((fact) => fact.tree_a === tree_a && fact.tree_b === tree_b);
}

function checkedProblem(
  contract: Contract,
  { tree_a, tree_b }: FactsOfVerdict["body"],
  fact: Checked,
): string | null {
  const { criterion, command, pass, tree, run, strength, status, output_hash } = fact;
  const check = contract.criteria.find(({ id }) => id === criterion)?.check ?? null;
  if (check === null) return `a check of ${criterion}, for which the contract has none`;
  if (command.length !== check.argv.length || command.some((word, index) => word !== check.argv[index]))
    return `which ran another command than the check of ${criterion}`;
  const isHeldOut = check.held_out !== undefined;
  if ((pass === "H") !== isHeldOut || (strength === "held-out") !== isHeldOut)
    return `which ran ${criterion} ${isHeldOut ? "without its" : "as if with"} held-out files`;
  const isSwapped =
    tree_a !== tree_b && ((pass === "A" && tree === tree_b) || (pass === "B" && tree === tree_a));
  if (isSwapped) return `which ran pass ${pass} of ${criterion} on the files of the other pass`;
  if (status === "met" && !mayBeMet(run)) return `whose run of ${criterion} cannot have been met`;
  const { output } = run;
  // Of a held-out run the output is not kept.
  const isWhole = typeof output === "string" && !isHeldOut && !output.includes(REDACTED);
  return isWhole && hash("sha256", output, "hex") !== output_hash
    ? `whose output is not the one of ${criterion} that was hashed`
    : null;
}

/** Another exit status is excused only where a runner's report names each test that failed. */
function mayBeMet({ ending, exit_code, runner }: Checked["run"]): boolean {
  return ending === "exited" && (exit_code === 0 || (exit_code !== null && runner !== null));
}
