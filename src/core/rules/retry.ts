/** The owed request has failed: wait as its class of error demands, or give up. The back-off is in the log. */
import { hash } from "node:crypto";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import type { RetryState, SessionState, StopReason } from "../state.ts";
import { append, inFlight, leave, type Now, perform, type Step } from "../step.ts";
import { nameOf } from "./model.ts";

/** A longer wait gives the session back meanwhile. */
const WAIT_IN_PROCESS_MS = 10_000;
const BACKOFF_MAX_MS = 5 * 60_000;
/** No provider's reset is believed beyond this. */
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;

/** A rate limit that lasts longer is no matter of pace, and the policy says what to do. */
const LIMIT_LONG_MS = 60_000;
/** How often a provider is asked whether its outage is over, at first and in the end. */
const PROBE_FIRST_MS = 5 * 60_000;
const PROBE_MAX_MS = 30 * 60_000;

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

/** Waits, tries again, asks another model, or goes idle. */
export function backingOff(state: SessionState, now: Now): Step {
  const { retry, config } = state;
  if (retry === null || config === null) return perform(inFlight(state));
  if (retry.resumeAt !== null) return waitUntil(state, retry.resumeAt, now);
  const firstMs = BACKOFF_FIRST_MS[retry.errorClass];
  if (firstMs === undefined)
    return giveUp(
      retry,
      { type: "failed", code: TERMINAL_CODES[retry.errorClass] ?? "E_MODEL_REFUSED" },
      "terminal",
    );
  const { model_failures_max: failuresMax, outage_ms: outageMs = 0, on_limit: onLimit } = config.policy;
  const isOutage = retry.failures >= failuresMax;
  const isStandIn = onLimit === "fallback" && config.agent.fallback !== undefined && isOwnModel(state);
  // A stand-in that can be asked ends no outage, but neither is there a reason to give up.
  if (isOutage && now.at - retry.since >= outageMs && !isStandIn)
    return giveUp(retry, { type: "retries_exhausted" }, "exhausted");
  const waitMs = isOutage ? probeMs(state, retry, failuresMax) : delayMs(state, retry, firstMs);
  const isLong = retry.errorClass === "rate_limit" && waitMs >= LIMIT_LONG_MS;
  if (isLong && onLimit === "stop") return stopForLimit(retry, Math.round(now.at + waitMs));
  if (isStandIn && (isLong || isOutage || state.switched !== null)) return switchModel(state, now, waitMs);
  return append(...outageBegun(retry, failuresMax), reschedule(retry, now, waitMs));
}

function isOwnModel({ thread, config }: SessionState): boolean {
  return thread !== null && config !== null && thread.model === nameOf(config.agent.model);
}

function reschedule(retry: RetryState, now: Now, waitMs: number): EventInput {
  return event("session.status_rescheduled", {
    resume_at: Math.round(now.at + waitMs),
    decided_at: now.at,
    failures: retry.failures,
    error_class: retry.errorClass,
  });
}

/** From now on the provider is only probed: each of the next requests shows whether it is there again. */
function outageBegun(retry: RetryState, failuresMax: number): EventInput[] {
  if (retry.failures !== failuresMax) return [];
  const detail = `the model failed ${retry.failures} times in a row (${retry.errorClass}); it is asked now and then`;
  return [event("breaker.tripped", { cause: "outage", detail })];
}

/** As long as the limit lasts, or until the next look at whether the outage is over. */
function switchModel({ config, retry }: SessionState, now: Now, waitMs: number): Step {
  const { model, fallback = model } = config?.agent ?? {};
  if (model === undefined || fallback === undefined || retry === null) return append();
  return append(
    event("model.switched", {
      from: nameOf(model),
      to: nameOf(fallback),
      until: Math.round(now.at + Math.max(waitMs, PROBE_FIRST_MS)),
      decided_at: now.at,
      error_class: errorClassOf(retry),
    }),
  );
}

function errorClassOf({ errorClass }: RetryState): EventBody<"model.switched">["error_class"] {
  return errorClass as EventBody<"model.switched">["error_class"];
}

/** For those who wait themselves. */
function stopForLimit(retry: RetryState, resumeAt: number): Step {
  const message = retry.message || retry.errorClass;
  return append(
    event("session.error", {
      error: {
        type: errorType(retry.errorClass),
        code: "E_MODEL_UNAVAILABLE",
        message,
        retry_status: { type: "exhausted" },
      },
    }),
    event("session.status_idle", { stop_reason: { type: "rate_limited", resume_at: resumeAt } }),
  );
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

/** The breaker is half open: rarer and rarer, give or take. */
function probeMs(state: SessionState, retry: RetryState, failuresMax: number): number {
  const probes = Math.min(retry.failures - failuresMax, 16);
  const ms = Math.min(PROBE_MAX_MS, PROBE_FIRST_MS * 2 ** probes);
  return Math.max(jittered(state, ms), Math.min(retry.retryAfterMs, RETRY_AFTER_MAX_MS));
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
