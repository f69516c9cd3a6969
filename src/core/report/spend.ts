/** What was spent, by what it was spent on. */
import type { EventBody } from "../events/index.ts";

/** Of one criterion, or of a whole session. */
export interface Spend {
  readonly requests: number;
  readonly tokens: number;
  readonly costMicroUsd: number;
  /** Requests that never told their usage: what was reserved for them stays charged, and is in the sums above. */
  readonly unsettled: number;
  readonly unsettledTokens: number;
  readonly unsettledCostMicroUsd: number;
}

/** Nothing. */
export const NOTHING_SPENT: Spend = {
  requests: 0,
  tokens: 0,
  costMicroUsd: 0,
  unsettled: 0,
  unsettledTokens: 0,
  unsettledCostMicroUsd: 0,
};

type Reservation = EventBody<"span.model_request_start">["reservation"];

/** The end of one request added, as the ledger counts it: without usage, what was reserved stays charged. */
export function spendWith(
  spend: Spend,
  reserved: Reservation,
  { model_usage: usage, cost_micro_usd: cost = 0 }: EventBody<"span.model_request_end">,
): Spend {
  const requests = spend.requests + 1;
  if (usage !== undefined) {
    const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
    const tokens = input_tokens + output_tokens + cache_read_input_tokens + cache_creation_input_tokens;
    return {
      ...spend,
      requests,
      tokens: spend.tokens + tokens,
      costMicroUsd: spend.costMicroUsd + cost,
    };
  }
  return {
    requests,
    tokens: spend.tokens + reserved.tokens,
    costMicroUsd: spend.costMicroUsd + reserved.cost_micro_usd,
    unsettled: spend.unsettled + 1,
    unsettledTokens: spend.unsettledTokens + reserved.tokens,
    unsettledCostMicroUsd: spend.unsettledCostMicroUsd + reserved.cost_micro_usd,
  };
}
