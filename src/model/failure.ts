/** What went wrong, as a class: the one place that knows what providers mean by their statuses, headers and words. */
import type { ModelErrorClass, ModelFailure, ModelUsage } from "./contract.ts";
import { waitFromMessage } from "./limit-message.ts";

/** Longer messages are cut: they are for people, and some gateways answer with a web page. */
const MESSAGE_CHARS_MAX = 2000;
/** No provider is believed when it asks for more than a day. */
const RETRY_AFTER_MS_MAX = 86_400_000;

/** A larger number is no span but a moment. */
const EPOCH_SECONDS_MIN = 1_000_000_000;

/** The usage of a request that was refused outright: providers charge nothing for those. */
export const NO_USAGE: ModelUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

/** Header names in lower case. */
export type HeaderMap = { readonly [name: string]: string | undefined };

/** An answer that is no answer. */
export interface FailedResponse {
  readonly status: number;
  /** The provider's words, with its type and code for the error if it has one. */
  readonly message: string;
  readonly headers: HeaderMap;
}

const CLASS_OF_STATUS: { readonly [status: number]: ModelErrorClass } = {
  401: "authentication",
  402: "billing",
  403: "authentication",
  408: "timeout",
  413: "context_overflow",
  429: "rate_limit",
  500: "overloaded",
  502: "overloaded",
  503: "overloaded",
  504: "overloaded",
  529: "overloaded",
};

/** What providers say instead of using a status of its own; the first match wins. */
const CLASS_OF_WORDS: readonly (readonly [RegExp, ModelErrorClass])[] = [
  [/insufficient_quota|credit balance|billing_(error|hard_limit|not_active)|payment required/i, "billing"],
  [
    /prompt is too long|context[_ ](length|window|size)|maximum (context|prompt|input)|too many (input )?tokens|exceeds? .{0,40}(context|token limit)|request_too_large/i,
    "context_overflow",
  ],
  [/content[_ ](filter|policy|management)|content_policy_violation/i, "refusal"],
];

const CLASS_OF_ERROR_TYPE: { readonly [type: string]: ModelErrorClass } = {
  api_error: "overloaded",
  authentication_error: "authentication",
  billing_error: "billing",
  invalid_request_error: "invalid_request",
  not_found_error: "invalid_request",
  overloaded_error: "overloaded",
  permission_error: "authentication",
  rate_limit_error: "rate_limit",
  rate_limit_exceeded: "rate_limit",
  request_too_large: "context_overflow",
  server_error: "overloaded",
  timeout_error: "timeout",
};

/** The class of an answer with an error status. */
export function classOfStatus(status: number, message: string): ModelErrorClass {
  const spoken = status < 500 ? classOfWords(message) : undefined;
  // Rate limits are described in tokens and sizes too.
  const isMisread = status === 429 && spoken !== "billing";
  const known = (isMisread ? undefined : spoken) ?? CLASS_OF_STATUS[status];
  if (known !== undefined) return known;
  // A redirect is not followed, and asking again would not help either.
  return status < 500 ? "invalid_request" : "unknown";
}

/** The class of an error that a provider reports inside of a stream. */
export function classOfErrorType(type: string | undefined, message: string): ModelErrorClass {
  return classOfWords(`${type ?? ""} ${message}`) ?? CLASS_OF_ERROR_TYPE[type ?? ""] ?? "unknown";
}

function classOfWords(message: string): ModelErrorClass | undefined {
  return CLASS_OF_WORDS.find(([pattern]) => pattern.test(message))?.[1];
}

/** @param nowMs - wall-clock time, against which dates in headers are read */
export function failureOfResponse(response: FailedResponse, nowMs: number): ModelFailure {
  const errorClass = classOfStatus(response.status, response.message);
  const spoken = errorClass === "rate_limit" ? waitFromMessage(response.message, nowMs) : undefined;
  const retryAfterMs = retryAfterOf(response.headers, nowMs) ?? spoken;
  return {
    class: errorClass,
    message: response.message,
    status: response.status,
    ...(retryAfterMs === undefined
      ? {}
      : { retryAfterMs: Math.min(Math.ceil(retryAfterMs), RETRY_AFTER_MS_MAX) }),
  };
}

/** How long the provider asks to wait, in milliseconds; undefined when it does not say. */
export function retryAfterOf(headers: HeaderMap, nowMs: number): number | undefined {
  const asked =
    numberOf(headers["retry-after-ms"]) ??
    secondsOrDate(headers["retry-after"], nowMs) ??
    rateLimitReset(headers, nowMs);
  if (asked === undefined) return undefined;
  return Math.min(Math.max(Math.ceil(asked), 0), RETRY_AFTER_MS_MAX);
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function secondsOrDate(text: string | undefined, nowMs: number): number | undefined {
  const seconds = numberOf(text);
  return seconds === undefined ? untilDate(text, nowMs) : seconds * 1000;
}

function untilDate(text: string | undefined, nowMs: number): number | undefined {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at - nowMs;
}

/** The latest reset among the limits that are used up; among all of them when none says what remains. */
function rateLimitReset(headers: HeaderMap, nowMs: number): number | undefined {
  const resets: { readonly waitMs: number; readonly isUsedUp: boolean }[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const waitMs = name.includes("ratelimit") && name.includes("reset") ? resetOf(value, nowMs) : undefined;
    if (waitMs === undefined) continue;
    resets.push({ waitMs, isUsedUp: numberOf(headers[name.replace("reset", "remaining")]) === 0 });
  }
  const usedUp = resets.filter((reset) => reset.isUsedUp);
  const counted = usedUp.length > 0 ? usedUp : resets;
  return counted.length === 0 ? undefined : Math.max(...counted.map((reset) => reset.waitMs));
}

/** A date, seconds until then or since 1970, or a span such as `6m0s`, `1.5s` or `250ms`. */
function resetOf(text: string | undefined, nowMs: number): number | undefined {
  const number = numberOf(text);
  if (number !== undefined) {
    if (number < EPOCH_SECONDS_MIN) return number * 1000;
    return number < EPOCH_SECONDS_MIN * 1000 ? number * 1000 - nowMs : number - nowMs;
  }
  const span = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?(?:([\d.]+)ms)?$/.exec(text ?? "");
  if (span === null || text === "") return untilDate(text, nowMs);
  const [hours, minutes, seconds, milliseconds] = span.slice(1).map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3_600_000 + (minutes ?? 0) * 60_000 + (seconds ?? 0) * 1000 + (milliseconds ?? 0);
}

/** Removes the key, and whatever else looks like one, and cuts what is too long to read. */
export function scrub(message: string, key: string | undefined): string {
  const withoutKey = key === undefined || key.length < 4 ? message : message.replaceAll(key, "[key]");
  const cleaned = withoutKey
    .replace(/\b(sk|key|pk)-[A-Za-z0-9_-]{8,}/g, "[key]")
    .replace(/\bBearer\s+[\w.~+/=-]+/gi, "Bearer [key]");
  return cleaned.length <= MESSAGE_CHARS_MAX ? cleaned : `${cleaned.slice(0, MESSAGE_CHARS_MAX)}…`;
}
