/** Limits of a contract's parts, as the log has them, and paths that leave the workspace. */
import { canonicalJson } from "../canonical.ts";
import { CONTRACT_BYTES_MAX, type Contract, type Criterion } from "../contract.ts";
import { type LintComplaint, refusal, shown } from "./complaint.ts";

const CRITERIA_MAX = 500;

/** What is too long, too many, or outside of the workspace. */
export function limitComplaints(contract: Contract): LintComplaint[] {
  const { goal, constraints, criteria, protect, setup, services } = contract;
  const found = [
    tooMany(null, "criteria", criteria.length, CRITERIA_MAX),
    tooMany(null, "constraints", constraints.length, 100),
    tooMany(null, "protected globs", protect.length, 500),
    tooMany(null, "words of set-up", setup.length, 1000),
    tooMany(null, "services", services.length, 20),
    tooLong(null, "the goal", goal, 100_000),
    ...constraints.map((text) => tooLong(null, "a constraint", text, 4000)),
    ...protect.map((glob) => tooLong(null, "a protected glob", glob, 1000)),
    ...protect.map((glob) => outside(null, "the protected glob", glob)),
    ...criteria.flatMap(ofCriterion),
  ].filter((complaint) => complaint !== undefined);
  const bytes = Buffer.byteLength(canonicalJson(contract));
  if (bytes <= CONTRACT_BYTES_MAX) return found;
  return [
    ...found,
    tooLarge(null, `the contract has ${bytes} bytes, and ${CONTRACT_BYTES_MAX} are the limit`),
  ];
}

function ofCriterion({
  id,
  description,
  steps,
  rubric,
  needs,
  check,
}: Criterion): (LintComplaint | undefined)[] {
  const argv = check?.argv ?? [];
  return [
    description.trim() === ""
      ? refusal(id, "nothing-to-verify", "it has no description", "Say in a sentence what has to be true.")
      : tooLong(id, "the description", description, 4000),
    tooMany(id, "steps", steps.length, 100),
    tooMany(id, "rubric lines", rubric.length, 50),
    tooMany(id, "needs", needs.length, 100),
    tooMany(id, "words of the check", argv.length, 1000),
    ...steps.map((text) => tooLong(id, "a step", text, 2000)),
    ...rubric.map((text) => tooLong(id, "a rubric line", text, 2000)),
    ...argv.map((text) => tooLong(id, "a word of the check", text, 32_768)),
    outside(id, "the check's folder", check?.folder ?? ""),
    outside(id, "the place of the held-out files", check?.held_out?.target ?? ""),
  ];
}

function tooMany(
  criterion: string | null,
  what: string,
  count: number,
  max: number,
): LintComplaint | undefined {
  if (count <= max) return undefined;
  return tooLarge(criterion, `there are ${count} ${what}, and ${max} are the limit`);
}

function tooLong(
  criterion: string | null,
  what: string,
  text: string,
  max: number,
): LintComplaint | undefined {
  if (text.length <= max) return undefined;
  return tooLarge(criterion, `${what} has ${text.length} characters, and ${max} are the limit`);
}

function tooLarge(criterion: string | null, message: string): LintComplaint {
  return refusal(criterion, "too-large", message, "Say less, or split the work into several contracts.");
}

function outside(criterion: string | null, what: string, path: string): LintComplaint | undefined {
  const isOutside =
    /^(\/(?!\*)|~|[A-Za-z]:)/.test(path) || path.split(/[\\/]/).includes("..") || path.includes("\0");
  if (!isOutside) return undefined;
  return refusal(
    criterion,
    "path-outside",
    `${what} "${shown(path)}" leads out of the workspace`,
    "Name a path relative to the top of the workspace.",
  );
}
