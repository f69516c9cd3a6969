/** The owed request has failed: wait as its class of error demands, or give up. The back-off is in the log. */
import { hash } from "node:crypto";
import { event } from "../events/index.ts";
import type { RetryState, SessionState, StopReason } from "../state.ts";
import { append, inFlight, leave, type Now, perform, type Step } from "../step.ts";

/** A longer wait gives the session back meanwhile. */
const WAIT_IN_PROCESS_MS = 10_000;
const BACKOFF_MAX_MS = 5 * 60_000;
/** No provider's reset is believed beyond this. */
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;

/** First back-off by class in milliseconds; a class that is not here is not worth another try. */
const BACKOFF_FIRST_MS: { readonly [errorClass: string]: number } = {
  rate_limit: 5_000,
  overloaded: 2_000,
  network: 1_000,
  timeout: 1_000,
  stalled: 1_000,
  garbage: 1_000,
  unknown: 2_000,
};

/** What a person must do about an error that no retry mends. */
const TERMINAL_CODES: { readonly [errorClass: string]: string } = { authentication: "E_MODEL_AUTH" };

/** Waits, tries again, or goes idle. */
export function backingOff(state: SessionState, now: Now): Step {
  const { retry, config } = state;
  if (retry === null || config === null) return perform(inFlight(state));
  const firstMs = BACKOFF_FIRST_MS[retry.errorClass];
  if (firstMs === undefined)
    return giveUp(
      retry,
      { type: "failed", code: TERMINAL_CODES[retry.errorClass] ?? "E_MODEL_REFUSED" },
      "terminal",
    );
  if (retry.failures >= config.policy.model_failures_max)
    return giveUp(retry, { type: "retries_exhausted" }, "exhausted");
  if (retry.resumeAt === null) {
    const resumeAt = Math.round(now.at + delayMs(state, retry, firstMs));
    return append(
      event("session.status_rescheduled", {
        resume_at: resumeAt,
        decided_at: now.at,
        failures: retry.failures,
        error_class: retry.errorClass,
      }),
    );
  }
  return waitUntil(state, retry.resumeAt, now);
}

/** Waits here, or lets go of the session when that would take long. */
export function waitUntil(state: SessionState, resumeAt: number, now: Now): Step {
  const waitMs = resumeAt - now.at;
  return waitMs > WAIT_IN_PROCESS_MS ? leave(resumeAt) : perform(inFlight(state), waitMs);
}

/** A wait that is in the log, once `resumeAt` is not null. */
type Wait = Pick<RetryState, "resumeAt" | "decidedAt">;

/** Is the wait over? Also when the clock went back behind the moment the wait was decided at. */
export function isRetryDue(retry: Wait, at: number): boolean {
  return retry.resumeAt !== null && (at >= retry.resumeAt || at < retry.decidedAt);
}

function giveUp(retry: RetryState, reason: StopReason, status: "exhausted" | "terminal"): Step {
  const code = reason.type === "failed" ? reason.code : "E_MODEL_UNAVAILABLE";
  return append(
    event("session.error", {
      error: {
        type: errorType(retry.errorClass),
        code,
        message: retry.message || retry.errorClass,
        retry_status: { type: status },
      },
    }),
    event("session.status_idle", { stop_reason: reason }),
  );
}

/** Names of the Managed Agents taxonomy. */
function errorType(errorClass: string): string {
  if (errorClass === "overloaded") return "model_overloaded_error";
  if (errorClass === "rate_limit") return "model_rate_limited_error";
  if (errorClass === "billing") return "billing_error";
  return "model_request_failed_error";
}

/** Exponential, with a jitter; never before the provider's own time. */
function delayMs(state: SessionState, retry: RetryState, firstMs: number): number {
  const exponential = Math.min(BACKOFF_MAX_MS, firstMs * 2 ** Math.min(retry.failures - 1, 16));
  return Math.max(jittered(state, exponential), Math.min(retry.retryAfterMs, RETRY_AFTER_MAX_MS));
}

/** Give or take a quarter: all sessions that failed together must not come back together. */
export function jittered(state: SessionState, ms: number): number {
  return ms * (0.75 + jitter(state) / 2);
}

/** Between 0 and 1, from the session's own id and position: spread over sessions, equal on every machine. */
function jitter(state: SessionState): number {
  return (
    Number.parseInt(hash("sha256", `${state.sessionId} ${state.seq}`, "hex").slice(0, 8), 16) / 0xffffffff
  );
}
