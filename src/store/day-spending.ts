/** How a day is charged: the same for every store. */
import type { Spending } from "../core/budget/state.ts";
import type { DayCharge } from "./contract.ts";

/** Days that a store keeps; older ones tell nobody anything. */
export const DAYS_KEPT = 40;

const AMOUNTS = ["requests", "tokens", "costMicroUsd"] as const;

/** Would it add to something of which the day would then have more than the cap? */
export function isOverDay(spent: Spending, { delta, cap = {} }: DayCharge): boolean {
  return AMOUNTS.some(
    (amount) =>
      delta[amount] > 0 && spent[amount] + delta[amount] > (cap[amount] ?? Number.POSITIVE_INFINITY),
  );
}

/** What the day is charged afterwards. */
export function afterCharge(spent: Spending, { delta }: DayCharge): Spending {
  const after = (amount: keyof Spending): number => Math.max(0, spent[amount] + delta[amount]);
  return { requests: after("requests"), tokens: after("tokens"), costMicroUsd: after("costMicroUsd") };
}
