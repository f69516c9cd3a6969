/** What commands say of a session, in words and as JSON. */
import type { Clock } from "../core/clock.ts";
import { doubtOf } from "../core/contract/counting.ts";
import type { ContractState } from "../core/contract/state.ts";
import { isNightshiftError, type NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import { costCharged, type SessionState, tokensCharged } from "../core/state.ts";
import type { SessionSummary } from "../core/summary.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import { formatCost, formatCount, formatQuantity } from "./render/format.ts";

/** A log that cannot be read is told of, and hides no other session. @param told - what is said instead */
export async function unlessDamaged<T>(
  read: () => Promise<T>,
  told: (error: NightshiftError) => T,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isNightshiftError(error) || !error.code.startsWith("E_LOG_")) throw error;
    return told(error);
  }
}

/** What the row says about its session; undefined before the first wake. */
export function summaryOf(record: SessionRecord): SessionSummary | undefined {
  return record.summary === null ? undefined : (JSON.parse(record.summary) as SessionSummary);
}

/** What the facts of a session are read with. */
interface FactsParts {
  readonly store: Pick<Store, "getEvents">;
  readonly clock: Pick<Clock, "wallMs">;
}

/** The session as one JSON value. */
export async function resultOf(
  { store, clock }: FactsParts,
  state: SessionState,
): Promise<{ readonly [field: string]: unknown }> {
  const { ledger } = state;
  return {
    session_id: state.sessionId,
    title: state.config?.title ?? null,
    phase: state.phase,
    stop_reason: state.stopReason,
    seq: state.seq,
    contract: contractOf(state, await problemsOf(store, state), clock.wallMs()),
    branch: state.branch?.published ?? null,
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

type Problem = EventBody<"preflight.finished">["problems"][number];

/** Why the checks cannot run on the base, by the log; nothing where they can, or nobody has looked. */
export async function problemsOf(
  store: Pick<Store, "getEvents">,
  { sessionId, contract }: SessionState,
): Promise<readonly Problem[]> {
  if (contract?.preflight !== "refused") return [];
  const range = { backwards: true, limit: 1, types: ["preflight.finished"] };
  const [finished] = await store.getEvents(sessionId, range);
  return finished?.type === "preflight.finished" ? finished.body.problems : [];
}

/** What was agreed and how it stands; null without a contract. */
function contractOf(
  { contract, workspace }: SessionState,
  problems: readonly Problem[],
  now: number,
): { readonly [field: string]: unknown } | null {
  if (contract === null) return null;
  const { given } = contract;
  return {
    hash: contract.hash,
    preflight: contract.preflight,
    problems: problems.map(({ criterion = null, code, message }) => ({ criterion, code, message })),
    amendments: contract.amendments,
    amendment: contract.amendment && {
      author: contract.amendment.author,
      reason: contract.amendment.reason,
      hash: contract.amendment.hash,
    },
    waivers: contract.waivers.map(({ criterion, owner, reason, expiresAt }) => ({
      criterion,
      owner,
      reason,
      expires_at: expiresAt,
      is_over: expiresAt <= now,
    })),
    denials: contract.denials,
    verdicts: contract.verdicts,
    verdict: given && {
      number: given.number,
      outcome: given.outcome,
      commit: given.commit,
      is_stale: isStale(contract, workspace) || doubtOf(contract, now) !== null,
    },
    criteria: criteriaOf(contract),
    review: contract.review,
  };
}

/** Has anything changed since the newest verdict? */
function isStale({ given, hash }: ContractState, workspace: SessionState["workspace"]): boolean {
  if (given === null || workspace === null) return true;
  return given.contractHash !== hash || given.commit !== workspace.saved.commit || workspace.unsaved > 0;
}

/** Each criterion with what the newest verdict says of it; `open` before there is one. */
export function criteriaOf({
  contract,
  given,
}: ContractState): { readonly criterion: string; readonly description: string; readonly status: string }[] {
  return contract.criteria.map(({ id, description }) => ({
    criterion: id,
    description,
    status: given?.criteria.find(({ criterion }) => criterion === id)?.status ?? "open",
  }));
}

/** `5 requests, 12,345 tokens, $0.12 (1 request never told its usage)`. */
export function spentText(state: SessionState): string {
  const { ledger } = state;
  const price = state.config?.agent.model.price === undefined ? "" : `, ${formatCost(costCharged(state))}`;
  const unsettled =
    ledger.unsettledRequests === 0
      ? ""
      : `, of that ${formatCount(ledger.unsettledTokens)} reserved by ${formatQuantity(ledger.unsettledRequests, "lost request")}`;
  const judge = ledger.judgeRequests === 0 ? "" : ` and ${ledger.judgeRequests} of the judge`;
  return `${formatQuantity(ledger.requests, "request")}${judge}, ${formatCount(tokensCharged(state))} tokens${price}${unsettled}`;
}
