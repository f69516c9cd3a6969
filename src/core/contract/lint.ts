/**
 * Tells contracts that cannot be verified, before work is done on them. Everything it says names the criterion and
 * how to mend it.
 */
import { checkText } from "./build.ts";
import { canonicalJson } from "./canonical.ts";
import type { Contract, Criterion } from "./contract.ts";
import { weaknessesOf } from "./lint/check.ts";
import { type LintComplaint, refusal, shown, warning } from "./lint/complaint.ts";
import { limitComplaints } from "./lint/limits.ts";
import { needsComplaints } from "./lint/needs.ts";
import { rubricComplaints } from "./lint/rubric.ts";

export type { LintComplaint } from "./lint/complaint.ts";

/** What is known of the repository. */
export interface LintFacts {
  readonly fileCount: number;
  /** How many of the files a protected glob matches; undefined for one that the referee could not use. */
  countMatches(glob: string): number | undefined;
}

/** Says everything that is wrong, in the order of the contract, what refuses first. Never throws. */
export function lintContract(contract: Contract, facts?: LintFacts): readonly LintComplaint[] {
  const complaints = [
    ...wholeComplaints(contract),
    ...limitComplaints(contract),
    ...contract.criteria.flatMap(criterionComplaints),
    ...sameChecks(contract.criteria),
    ...needsComplaints(contract.criteria),
    ...contract.protect.flatMap((glob) => protectComplaints(glob, facts)),
  ];
  return [...complaints.filter(isRefusal), ...complaints.filter((complaint) => !isRefusal(complaint))];
}

/** True for what keeps the contract from being sealed. */
export function isRefusal({ severity }: LintComplaint): boolean {
  return severity === "refuse";
}

function wholeComplaints({ goal, criteria }: Contract): LintComplaint[] {
  const found: LintComplaint[] = [];
  if (goal.trim() === "")
    found.push(refusal(null, "no-goal", "the contract has no goal", "Say what is to be done."));
  if (criteria.length === 0)
    found.push(
      refusal(
        null,
        "nothing-to-verify",
        "the contract has no criteria",
        "Pass --check with a command that fails until the work is done, or let `nightshift plan` propose criteria.",
      ),
    );
  if (criteria.length > 0 && criteria.every(({ role, rubric }) => role === "keep" && rubric.length === 0))
    found.push(
      warning(
        null,
        "goal-unchecked",
        "every criterion only keeps what works already, so the goal itself is not checked",
        "Add a check that fails now and passes once the goal is met, or a rubric.",
      ),
    );
  return found;
}

function criterionComplaints(criterion: Criterion): LintComplaint[] {
  const { id, check } = criterion;
  const ofCheck = check === null ? [] : weaknessesOf(check);
  const text = check === null ? "" : shown(checkText(check));
  const isChecked = check !== null && !ofCheck.some(({ code }) => code === "cannot-fail");
  return [
    ...ofCheck.map(({ message, ...rest }) => ({
      criterion: id,
      ...rest,
      message: `the check \`${text}\` ${message}`,
    })),
    ...rubricComplaints(criterion, isChecked),
  ];
}

/** Two criteria with one check cannot be told apart by it. */
function sameChecks(criteria: readonly Criterion[]): LintComplaint[] {
  const first = new Map<string, string>();
  return criteria.flatMap(({ id, check, rubric }) => {
    if (check === null) return [];
    const key = canonicalJson(check);
    const other = first.get(key);
    if (other === undefined) first.set(key, id);
    if (other === undefined || rubric.length > 0) return [];
    return [
      warning(
        id,
        "same-check",
        `it has the same check as "${other}", so it is met whenever that one is`,
        "Narrow the check to what this criterion is about, or add a rubric.",
      ),
    ];
  });
}

const EVERYTHING = /^(\/?\*{1,2}(\/\*{1,2})*\/?|\.?\/|\.)$/;

function protectComplaints(glob: string, facts: LintFacts | undefined): LintComplaint[] {
  const count = facts?.countMatches(glob);
  if (EVERYTHING.test(glob.trim()) || (count !== undefined && count > 1 && count === facts?.fileCount))
    return [
      refusal(
        null,
        "protects-everything",
        `the protected glob "${shown(glob)}" matches every file, so nothing could be changed`,
        "Protect what decides whether the work is right: tests, their fixtures and configuration.",
      ),
    ];
  if (glob.trim() === "" || (facts !== undefined && count === undefined))
    return [
      refusal(
        null,
        "protects-nothing",
        `the protected glob "${shown(glob)}" cannot be understood`,
        "Correct it, or leave it out.",
      ),
    ];
  if (count !== 0) return [];
  return [
    warning(
      null,
      "protects-nothing",
      `the protected glob "${shown(glob)}" matches no file`,
      "Correct it, or leave it out.",
    ),
  ];
}
