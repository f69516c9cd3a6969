/** Whether a request may go through the gateway, and what becomes of those whose harness is gone. */
import type { CountedInput } from "../command/state.ts";
import { type EventBody, event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, type Now, type Step } from "../step.ts";
import { exceededCap } from "./budget.ts";

const MILLION = 1_000_000;
/** What a provider may add to what was sent. */
const FRAME_TOKENS = 512;
/** How much denser than the densest so far a text may be. */
const MARGIN = 1.25;

/** What is known of a request before it is sent. */
export interface GatewayWish {
  readonly bodyBytes: number;
  readonly maxOutputTokens: number;
}

/** The reservation, or the cap that it would exceed. */
export type GatewayAdmission =
  | { readonly status: "reserved"; readonly reservation: EventBody<"gateway.request_started">["reservation"] }
  | { readonly status: "exceeded"; readonly exceeded: EventBody<"budget.exhausted"> };

/** Every input token uncached, every output token used. */
export function admit(
  state: SessionState,
  { bodyBytes, maxOutputTokens }: GatewayWish,
  now: Pick<Now, "at" | "day">,
): GatewayAdmission {
  const { config, command } = state;
  const input = inputBound(command?.counted ?? null, bodyBytes);
  const price = config?.agent.model.price;
  const inputPrice = price === undefined ? 0 : Math.max(price.input, price.cache_write);
  const micro = price === undefined ? 0 : (input * inputPrice + maxOutputTokens * price.output) / MILLION;
  const reservation = { tokens: input + maxOutputTokens, cost_micro_usd: Math.ceil(micro) };
  const exceeded = exceededCap(state, reservation, now);
  return exceeded === null ? { status: "reserved", reservation } : { status: "exceeded", exceeded };
}

/**
 * A tokenizer may make a token of each byte, and that is what holds until a provider has counted. Then most of a
 * request is what was counted before, so up to that size the densest that was seen holds, with a margin.
 */
function inputBound(counted: CountedInput | null, bytes: number): number {
  if (counted === null) return bytes + FRAME_TOKENS;
  const known = Math.min(bytes, counted.bytes);
  const dense = Math.min(known, Math.ceil((known * counted.density * MARGIN) / MILLION));
  return dense + (bytes - known) + FRAME_TOKENS;
}

/** Is there a request of a harness that is gone? */
export function hasGatewayOrphans({ command }: SessionState, { epoch }: Now): boolean {
  return command?.open.some((request) => request.epoch !== epoch) === true;
}

/** The stream went with its harness, so what was reserved stays charged. */
export function gatewayOrphaned({ command }: SessionState, { epoch, at }: Now): Step {
  const orphans = (command?.open ?? []).filter((request) => request.epoch !== epoch);
  return append(
    ...orphans.map(({ number, startedAt }) =>
      event("gateway.request_ended", {
        request: number,
        outcome: "lost",
        duration_ms: Math.max(0, Math.round(at - startedAt)),
      }),
    ),
  );
}
