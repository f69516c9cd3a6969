/** How many verdicts a worker may ask for. */
import type { ContractState } from "./state.ts";

/** As `session.status_idle` calls it. */
export const VERDICT_CAP = "verdicts";

/**
 * Has the worker had all that it may ask for? One that could not be made, or was cut off, has told nobody anything, and
 * counts for none. A person may always ask.
 */
export function hasSpentVerdicts({ given, contract }: Pick<ContractState, "given" | "contract">): boolean {
  return given !== null && given.outcome !== "error" && given.number >= contract.limits.verdicts;
}
