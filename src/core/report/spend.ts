/** What was spent, by what it was spent on: every request of the agent, of programs and of judges. */
import type { EventBody, SessionEvent } from "../events/index.ts";

/** Of one criterion, or of a whole session. */
export interface Spend {
  /** Of everybody, judges too. */
  readonly requests: number;
  /** Of judges alone. */
  readonly judgeRequests: number;
  readonly tokens: number;
  readonly costMicroUsd: number;
  /** Requests that have not told their usage: what was reserved for them stays charged, and is in the sums above. */
  readonly unsettled: number;
  readonly unsettledTokens: number;
  readonly unsettledCostMicroUsd: number;
}

const NOTHING_SPENT: Spend = {
  requests: 0,
  judgeRequests: 0,
  tokens: 0,
  costMicroUsd: 0,
  unsettled: 0,
  unsettledTokens: 0,
  unsettledCostMicroUsd: 0,
};

/** What an account of spend is made of; a reader needs no others. */
export const SPEND_TYPES: readonly string[] = [
  "span.model_request_start",
  "span.model_request_end",
  "gateway.request_started",
  "gateway.request_ended",
  "judge.request_start",
  "judge.request_end",
];

type Reservation = EventBody<"span.model_request_start">["reservation"];
type Usage = Pick<EventBody<"span.model_request_end">, "model_usage" | "cost_micro_usd">;

/** A request without its receipt. */
interface Reserved {
  /** The criterion; `""` for none. */
  readonly on: string;
  readonly isJudge: boolean;
  readonly reservation: Reservation;
}

/** Charges as the ledger does, so that both come to the same at every place of a log. */
export class SpendReader {
  readonly #open = new Map<string, Reserved>();
  #openJudge: string | null = null;
  #whole = NOTHING_SPENT;
  readonly #on = new Map<string, Spend>();

  /** @param on - the criterion that is worked on; `""` for none */
  add(event: SessionEvent, on: string): void {
    switch (event.type) {
      case "span.model_request_start":
      case "gateway.request_started": {
        const { request, reservation } = event.body;
        this.#open.set(nameOf(event.type, request), { on, isJudge: false, reservation });
        return;
      }
      case "span.model_request_end":
      case "gateway.request_ended":
        this.#settle(nameOf(event.type, event.body.request), event.body);
        return;
      case "judge.request_start": {
        const { request, criterion, reservation } = event.body;
        // Judges ask one by one: whoever asks again has lost the answer before.
        if (this.#openJudge !== null) this.#settle(this.#openJudge, {});
        this.#openJudge = nameOf(event.type, request);
        this.#open.set(this.#openJudge, { on: criterion, isJudge: true, reservation });
        return;
      }
      case "judge.request_end":
        this.#settle(nameOf(event.type, event.body.request), event.body);
        if (this.#openJudge !== null && !this.#open.has(this.#openJudge)) this.#openJudge = null;
        return;
      default:
        return;
    }
  }

  /** So far; what is under way is charged with what is reserved for it. */
  account(): { readonly spend: Spend; readonly spendOn: Readonly<Record<string, Spend>> } {
    let spend = this.#whole;
    const spendOn = new Map(this.#on);
    for (const reserved of this.#open.values()) {
      spend = spendWith(spend, reserved, {});
      spendOn.set(reserved.on, spendWith(spendOn.get(reserved.on) ?? NOTHING_SPENT, reserved, {}));
    }
    return { spend, spendOn: Object.fromEntries(spendOn) };
  }

  #settle(name: string, usage: Usage): void {
    const reserved = this.#open.get(name);
    // Nobody waits for it: the ledger passes over it, too.
    if (reserved === undefined) return;
    this.#open.delete(name);
    this.#whole = spendWith(this.#whole, reserved, usage);
    this.#on.set(reserved.on, spendWith(this.#on.get(reserved.on) ?? NOTHING_SPENT, reserved, usage));
  }
}

function nameOf(type: string, request: number): string {
  return `${type.slice(0, type.indexOf("."))} ${request}`;
}

function spendWith(
  spend: Spend,
  { isJudge, reservation }: Reserved,
  { model_usage: usage, cost_micro_usd: cost = 0 }: Usage,
): Spend {
  const requests = spend.requests + 1;
  const judgeRequests = spend.judgeRequests + (isJudge ? 1 : 0);
  if (usage !== undefined) {
    const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
    const tokens = input_tokens + output_tokens + cache_read_input_tokens + cache_creation_input_tokens;
    return {
      ...spend,
      requests,
      judgeRequests,
      tokens: spend.tokens + tokens,
      costMicroUsd: spend.costMicroUsd + cost,
    };
  }
  return {
    requests,
    judgeRequests,
    tokens: spend.tokens + reservation.tokens,
    costMicroUsd: spend.costMicroUsd + reservation.cost_micro_usd,
    unsettled: spend.unsettled + 1,
    unsettledTokens: spend.unsettledTokens + reservation.tokens,
    unsettledCostMicroUsd: spend.unsettledCostMicroUsd + reservation.cost_micro_usd,
  };
}
