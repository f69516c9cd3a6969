/** What is left of a verdict's parts when gates are off. Pure; with all gates on, everything is as it was. */
import type { Contract, Finding } from "../core/contract/contract.ts";
import type { Composition } from "./contract.ts";
import type { BaseRecord } from "./gates.ts";
import type { Gate } from "./gates-list.ts";

/** Without the findings of gates that are off. */
export function remaining(findings: readonly Finding[], off: ReadonlySet<Gate>): readonly Finding[] {
  const names: ReadonlySet<string> = off;
  return findings.filter(({ gate }) => !names.has(gate));
}

/** The passes that are left: without protection pass A is the candidate too, and without pass B nothing else is run. */
export function composedWithout(composition: Composition, off: ReadonlySet<Gate>): Composition {
  const treeA = off.has("protected") ? composition.treeB : composition.treeA;
  const treeB = off.has("delivered") ? treeA : composition.treeB;
  return { ...composition, treeA, treeB, findings: remaining(composition.findings, off) };
}

/** Criteria that are not looked at. */
export function unheard({ criteria }: Contract, off: ReadonlySet<Gate>): readonly string[] {
  if (!off.has("held-out")) return [];
  return criteria.filter(({ check }) => check?.held_out !== undefined).map(({ id }) => id);
}

/** Without its runner, a check is what its exit status is. */
export function recordWithout(record: BaseRecord, off: ReadonlySet<Gate>): BaseRecord {
  return off.has("runner") ? { ...record, runner: null } : record;
}
