/** Promises about money. The sums are made here once more, from the events alone. */
import type { EventBody } from "../../../src/core/events/index.ts";
import type { EventMoment, Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

type Limits = EventBody<"control.set_limits">["limits"];

interface Account {
  limits: Limits;
  requests: number;
  tokens: number;
  costMicroUsd: number;
  reserved: Reservation;
  /** Of requests through the gateway, by their number. */
  readonly gateway: Map<number, Reservation>;
  /** What was charged when the open attempt began. */
  atStart: Spent;
  criterion: string | null;
  /** By criterion, in attempts that have ended. */
  readonly spentOn: Map<string, Spent>;
}

interface Reservation {
  readonly tokens: number;
  readonly cost_micro_usd: number;
}

interface Spent {
  readonly requests: number;
  readonly tokens: number;
  readonly costMicroUsd: number;
}

const NOTHING: Spent = { requests: 0, tokens: 0, costMicroUsd: 0 };

/** No request starts that could exceed a cap, and what was reserved stays charged until usage is told. */
export function spendIsReservedFirst(): Invariant {
  const accounts = new Map<ObservedLog, Account>();
  return {
    promise: "spend-is-reserved-first",
    onEvent: (moment) => {
      const account = accounts.get(moment.log) ?? {
        limits: {},
        requests: 0,
        tokens: 0,
        costMicroUsd: 0,
        reserved: { tokens: 0, cost_micro_usd: 0 },
        gateway: new Map<number, Reservation>(),
        ...{ atStart: NOTHING, criterion: null, spentOn: new Map<string, Spent>() },
      };
      accounts.set(moment.log, account);
      return book(account, moment);
    },
  };
}

function book(account: Account, { event, log }: EventMoment): string | null {
  switch (event.type) {
    case "session.created":
      account.limits = event.body.limits;
      return null;
    case "control.set_limits":
      account.limits = raised(account.limits, event.body.limits);
      return null;
    case "attempt.started":
      return begin(account, event.body);
    case "span.model_request_start":
      account.reserved = event.body.reservation;
      reserve(account, account.reserved);
      return overCap(account, event.body.request);
    case "gateway.request_started":
      account.gateway.set(event.body.request, event.body.reservation);
      reserve(account, event.body.reservation);
      return overCap(account, event.body.request);
    case "span.model_request_end":
      settle(account, account.reserved, event.body);
      return ledgerDiffers(account, log);
    case "gateway.request_ended": {
      const reserved = account.gateway.get(event.body.request);
      if (reserved === undefined) return `a receipt for request ${event.body.request}, which is not open`;
      account.gateway.delete(event.body.request);
      settle(account, reserved, event.body);
      return ledgerDiffers(account, log);
    }
    default:
      return null;
  }
}

function raised(limits: Limits, more: Limits): Limits {
  const { attempt, criterion } = more;
  return {
    ...{ ...limits, ...more },
    ...(attempt && { attempt: { ...limits.attempt, ...attempt } }),
    ...(criterion && { criterion: { ...limits.criterion, ...criterion } }),
  };
}

/** What the attempt before has cost belongs to its criterion. */
function begin(account: Account, { attempt, criterion }: EventBody<"attempt.started">): string | null {
  if (account.criterion !== null) account.spentOn.set(account.criterion, spentOnCriterion(account));
  account.atStart = spent(account);
  account.criterion = criterion;
  return attempt > (account.limits.attempts ?? Infinity)
    ? `attempt ${attempt} exceeds the cap on attempts`
    : null;
}

function spent({ requests, tokens, costMicroUsd }: Account): Spent {
  return { requests, tokens, costMicroUsd };
}

function inAttempt(account: Account): Spent {
  const { atStart } = account;
  return {
    requests: account.requests - atStart.requests,
    tokens: account.tokens - atStart.tokens,
    costMicroUsd: account.costMicroUsd - atStart.costMicroUsd,
  };
}

function spentOnCriterion(account: Account): Spent {
  const before = account.spentOn.get(account.criterion ?? "") ?? NOTHING;
  const now = inAttempt(account);
  return {
    requests: before.requests + now.requests,
    tokens: before.tokens + now.tokens,
    costMicroUsd: before.costMicroUsd + now.costMicroUsd,
  };
}

function overCap(account: Account, request: number): string | null {
  const { limits, criterion } = account;
  return (
    overCaps(limits, spent(account), request) ??
    overCaps(limits.attempt, inAttempt(account), request) ??
    (criterion === null ? null : overCaps(limits.criterion, spentOnCriterion(account), request))
  );
}

function overCaps(
  limits: Limits["attempt"] = {},
  { requests, tokens, costMicroUsd }: Spent,
  request: number,
): string | null {
  if (requests > (limits.model_requests ?? Infinity)) return `request ${request} exceeds the cap of requests`;
  if (tokens > (limits.tokens ?? Infinity))
    return `request ${request} could bring ${tokens} tokens over the cap`;
  return costMicroUsd > (limits.cost_micro_usd ?? Infinity)
    ? `request ${request} could exceed the cap on cost`
    : null;
}

function reserve(account: Account, { tokens, cost_micro_usd }: Reservation): void {
  account.requests += 1;
  account.tokens += tokens;
  account.costMicroUsd += cost_micro_usd;
}

function settle(
  account: Account,
  reserved: Reservation,
  body: Pick<EventBody<"span.model_request_end">, "model_usage" | "cost_micro_usd">,
): void {
  const usage = body.model_usage;
  if (usage === undefined) return;
  const used =
    usage.input_tokens +
    usage.output_tokens +
    usage.cache_read_input_tokens +
    usage.cache_creation_input_tokens;
  account.tokens += used - reserved.tokens;
  account.costMicroUsd += (body.cost_micro_usd ?? 0) - reserved.cost_micro_usd;
}

function ledgerDiffers(account: Account, { state: { ledger } }: ObservedLog): string | null {
  const tokens =
    ledger.inputTokens +
    ledger.outputTokens +
    ledger.cacheReadTokens +
    ledger.cacheWriteTokens +
    ledger.unsettledTokens;
  if (tokens !== account.tokens) return `the ledger says ${tokens} tokens, the events say ${account.tokens}`;
  const cost = ledger.costMicroUsd + ledger.unsettledCostMicroUsd;
  if (cost !== account.costMicroUsd) return `the ledger says ${cost}, the events say ${account.costMicroUsd}`;
  return ledger.requests === account.requests ? null : `the ledger says ${ledger.requests} requests`;
}
