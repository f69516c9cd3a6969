/** A contract that takes the place of another: what a person names is replaced, and everything else is kept. */
import { criteriaOfChecks, setupOf } from "../core/contract/build.ts";
import { canonicalJson } from "../core/contract/canonical.ts";
import type { Contract, Criterion } from "../core/contract/contract.ts";
import { commandText } from "../core/contract/tell.ts";
import {
  type ContractOptions,
  type ContractParts,
  contractFrom,
  firstCheckOf,
  heldOutCriterion,
  linted,
  rubricCriteria,
  type SourcedContract,
} from "./contract-source.ts";

/** A criterion that has both a check and a rubric is of no kind: only a file makes it, and only a file replaces it. */
type Kind = (criterion: Criterion) => boolean;
const isCheckAlone: Kind = ({ check, rubric }) =>
  check !== null && check.held_out === undefined && rubric.length === 0;
const isJudgedAlone: Kind = ({ check }) => check === null;
const isHeldOut: Kind = ({ check }) => check?.held_out !== undefined;

/**
 * The contract that these options make of another one. A file is a whole contract; of the rest, each replaces what it names:
 * checks the criteria that are a check and nothing else, rubric lines those without a check, held-out files theirs.
 * @param folder - the workspace, absolute; it is only read
 * @throws NightshiftError `E_CONTRACT_INVALID` when it cannot be verified, `E_CONTRACT_FILE`
 */
export async function contractAmended(
  old: Contract,
  options: ContractOptions,
  folder: string,
  parts: ContractParts = {},
): Promise<SourcedContract> {
  if (options.contractFile !== undefined) return await contractFrom(options, folder, parts);
  const { criteria, remarks } = await criteriaAmended(old.criteria, options, parts);
  const isSetUpByCheck = canonicalJson(old.setup) === canonicalJson(setupOf(old.criteria));
  const contract: Contract = {
    ...old,
    criteria: [...criteria],
    protect: [...(options.protect ?? old.protect)],
    protection: options.protection ?? old.protection,
    deps: options.deps ?? old.deps,
    setup: [...(options.setup ?? (isSetUpByCheck ? setupOf(criteria) : old.setup))],
  };
  return await linted({ contract, source: "command line", remarks }, folder);
}

async function criteriaAmended(
  old: readonly Criterion[],
  options: ContractOptions,
  parts: ContractParts,
): Promise<{ readonly criteria: readonly Criterion[]; readonly remarks: readonly string[] }> {
  const { checks, checksIn, rubric, heldOut, exempt } = options;
  let criteria = old;
  let remarks: readonly string[] = [];
  if (checks !== undefined) {
    const made = criteriaOfChecks(checks, idsBut(criteria, isCheckAlone), checksIn);
    remarks = made.remarks;
    criteria = replaced(criteria, isCheckAlone, made.criteria);
  }
  if (exempt !== undefined) criteria = criteria.map((each) => exempting(each, exempt));
  if (rubric !== undefined)
    criteria = replaced(criteria, isJudgedAlone, rubricCriteria(rubric, idsBut(criteria, isJudgedAlone)));
  if (heldOut !== undefined) {
    const taken = idsBut(criteria, isHeldOut);
    const made: Criterion[] = [];
    for (const each of heldOut)
      made.push(await heldOutCriterion(each, firstCheckOf(options, criteria), taken, parts));
    criteria = replaced(criteria, isHeldOut, made);
  }
  return { criteria, remarks };
}

function idsBut(criteria: readonly Criterion[], isMeant: Kind): Set<string> {
  return new Set(criteria.filter((each) => !isMeant(each)).map(({ id }) => id));
}

/** The new ones stand where the first of the old ones stood, come after what those did, and before what they did. */
function replaced(
  criteria: readonly Criterion[],
  isMeant: Kind,
  made: readonly Criterion[],
): readonly Criterion[] {
  const gone = criteria.filter(isMeant);
  const place = criteria.findIndex(isMeant);
  const kept = (each: readonly Criterion[]): readonly Criterion[] => each.filter((one) => !isMeant(one));
  const before = place < 0 ? criteria : kept(criteria.slice(0, place));
  const after = place < 0 ? [] : kept(criteria.slice(place));
  const inherited = gone.flatMap(({ needs }) => needs);
  const added = made.map((each) => gone.find((old) => isAlike(old, each)) ?? { ...each, needs: inherited });
  const all = [...before, ...added, ...after];
  const present = new Set(all.map(({ id }) => id));
  const instead = added.map(({ id }) => id);
  return all.map((each) => {
    const needs = each.needs.flatMap((id) => (present.has(id) ? [id] : instead));
    return { ...each, needs: [...new Set(needs)].filter((id) => id !== each.id) };
  });
}

/** What is named again stays as it is, with its steps, role and exempt tests. */
function isAlike({ check: old }: Criterion, { check }: Criterion): boolean {
  if (old === null || check === null || old.shell !== check.shell) return false;
  return (
    commandText(old) === commandText(check) && canonicalJson(old.held_out) === canonicalJson(check.held_out)
  );
}

function exempting(criterion: Criterion, exempt: readonly string[]): Criterion {
  const { check } = criterion;
  return check === null ? criterion : { ...criterion, check: { ...check, exempt: [...exempt] } };
}
