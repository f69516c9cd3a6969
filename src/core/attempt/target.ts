/** What the next attempt is about: one criterion at a time, in the contract's order. */
import type { Criterion, CriterionStatus } from "../contract/contract.ts";
import type { ContractState } from "../contract/state.ts";
import type { SessionState } from "../state.ts";

/**
 * How a criterion stands by the newest verdict on this contract, a waiver that holds, or what the agent has declared;
 * before the first verdict by the checks on the base.
 */
export function statusOf(state: SessionState, criterion: string, at: number): CriterionStatus {
  const { contract, attempts } = state;
  if (contract === null) return "unmet";
  if (isWaived(contract, criterion, at)) return "waived";
  const declared = contract.declared.find((each) => each.criterion === criterion);
  const found = isCurrent(contract)
    ? contract.given?.criteria.find((each) => each.criterion === criterion)?.status
    : attempts.metAtBase.includes(criterion)
      ? "met"
      : undefined;
  if (found === "met") return "met";
  return declared?.status ?? (found === undefined || found === "waived" ? "unmet" : found);
}

/** The criterion that is next; null when none is left that an agent could do something about. */
export function nextTarget(state: SessionState, at: number): string | null {
  const criteria = state.contract?.contract.criteria ?? [];
  const isDone = (id: string): boolean => ["met", "waived"].includes(statusOf(state, id, at));
  const open = criteria.filter(({ id }) => ["unmet", "error"].includes(statusOf(state, id, at)));
  const isReady = ({ needs }: Criterion): boolean => needs.every(isDone);
  return (open.find(isReady) ?? open[0])?.id ?? null;
}

function isCurrent(contract: ContractState): boolean {
  return contract.given !== null && contract.given.contractHash === contract.hash;
}

function isWaived({ waivers }: ContractState, id: string, at: number): boolean {
  return waivers.some(({ criterion, expiresAt }) => criterion === id && at < expiresAt);
}
