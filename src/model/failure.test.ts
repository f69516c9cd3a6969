import { describe, expect, test } from "vitest";
import { classOfErrorType, classOfStatus, failureOfResponse, retryAfterOf, scrub } from "./failure.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

describe("the wait that a provider asks for", () => {
  test.each([
    [{}, undefined],
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Sun, 22 Nov 2026 12:01:00 GMT" }, 60_000],
    [{ "retry-after": "Sun, 22 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": "-5" }, 0],
    [{ "retry-after-ms": "1500", "retry-after": "7" }, 1500],
    [{ "retry-after": "999999999" }, 86_400_000],
    [{ "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:30Z" }, 30_000],
    [{ "x-ratelimit-reset-requests": "6m1s" }, 361_000],
    [{ "x-ratelimit-reset-tokens": "250ms" }, 250],
    [{ "x-ratelimit-reset-tokens": "1h0m0.5s" }, 3_600_500],
  ])("is read from %j", (headers, expected) => {
    expect(retryAfterOf(headers, NOW)).toBe(expected);
  });

  test("follows the limits that are used up, and the last of those", () => {
    const headers = {
      "anthropic-ratelimit-requests-remaining": "10",
      "anthropic-ratelimit-requests-reset": "2026-11-22T13:00:00Z",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-11-22T12:00:05Z",
      "anthropic-ratelimit-output-tokens-remaining": "0",
      "anthropic-ratelimit-output-tokens-reset": "2026-11-22T12:00:20Z",
    };
    expect(retryAfterOf(headers, NOW)).toBe(20_000);
  });
});

describe("the class of a failure", () => {
  test.each([
    [429, "Rate limit of 40,000 input tokens per minute; too many tokens", "rate_limit"],
    [429, "You exceeded your current quota. Please retry in 32s.", "rate_limit"],
    [429, "insufficient_quota: check your plan and billing details", "billing"],
    [400, "invalid_request_error: Your credit balance is too low", "billing"],
    [400, "invalid_request_error: prompt is too long: 210000 tokens", "context_overflow"],
    [400, "context_length_exceeded: maximum context length is 8192 tokens", "context_overflow"],
    [400, "input length and `max_tokens` exceed context limit: 190000 + 32000", "context_overflow"],
    [400, "content_filter: the response was filtered", "refusal"],
    [400, "tools.0: Input should be an object", "invalid_request"],
    [307, "moved", "invalid_request"],
    [500, "prompt is too long", "overloaded"],
    [501, "", "unknown"],
    [408, "", "timeout"],
    [422, "", "invalid_request"],
  ])("of status %i with %j is %s", (status, message, expected) => {
    expect(classOfStatus(status, message)).toBe(expected);
  });

  test.each([
    ["overloaded_error", "Overloaded", "overloaded"],
    ["server_error", "oops", "overloaded"],
    ["rate_limit_error", "slow down", "rate_limit"],
    ["invalid_request_error", "prompt is too long", "context_overflow"],
    ["something_new", "oops", "unknown"],
    [undefined, "oops", "unknown"],
  ])("of error type %s with %j is %s", (type, message, expected) => {
    expect(classOfErrorType(type, message)).toBe(expected);
  });

  test("comes with status and wait", () => {
    expect(
      failureOfResponse({ status: 529, message: "Overloaded", headers: { "retry-after": "3" } }, NOW),
    ).toEqual({
      class: "overloaded",
      message: "Overloaded",
      status: 529,
      retryAfterMs: 3000,
    });
  });
});

describe("a message for people", () => {
  test("never holds the key, nor what looks like one", () => {
    const message =
      "bad key tiny-secret-1 (Bearer abc.def-ghi), also sk-ant-api03-abcdefgh and key tiny-secret-1";
    expect(scrub(message, "tiny-secret-1")).toBe("bad key [key] (Bearer [key]), also [key] and key [key]");
  });

  test("is cut when it is too long to read", () => {
    expect(scrub("x".repeat(10_000), undefined)).toHaveLength(2001);
  });
});
