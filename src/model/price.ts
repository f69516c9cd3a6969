/** What requests cost. */
import type { EventBody } from "../core/events/index.ts";
import type { ModelUsage } from "./contract.ts";

/** Micro-dollars per million tokens. */
export type Price = NonNullable<EventBody<"session.created">["agent"]["model"]["price"]>;

/** Of one request, in micro-dollars, rounded up. */
export function costMicroUsd(usage: ModelUsage, price: Price): number {
  const micro =
    usage.inputTokens * price.input +
    usage.outputTokens * price.output +
    usage.cacheReadTokens * price.cache_read +
    usage.cacheWriteTokens * price.cache_write;
  return Math.ceil(micro / 1_000_000);
}
