/** What commands say of a session, in words and as JSON. */
import { costCharged, type SessionState, tokensCharged } from "../core/state.ts";
import type { SessionSummary } from "../core/summary.ts";
import type { SessionRecord } from "../store/contract.ts";
import { formatCost, formatCount, formatQuantity } from "./render/format.ts";

/** What the row says about its session; undefined before the first wake. */
export function summaryOf(record: SessionRecord): SessionSummary | undefined {
  return record.summary === null ? undefined : (JSON.parse(record.summary) as SessionSummary);
}

/** The session as one JSON value. */
export function resultOf(state: SessionState): { readonly [field: string]: unknown } {
  const { ledger } = state;
  return {
    session_id: state.sessionId,
    title: state.config?.title ?? null,
    phase: state.phase,
    stop_reason: state.stopReason,
    seq: state.seq,
    usage: {
      model_requests: ledger.requests,
      input_tokens: ledger.inputTokens,
      output_tokens: ledger.outputTokens,
      cache_read_input_tokens: ledger.cacheReadTokens,
      cache_creation_input_tokens: ledger.cacheWriteTokens,
      unsettled_requests: ledger.unsettledRequests,
      tokens_charged: tokensCharged(state),
      cost_micro_usd: costCharged(state),
    },
  };
}

/** `5 requests, 12,345 tokens, $0.12 (1 request never told its usage)`. */
export function spentText(state: SessionState): string {
  const { ledger } = state;
  const price = state.config?.agent.model.price === undefined ? "" : `, ${formatCost(costCharged(state))}`;
  const unsettled =
    ledger.unsettledRequests === 0
      ? ""
      : `, of that ${formatCount(ledger.unsettledTokens)} reserved by ${formatQuantity(ledger.unsettledRequests, "lost request")}`;
  return `${formatQuantity(ledger.requests, "request")}, ${formatCount(tokensCharged(state))} tokens${price}${unsettled}`;
}
