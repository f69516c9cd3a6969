/**
 * May a candidate have the layer that its files ask for? Pure: both plans are made beforehand, by `planLayer`, which
 * refuses what does not come from a registry (`E_SOURCE_REFUSED`) under every policy. What may be made, `ensureLayer`
 * makes.
 */
import { posix } from "node:path";
import type { DependencyPolicy, LayerPlan } from "./contract.ts";

/** A candidate beside what it started from. A plan is undefined where the files ask for no dependencies. */
export interface LayerQuestion {
  /** Of the files that the session, or the contract, began with. */
  readonly base: LayerPlan | undefined;
  /** Of the files of the candidate, made with the same argument vector, registries and toolchain. */
  readonly candidate: LayerPlan | undefined;
  readonly policy: DependencyPolicy;
  /** Keys of layers that a person has allowed, whatever the policy. */
  readonly allowed: ReadonlySet<string>;
}

/** Which layer the candidate is to be run with. */
export type LayerDecision =
  /** That of the base. */
  | { readonly status: "same" }
  /** None: its files ask for no dependencies any more. */
  | { readonly status: "none" }
  /** The one of this plan, which is to be made, or found, with `ensureLayer`. */
  | { readonly status: "make"; readonly plan: LayerPlan; readonly changes: readonly LayerChange[] }
  /** Nobody knows yet: a person has to allow the key of this plan. */
  | { readonly status: "ask"; readonly plan: LayerPlan; readonly changes: readonly LayerChange[] }
  /** That of the base, although its files ask for this one. */
  | { readonly status: "deny"; readonly plan: LayerPlan; readonly changes: readonly LayerChange[] };

/** A file that a set-up depends on and that differs; it may be a manifest, a lockfile or a setting. */
export interface LayerChange {
  readonly path: string;
  readonly change: "added" | "modified" | "deleted";
}

/** Total. The same files, toolchain and registries give the same key, whatever else has changed. */
export function decideLayer({ base, candidate, policy, allowed }: LayerQuestion): LayerDecision {
  if (candidate === undefined) return { status: base === undefined ? "same" : "none" };
  if (candidate.key === base?.key) return { status: "same" };
  const found = { plan: candidate, changes: changesBetween(base, candidate) };
  if (policy === "allow" || allowed.has(candidate.key)) return { status: "make", ...found };
  return { status: policy, ...found };
}

/** By path. Empty when only the toolchain, a registry or the kind of project differs. */
function changesBetween(base: LayerPlan | undefined, candidate: LayerPlan): readonly LayerChange[] {
  const [before, after] = [contentsOf(base), contentsOf(candidate)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path): LayerChange[] => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) return [];
    if (old === undefined) return [{ path, change: "added" }];
    return [{ path, change: now === undefined ? "deleted" : "modified" }];
  });
}

function contentsOf(plan: LayerPlan | undefined): ReadonlyMap<string, string> {
  if (plan === undefined) return new Map();
  const seen = Object.entries(plan.standIns).filter(([, text]) => text !== "");
  const contents = [...plan.inputs.map(({ path, sha256 }): [string, string] => [path, sha256]), ...seen];
  return new Map(contents.map(([path, content]) => [posix.join(plan.folder, path), content]));
}
