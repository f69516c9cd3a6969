/** The gateway's view of the log: reserves before, settles after, through the driver that holds the lease. */
import { isDayCap } from "../core/budget/state.ts";
import { isNightshiftError } from "../core/errors.ts";
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import { reduceCommand } from "../core/reduce/command.ts";
import type { Exhausted, Wanted } from "../core/rules/budget.ts";
import { admit } from "../core/rules/gateway.ts";
import type { SessionState } from "../core/state.ts";
import type { Admission, GatewayMeter, RequestWish, Settlement } from "../gateway/model/contract.ts";
import { costMicroUsd } from "../model/price.ts";

/** What it works with. */
export interface MeterParts {
  readonly attempt: number;
  readonly epoch: number;
  readonly wallMs: () => number;
  /** The committed fold. */
  readonly current: () => SessionState;
  /** Waits until the fact is in the log; rejects when the lease or the attempt is over. */
  readonly onFact: (fact: EventInput) => Promise<Sequence>;
  /** The same for a reservation. @throws NightshiftError `E_CAP_REACHED`, with `data.exhausted`, when the day is spent */
  readonly onReservation: (fact: EventInput, wanted: Wanted) => Promise<Sequence>;
  readonly onFacts: (facts: readonly EventInput[]) => void;
  /** A cap was reached: called once. */
  readonly onExhausted: () => void;
}

type Started = EventInput<"gateway.request_started">;

/** A meter for one attempt. */
export function createGatewayMeter(parts: MeterParts): GatewayMeter {
  return new LogMeter(parts);
}

class LogMeter implements GatewayMeter {
  readonly #parts: MeterParts;
  /** Reservations come one after the other: each must see those before it. */
  #last: Promise<unknown> = Promise.resolve();
  /** In the log, but perhaps not in the fold yet. */
  #written: Started[] = [];
  #isExhausted = false;

  constructor(parts: MeterParts) {
    this.#parts = parts;
  }

  reserve(wish: RequestWish): Promise<Admission> {
    const admission = this.#last.then(() => this.#reserve(wish));
    this.#last = admission.catch(() => undefined);
    return admission;
  }

  settle({ request, outcome, status, error, usage, durationMs }: Settlement): void {
    const price = this.#parts.current().config?.agent.model.price;
    const charge = usage === undefined ? {} : { model_usage: usageBody(usage) };
    this.#parts.onFacts([
      event("gateway.request_ended", {
        request,
        outcome,
        ...(status !== undefined && { status }),
        ...(error !== undefined && { error: error.slice(0, 2000) }),
        ...charge,
        ...(usage !== undefined && price !== undefined && { cost_micro_usd: costMicroUsd(usage, price) }),
        duration_ms: durationMs,
      }),
    ]);
  }

  async #reserve(wish: RequestWish): Promise<Admission> {
    const { attempt, epoch, onReservation } = this.#parts;
    const state = this.#ahead();
    const admission = admit(state, wish, { at: this.#parts.wallMs() });
    try {
      if (admission.status === "exceeded") return await this.#refused(admission.exceeded);
      const request = (state.command?.requests ?? 0) + 1;
      const started = event("gateway.request_started", {
        ...{ request, attempt, epoch },
        wire: wish.wire,
        model: wish.model.slice(0, 256),
        ...(wish.askedModel !== wish.model && { asked_model: wish.askedModel }),
        body_bytes: wish.bodyBytes,
        reservation: admission.reservation,
      });
      const { tokens, cost_micro_usd } = admission.reservation;
      const isPriced = state.config?.agent.model.price !== undefined;
      await onReservation(started, { requests: 1, tokens, costMicroUsd: isPriced ? cost_micro_usd : null });
      this.#written.push(started);
      return { status: "reserved", request };
    } catch (error) {
      if (isNightshiftError(error, "E_CAP_REACHED"))
        return await this.#refusedByDay(error.data.exhausted as Exhausted);
      // The driver has given the intent up, or somebody else holds the lease: nothing was sent.
      return { status: "over" };
    }
  }

  async #refusedByDay(exceeded: Exhausted): Promise<Admission> {
    try {
      return await this.#refused(exceeded);
    } catch {
      return { status: "over" };
    }
  }

  async #refused(exceeded: Exhausted): Promise<Admission> {
    const { cap, limit } = exceeded;
    const whose = isDayCap(cap) ? "this day" : "this session";
    const message = `the budget of ${whose} is used up (${cap}: ${limit}); no further request is let through`;
    if (this.#isExhausted) return { status: "refused", message };
    this.#isExhausted = true;
    await this.#parts.onFact(event("budget.exhausted", exceeded));
    this.#parts.onExhausted();
    return { status: "refused", message };
  }

  /** The fold with what was written since: it may be behind for a moment. */
  #ahead(): SessionState {
    let state = this.#parts.current();
    const known = state.command?.requests ?? 0;
    this.#written = this.#written.filter(({ body }) => body.request > known);
    for (const { body } of this.#written) {
      const item = { type: "gateway.request_started", body, seq: state.seq, at: state.lastEventAt } as const;
      state = reduceCommand(state, item, state);
    }
    return state;
  }
}

function usageBody(
  usage: NonNullable<Settlement["usage"]>,
): EventBody<"gateway.request_ended">["model_usage"] {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
  };
}
