/** Facts about model requests, and the ledger: reserved before, settled after. */

import type { EventBody, SessionEvent } from "../events/index.ts";
import type { Ledger, OpenRequest, RetryState, SessionState } from "../state.ts";
import { turnBegun, turnEnded } from "./contract.ts";

/** Notes `span.*`, `model.*` and `judge.*`. */
export function reduceRequests(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "span.model_request_start":
      return started(state, event.body, event.at);
    case "span.model_request_end":
      return state.request?.number === event.body.request
        ? ended(state, state.request, event.body, event.at)
        : state;
    case "model.switched": {
      const { until, decided_at: decidedAt } = event.body;
      return { ...state, switched: { until, decidedAt }, retry: null };
    }
    case "judge.request_start": {
      const { request: number, reservation } = event.body;
      const ledger = unsettledJudge(state);
      return {
        ...state,
        judgeRequest: { number, startedAt: event.at, reservation },
        ledger: { ...ledger, judgeRequests: ledger.judgeRequests + 1 },
      };
    }
    case "judge.request_end":
      return state.judgeRequest?.number === event.body.request ? judgeEnded(state, event.body) : state;
    default:
      return state;
  }
}

function judgeEnded(state: SessionState, body: EventBody<"judge.request_end">): SessionState {
  const { model_usage: usage, cost_micro_usd: cost = 0 } = body;
  if (usage === undefined) return { ...state, judgeRequest: null, ledger: unsettledJudge(state) };
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
  const tokens = input_tokens + output_tokens + cache_read_input_tokens + cache_creation_input_tokens;
  const { ledger } = state;
  return {
    ...state,
    judgeRequest: null,
    ledger: {
      ...ledger,
      judgeTokens: ledger.judgeTokens + tokens,
      judgeCostMicroUsd: ledger.judgeCostMicroUsd + cost,
    },
  };
}

/** The ledger with a judge's request that nobody heard of again: it stays charged. */
export function unsettledJudge({ ledger, judgeRequest }: SessionState): Ledger {
  if (judgeRequest === null) return ledger;
  const { tokens, cost_micro_usd } = judgeRequest.reservation;
  return {
    ...ledger,
    unsettledRequests: ledger.unsettledRequests + 1,
    unsettledTokens: ledger.unsettledTokens + tokens,
    unsettledCostMicroUsd: ledger.unsettledCostMicroUsd + cost_micro_usd,
  };
}

function started(state: SessionState, body: EventBody<"span.model_request_start">, at: number): SessionState {
  const request = { number: body.request, epoch: body.epoch, startedAt: at, reservation: body.reservation };
  return {
    ...state,
    requests: body.request,
    request,
    calls: [],
    contract: turnBegun(state),
    ledger: { ...state.ledger, requests: state.ledger.requests + 1 },
  };
}

function ended(
  state: SessionState,
  request: OpenRequest,
  body: EventBody<"span.model_request_end">,
  at: number,
): SessionState {
  const base = { ...state, request: null, ledger: settled(state.ledger, request, body) };
  switch (body.outcome) {
    case "answered":
      return {
        ...base,
        answerOwed: false,
        refused: body.stop_reason === "refusal",
        inputSurplus: surplusAfter(state, request, body.model_usage),
        cutShort: body.stop_reason === "max_tokens" ? state.cutShort + 1 : 0,
        retry: null,
        switched: isOwnModel(state) ? null : state.switched,
        losses: 0,
        contract: turnEnded(state, body.stop_reason),
      };
    case "failed":
      return { ...base, answerOwed: true, retry: failed(state.retry, body, at) };
    case "lost":
      return { ...base, answerOwed: true, losses: state.losses + 1 };
    case "interrupted":
      return { ...base, answerOwed: true, retry: null };
  }
}

/** Did the session's own model answer, and not the one that stands in? */
function isOwnModel({ thread, config }: SessionState): boolean {
  const model = config?.agent.model;
  return thread === null || model === undefined || thread.model === `${model.provider}:${model.id}`;
}

/** What was sent stays as it is, so its count holds for the next request, too; only what is new has to be bounded. */
function surplusAfter(
  { inputSurplus, config }: SessionState,
  { reservation }: OpenRequest,
  usage: EventBody<"span.model_request_end">["model_usage"],
): number {
  if (usage === undefined) return inputSurplus;
  const counted = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  const bound = reservation.tokens - (config?.agent.model.max_output_tokens ?? 0);
  return counted === 0 ? inputSurplus : inputSurplus + bound - counted;
}

function failed(
  previous: RetryState | null,
  body: EventBody<"span.model_request_end">,
  at: number,
): RetryState {
  return {
    errorClass: body.error?.class ?? "unknown",
    message: body.error?.message ?? "",
    failures: (previous?.failures ?? 0) + 1,
    since: previous?.since ?? at,
    failedAt: at,
    retryAfterMs: body.error?.retry_after_ms ?? 0,
    resumeAt: null,
    decidedAt: at,
  };
}

/** Usage replaces the reservation; without usage the reservation stays charged. */
export function settled(
  ledger: Ledger,
  request: Pick<OpenRequest, "reservation">,
  body: Pick<EventBody<"span.model_request_end">, "model_usage" | "cost_micro_usd">,
): Ledger {
  const usage = body.model_usage;
  if (usage === undefined) {
    return {
      ...ledger,
      unsettledRequests: ledger.unsettledRequests + 1,
      unsettledTokens: ledger.unsettledTokens + request.reservation.tokens,
      unsettledCostMicroUsd: ledger.unsettledCostMicroUsd + request.reservation.cost_micro_usd,
    };
  }
  return {
    ...ledger,
    inputTokens: ledger.inputTokens + usage.input_tokens,
    outputTokens: ledger.outputTokens + usage.output_tokens,
    cacheReadTokens: ledger.cacheReadTokens + usage.cache_read_input_tokens,
    cacheWriteTokens: ledger.cacheWriteTokens + usage.cache_creation_input_tokens,
    costMicroUsd: ledger.costMicroUsd + (body.cost_micro_usd ?? 0),
  };
}
