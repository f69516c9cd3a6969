/** Where a contract comes from: checks on a command line, or a file. */
import { criteriaOfChecks, criterionIdOf, criterionOf, readCheck } from "../core/contract/build.ts";
import { CONTRACT_DEFAULTS, type Contract, type Criterion } from "../core/contract/contract.ts";
import { NightshiftError } from "../core/errors.ts";

/** Files that the worker never sees, for a check of their own. */
export interface HeldOutOption {
  /** Absolute, or relative to where the contract is made. */
  readonly folder: string;
  /** Where its content is put, relative to the workspace. */
  readonly target: string;
  /** Command text; undefined: that of the first check. */
  readonly check?: string;
}

/** What a person said of the done-condition. Absent fields were not said. */
export interface ContractOptions {
  /** Verbatim; empty when a contract file has the goal. */
  readonly prompt: string;
  /** Command texts, each of them a criterion. */
  readonly checks?: readonly string[];
  /** Absolute, or relative to the folder. */
  readonly contractFile?: string;
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
  if (options.contractFile !== undefined)
    throw new NightshiftError("E_CONTRACT_FILE", `${options.contractFile} of ${folder} cannot be read yet`);
  const taken = new Set<string>();
  const checks = criteriaOfChecks(options.checks ?? [], taken);
  const criteria: Criterion[] = [...checks.criteria, ...rubricCriteria(options.rubric ?? [], taken)];
  criteria.push(...(await heldOutCriteria(options, taken, parts)));
  const contract: Contract = {
    ...CONTRACT_DEFAULTS,
    goal: options.prompt,
    criteria,
    protect: [...(options.protect ?? [])],
    protection: options.protection ?? CONTRACT_DEFAULTS.protection,
    deps: options.deps ?? CONTRACT_DEFAULTS.deps,
    setup: [...(options.setup ?? setupFor(criteria))],
  };
  return { contract, source: "command line", remarks: checks.remarks };
}

function rubricCriteria(rubric: readonly string[], taken: Set<string>): Criterion[] {
  if (rubric.length === 0) return [];
  const description = "A judge finds every line of the rubric true of the result";
  return [criterionOf({ id: criterionIdOf("rubric", taken), description, rubric: [...rubric] })];
}

async function heldOutCriteria(
  { heldOut = [], checks = [] }: ContractOptions,
  taken: Set<string>,
  { keepHeldOut }: ContractParts,
): Promise<Criterion[]> {
  const criteria: Criterion[] = [];
  for (const { folder, target, check = checks[0] } of heldOut) {
    if (check === undefined || keepHeldOut === undefined)
      throw new NightshiftError("E_CONTRACT_INVALID", `the held-out files in ${folder} have no check`, {
        hint: "Pass --check with the command that tests them.",
      });
    const digest = await keepHeldOut(folder);
    const { check: read } = readCheck(check);
    const description = `\`${check.trim()}\` passes with files that were held out`;
    const id = criterionIdOf("held-out", taken);
    criteria.push(criterionOf({ id, description, check: { ...read, held_out: { digest, target } } }));
  }
  return criteria;
}

/** What the first check runs has to be there, and so does what it needs. */
function setupFor(criteria: readonly Criterion[]): readonly string[] {
  const first = criteria.find(({ check }) => check !== null && !check.shell);
  return first?.check?.argv ?? [];
}
