/** What an agent declares of a criterion, as one item that a person decides about. */
import { hash } from "node:crypto";
import { canonicalJson } from "./canonical.ts";
import type { ContractState, Declaration } from "./state.ts";

/** Before the criterion's id, in the item of an `approval.decided`. */
const ITEM_PREFIX = "declared:";

/** How an `approval.decided` calls what is said of this criterion. */
export function declarationItem(criterion: string): string {
  return `${ITEM_PREFIX}${criterion}`;
}

/** The criterion of such an item; null for any other item. */
export function declaredCriterion(item: string): string | null {
  return item.startsWith(ITEM_PREFIX) ? item.slice(ITEM_PREFIX.length) : null;
}

/** Names exactly what was looked at: another declaration of the same criterion has another hash. */
export function declarationHash({
  criterion,
  status,
  reason,
  call,
}: Pick<Declaration, "criterion" | "status" | "reason" | "call">): string {
  return hash("sha256", canonicalJson({ criterion, status, reason, call }), "hex");
}

/** Is this decision about that declaration, and none before it? */
export function isAbout(
  decision: { readonly item: string; readonly hash: string },
  declaration: Pick<Declaration, "criterion" | "status" | "reason" | "call">,
): boolean {
  return (
    decision.item === declarationItem(declaration.criterion) && decision.hash === declarationHash(declaration)
  );
}

/** What waits for a person: what the agent says that it cannot meet, as long as the newest verdict says so, too. */
export function openDeclarations(
  contract: Pick<ContractState, "declared" | "given"> | null,
): readonly Declaration[] {
  const given = contract?.given?.criteria ?? [];
  return (contract?.declared ?? []).filter(({ criterion, status }) =>
    given.some((each) => each.criterion === criterion && each.status === status),
  );
}
