/** The gateway's view of the log: reserves before, settles after, through the driver that holds the lease. */
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import { reduceCommand } from "../core/reduce/command.ts";
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
    const { attempt, epoch, onFact } = this.#parts;
    const state = this.#ahead();
    const admission = admit(state, wish, { at: this.#parts.wallMs() });
    try {
      if (admission.status === "exceeded") {
        await this.#exhausted(admission.exceeded);
        const { cap, limit } = admission.exceeded;
        const message = `the budget of this session is used up (${cap}: ${limit}); no further request is let through`;
        return { status: "refused", message };
      }
      const request = (state.command?.requests ?? 0) + 1;
      const started = event("gateway.request_started", {
        ...{ request, attempt, epoch },
        wire: wish.wire,
        model: wish.model.slice(0, 256),
        ...(wish.askedModel !== wish.model && { asked_model: wish.askedModel }),
        body_bytes: wish.bodyBytes,
        reservation: admission.reservation,
      });
      await onFact(started);
      this.#written.push(started);
      return { status: "reserved", request };
    } catch {
      // The driver has given the intent up, or somebody else holds the lease: nothing was sent.
      return { status: "over" };
    }
  }

  async #exhausted(exceeded: EventBody<"budget.exhausted">): Promise<void> {
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    await this.#parts.onFact(event("budget.exhausted", exceeded));
    this.#parts.onExhausted();
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
