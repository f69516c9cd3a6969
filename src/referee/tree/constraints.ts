/**
 * What a contract's constraints forbid, however it was done: files that are never touched, and dependencies that were
 * not there. A person who wants it after all amends the contract; nobody can approve it in passing.
 */
import { checkableConstraints } from "../../core/contract/constraints.ts";
import type { Contract, Finding } from "../../core/contract/contract.ts";
import { dependenciesIn, kindOfManifest, ownName } from "./dependencies.ts";
import { type Difference, nameOf } from "./difference.ts";
import { finding } from "./finding.ts";

const GATE = "constraints";

/** Broken constraints, by the paths that break them. */
export async function findBrokenConstraints(
  difference: Difference,
  contract: Pick<Contract, "constraints">,
): Promise<Finding[]> {
  const { forbids, keepsDependencies } = checkableConstraints(contract);
  const touched = difference.changes.flatMap(({ path }) => {
    const constraint = forbids(path);
    return constraint === null
      ? []
      : [finding(GATE, path, "refuse", `it was changed, and the contract says "${constraint}"`)];
  });
  if (keepsDependencies === null) return touched;
  return [...touched, ...(await newDependencies(difference, keepsDependencies))];
}

async function newDependencies(difference: Difference, constraint: string): Promise<Finding[]> {
  const manifests = difference.changes.filter(
    ({ path, candidate }) => candidate !== undefined && kindOfManifest(nameOf(path)) !== undefined,
  );
  if (manifests.length === 0) return [];
  const known = await knownDependencies(difference);
  const findings: Finding[] = [];
  for (const { path } of manifests) {
    const kind = kindOfManifest(nameOf(path)) ?? "";
    const asked = dependenciesIn(nameOf(path), (await difference.text("candidate", path)) ?? null);
    const more = asked?.filter((name) => known.get(kind)?.has(name) !== true);
    if (more?.length === 0) continue;
    const what = more === undefined ? "it cannot be read any more" : `it asks for ${more.join(", ")}`;
    findings.push(finding(GATE, path, "refuse", `${what}, and the contract says "${constraint}"`));
  }
  return findings;
}

/** Of the base, by kind: what one package asks for already is nothing new in another. */
async function knownDependencies(difference: Difference): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const known = new Map<string, Set<string>>();
  for (const path of difference.base.keys()) {
    const kind = kindOfManifest(nameOf(path));
    if (kind === undefined) continue;
    const text = (await difference.text("base", path)) ?? null;
    const names = [...(dependenciesIn(nameOf(path), text) ?? []), ...ownName(nameOf(path), text)];
    known.set(kind, new Set([...(known.get(kind) ?? []), ...names]));
  }
  return known;
}
