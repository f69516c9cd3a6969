/** Says to one who is away how a session rests. */
import type { EventBody } from "../../core/events/index.ts";
import { eventId } from "../../core/ids.ts";
import { noticeKind } from "../../core/rules/notices.ts";
import { openApprovals, openQuestions } from "../../core/rules/people.ts";
import type { SessionState } from "../../core/state.ts";
import { costCharged, tokensCharged } from "../../core/state.ts";
import type { Json } from "../../core/text.ts";
import type { Notifier } from "./contract.ts";

/** The receipt, whatever comes of it. */
export async function notify(
  notifier: Notifier | null,
  { seq, target }: { readonly seq: number; readonly target: string },
  state: SessionState,
  signal: AbortSignal,
): Promise<EventBody<"notification.sent">> {
  const kind = noticeKind(state);
  const { notice } = state.people;
  if (notifier === null || kind === null || notice === null)
    return { event_seq: seq, target, ok: false, tries: 0, detail: "there is nobody to tell" };
  const id = `${eventId(state.sessionId, seq)}_${kind}`;
  const sent = { id, kind, at: notice.at, data: dataOf(state, seq) };
  const { isDelivered, tries, detail } = await notifier.send(target, sent, signal);
  return { event_seq: seq, target, ok: isDelivered, tries, detail: detail.slice(0, 500) };
}

/** What is in the state, hence redacted; no word of the agent. */
function dataOf(state: SessionState, seq: number): { readonly [field: string]: Json } {
  const { config, contract, stopReason, sessionId, ledger } = state;
  return {
    session_id: sessionId,
    title: config?.title ?? "",
    event_seq: seq,
    stop_reason: stopReason as unknown as Json,
    questions: openQuestions(state).map(({ question, expiresAt }) => ({ question, expires_at: expiresAt })),
    approvals: openApprovals(state).map(({ call, expiresAt }) => ({ call, expires_at: expiresAt })),
    criteria: (contract?.given?.criteria ?? []).map(({ criterion, status }) => ({ criterion, status })),
    usage: {
      model_requests: ledger.requests,
      tokens: tokensCharged(state),
      cost_micro_usd: config?.agent.model.price === undefined ? null : costCharged(state),
    },
  };
}
