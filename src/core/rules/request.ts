/** A model request is open. */
import { event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, inFlight, type Now, perform, type Step } from "../step.ts";

/** Requests lost in a row after which something else must be wrong. */
const LOSSES_MAX = 50;

/** Its harness is gone, and with it the stream: it stays charged and is asked again. */
export function orphaned(state: SessionState, now: Now): Step {
  const { request } = state;
  if (request === null) return perform([]);
  const lost = event("span.model_request_end", {
    request: request.number,
    outcome: "lost",
    is_error: true,
    duration_ms: Math.max(0, now.at - request.startedAt),
  });
  // What a person wants comes first; and it ends the row anyway.
  if (state.losses + 1 < LOSSES_MAX || state.halt !== null) return append(lost);
  return append(
    lost,
    event("breaker.tripped", {
      cause: "losses",
      detail: `${LOSSES_MAX} model requests in a row were lost to dying harnesses`,
    }),
    event("session.status_idle", { stop_reason: { type: "stalled" } }),
  );
}

/** Wait for the answer, but not for ever: a request without a sign of life is given up. */
export function answering(state: SessionState, now: Now): Step {
  const { request, config } = state;
  if (request === null || config === null) return perform([]);
  const leftMs = config.policy.idle_timeout_ms - now.quietMs;
  if (leftMs > 0) return perform(inFlight(state), leftMs);
  const seconds = Math.round(now.quietMs / 1000);
  return append(
    event("breaker.tripped", { cause: "idle", detail: `no sign of life from the model for ${seconds} s` }),
    event("span.model_request_end", {
      request: request.number,
      outcome: "failed",
      is_error: true,
      error: { class: "stalled", message: `no sign of life for ${seconds} s` },
      duration_ms: Math.max(0, now.at - request.startedAt),
    }),
  );
}
