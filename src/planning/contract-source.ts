/** Where a contract comes from: checks on a command line, or a file. */
import { resolve } from "node:path";
import { criteriaOfChecks, criterionIdOf, criterionOf, readCheck, setupOf } from "../core/contract/build.ts";
import { CONTRACT_DEFAULTS, type Contract, type Criterion } from "../core/contract/contract.ts";
import { isRefusal, type LintComplaint, lintContract } from "../core/contract/lint.ts";
import { NightshiftError } from "../core/errors.ts";
import { openFolder } from "./detect/folder.ts";
import { lintFactsOf } from "./globs.ts";
import type { ContractOfFile } from "./read/contract-from-file.ts";

/** Files that the worker never sees, for a check of their own. */
export interface HeldOutOption {
  /** Absolute, or relative to where the contract is made. */
  readonly folder: string;
  /** Where its content is put, relative to the workspace. */
  readonly target: string;
  /** Command text; undefined: that of the first check. */
  readonly check?: string;
}

/** The goal of whoever names checks and nothing else. */
const GOAL_OF_CHECKS = "Make the checks pass.";

/** What a person said of the done-condition. Absent fields were not said. */
export interface ContractOptions {
  /** Verbatim; empty when a contract file has the goal. */
  readonly prompt: string;
  /** Without a prompt, that the checks pass is the whole goal. */
  readonly isGoalOfChecks?: boolean;
  /** Command texts, each of them a criterion. */
  readonly checks?: readonly string[];
  /** Folder of the workspace that the command texts were said in; absent: its root. */
  readonly checksIn?: string;
  /** Absolute, or relative to the folder. */
  readonly contractFile?: string;
  /** Ids of tests that need not pass, for every check; `*` stands for anything. */
  readonly exempt?: readonly string[];
  /** Globs, besides those of the file. */
  readonly protect?: readonly string[];
  readonly protection?: Contract["protection"];
  readonly deps?: Contract["deps"];
  /** Words of the set-up command; absent: that of the first check. */
  readonly setup?: readonly string[];
  readonly heldOut?: readonly HeldOutOption[];
  /** Lines for a judge, all of them one criterion. */
  readonly rubric?: readonly string[];
}

/** What making one needs besides. */
export interface ContractParts {
  /** Stores held-out files where the worker never is. @returns their digest, as in `Check.held_out` */
  keepHeldOut?(folder: string): Promise<string>;
}

/** A contract that may be sealed. */
export interface SourcedContract {
  readonly contract: Contract;
  /** For `contract.sealed`: where it came from. */
  readonly source: string;
  /** What the person should know; one sentence each, nothing in them stops anything. */
  readonly remarks: readonly string[];
}

/** A contract before the linter has decided. */
export interface DraftedContract extends SourcedContract {
  readonly complaints: readonly LintComplaint[];
}

/**
 * The contract that these options describe.
 * @param folder - the workspace, absolute; it is only read
 * @throws NightshiftError `E_CONTRACT_INVALID` when it cannot be verified, `E_CONTRACT_FILE`
 */
export async function contractFrom(
  options: ContractOptions,
  folder: string,
  parts: ContractParts = {},
): Promise<SourcedContract> {
  return acceptable(await draftFrom(options, folder, parts));
}

function acceptable({ complaints, remarks, ...sourced }: DraftedContract): SourcedContract {
  if (complaints.some(isRefusal)) throw refusalOf(complaints);
  return { ...sourced, remarks: [...remarks, ...complaints.map(complaintText)] };
}

/**
 * The same contract with what the linter remarks on it.
 * @throws NightshiftError `E_CONTRACT_INVALID` when it cannot be verified
 */
export async function linted(sourced: SourcedContract, folder: string): Promise<SourcedContract> {
  const { contract } = sourced;
  return acceptable({ ...sourced, complaints: lintContract(contract, await lintFactsFor(contract, folder)) });
}

/** As {@link contractFrom}, with everything that the linter says instead of its refusal. */
export async function draftFrom(
  options: ContractOptions,
  folder: string,
  parts: ContractParts = {},
): Promise<DraftedContract> {
  const { source, remarks, ...begun } = await begin(options, folder, parts);
  const taken = new Set(begun.criteria.map(({ id }) => id));
  const checks = criteriaOfChecks(options.checks ?? [], taken, options.checksIn);
  const named = [...begun.criteria, ...checks.criteria].map((each) => exempting(each, options.exempt ?? []));
  const criteria = [...named, ...rubricCriteria(options.rubric ?? [], taken)];
  for (const heldOut of options.heldOut ?? [])
    criteria.push(await heldOutCriterion(heldOut, firstCheckOf(options, criteria), taken, parts));
  const contract: Contract = {
    ...begun,
    criteria,
    protect: [...begun.protect, ...(options.protect ?? [])],
    protection: options.protection ?? begun.protection,
    deps: options.deps ?? begun.deps,
    setup: [...(options.setup ?? begun.setup ?? setupOf(criteria))],
  };
  const complaints = lintContract(contract, await lintFactsFor(contract, folder));
  return { contract, source, remarks: [...remarks, ...checks.remarks], complaints };
}

/** Tests are exempt from whatever check has them. */
function exempting(criterion: Criterion, exempt: readonly string[]): Criterion {
  const { check } = criterion;
  if (check === null || exempt.length === 0) return criterion;
  return { ...criterion, check: { ...check, exempt: [...(check.exempt ?? []), ...exempt] } };
}

/** What the file has, if there is one. */
async function begin(
  options: ContractOptions,
  folder: string,
  parts: ContractParts,
): Promise<ContractOfFile> {
  const { contractFile, prompt } = options;
  if (contractFile === undefined)
    return {
      ...CONTRACT_DEFAULTS,
      setup: undefined,
      ...goalOf(options),
      criteria: [],
      source: "command line",
      remarks: [],
    };
  // Most contracts come from a command line, and should not wait for the readers' schemas.
  const { contractFromFile } = await import("./read/contract-from-file.ts");
  return await contractFromFile(
    { path: resolve(folder, contractFile), name: contractFile, prompt },
    folder,
    parts,
  );
}

function goalOf(options: ContractOptions): Pick<Contract, "goal" | "goal_from"> {
  const { prompt, isGoalOfChecks = false, rubric } = options;
  if (prompt.trim() !== "" || !isGoalOfChecks || rubric !== undefined) return { goal: prompt };
  return { goal: GOAL_OF_CHECKS, goal_from: "checks" };
}

/** Files are looked at only when there is something to look for. */
async function lintFactsFor(
  { protect }: Contract,
  folder: string,
): Promise<ReturnType<typeof lintFactsOf> | undefined> {
  if (protect.length === 0) return undefined;
  const entries = await openFolder(folder).list();
  return lintFactsOf(entries.map(({ path }) => path));
}

/** One criterion for all lines; none for none. @param taken - gets its id */
export function rubricCriteria(rubric: readonly string[], taken: Set<string>): Criterion[] {
  if (rubric.length === 0) return [];
  const description = "A judge finds every line of the rubric true of the result";
  return [criterionOf({ id: criterionIdOf("rubric", taken), description, rubric: [...rubric] })];
}

type ReadyCheck = NonNullable<Criterion["check"]>;

/** What tests held-out files unless something else is said. */
export function firstCheckOf(
  { checks = [], checksIn }: ContractOptions,
  criteria: readonly Criterion[],
): ReadyCheck | undefined {
  const [text] = checks;
  if (text !== undefined) return readCheck(text, checksIn).check;
  return criteria.find(({ check }) => check !== null)?.check ?? undefined;
}

/** @param taken - gets its id @throws NightshiftError `E_CONTRACT_INVALID` without a check */
export async function heldOutCriterion(
  { folder, target, check: text }: HeldOutOption,
  first: ReadyCheck | undefined,
  taken: Set<string>,
  { keepHeldOut }: ContractParts,
): Promise<Criterion> {
  const check = text === undefined ? first : readCheck(text).check;
  if (check === undefined || keepHeldOut === undefined)
    throw new NightshiftError("E_CONTRACT_INVALID", `the held-out files in ${folder} have no check`, {
      hint: "Pass --check with the command that tests them.",
    });
  const digest = await keepHeldOut(folder);
  const id = criterionIdOf("held-out", taken);
  const description = "The check passes with files that were held out";
  return criterionOf({ id, description, check: { ...check, held_out: { digest, target } } });
}

/** One complaint as a sentence with its remedy. */
export function complaintText({ criterion, message, fix }: LintComplaint): string {
  const what = criterion === null ? message : `${criterion}: ${message}`;
  return `${what}. ${fix}`;
}

/** The refusal of a contract, with everything that refuses it. */
export function refusalOf(complaints: readonly LintComplaint[]): NightshiftError {
  const refusals = complaints.filter(isRefusal);
  const [first, ...more] = refusals;
  const listed = refusals.map(({ criterion, message }) =>
    criterion === null ? message : `${criterion}: ${message}`,
  );
  const message = `this contract cannot be verified: ${listed.slice(0, LISTED_MAX).join("; ")}`;
  const rest = refusals.length > LISTED_MAX ? `; and ${refusals.length - LISTED_MAX} more` : "";
  return new NightshiftError("E_CONTRACT_INVALID", `${message}${rest}`, {
    hint: more.every(({ fix }) => fix === first?.fix)
      ? (first?.fix ?? "Correct it.")
      : `${first?.fix} \`nightshift assess\` says it of each.`,
    data: { complaints: refusals },
  });
}

const LISTED_MAX = 5;
