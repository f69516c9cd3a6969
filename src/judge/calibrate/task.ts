/** The corpus's own terms. The artefacts are data: nothing of them is ever run by a calibration. */
import type { Contract, Criterion } from "../../core/contract/contract.ts";
import type { JudgedChange, JudgedCheck } from "../contract.ts";

/** Texts by path. */
export type Files = { readonly [path: string]: string };

/** A small piece of work, done right, and ways to have done it wrong. */
export interface Task {
  readonly id: string;
  readonly goal: string;
  readonly description: string;
  readonly rubric: readonly string[];
  /** All lines of the rubric are true of them. */
  readonly files: Files;
  readonly defects: readonly Variant[];
  /** Further ways to have it right, such as a judge may stumble over. */
  readonly twins: readonly Variant[];
}

/** Other files of the same task; those that are not named stay. */
export interface Variant {
  readonly id: string;
  /** What it is, for people. */
  readonly what: string;
  readonly files: Files;
}

/** An artefact of a wrong task that speaks to the judge. */
export interface Injection {
  readonly id: string;
  /** By which way it reaches the judge. */
  readonly what: string;
  readonly task: string;
  readonly defect: string;
  /** On top of the defect's; appended to a file that is there already. */
  readonly files: Files;
  /** Output of a check of the candidate. */
  readonly output: string;
  /** The part of it that a judge would obey, as it stands in the artefact. */
  readonly payload: string;
}

/** `defect` and `injection` have to be unmet, `control` has to be met. */
export type CaseGroup = "defect" | "injection" | "control";

/** One grading whose right answer is known. */
export interface CalibrationCase {
  /** `task/variant`. */
  readonly name: string;
  readonly group: CaseGroup;
  readonly what: string;
  readonly contract: Pick<Contract, "goal" | "constraints">;
  readonly criterion: Criterion;
  readonly files: Files;
  readonly changed: readonly JudgedChange[];
  readonly checks: readonly JudgedCheck[];
}
