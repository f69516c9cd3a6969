import { expect, test } from "vitest";
import { waitFromMessage } from "./limit-message.ts";

const NOW = Date.UTC(2026, 10, 30, 8);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test.each<[message: string, waitMs: number]>([
  ["Rate limit reached for gpt-5. Please try again in 6m0s.", 6 * MINUTE],
  ["Please try again in 1.5s", 1500],
  ["Please retry in 34.07s.", 34_070],
  ["try again in 250ms", 250],
  ["Too many requests: wait for 20 seconds", 20_000],
  ["Your limit will be available again in 2 hours and 15 minutes", 2 * HOUR + 15 * MINUTE],
  ["resets in 3 days", 72 * HOUR],
  [`Claude AI usage limit reached|${(NOW + HOUR) / 1000}`, HOUR],
  ["Quota exceeded; resets at 2026-11-30T09:30:00Z", 1.5 * HOUR],
  ["You may try again at 2026-11-30 10:00 UTC", 2 * HOUR],
  ["limit reached, resets at 2026-11-30T10:00:00+01:00", HOUR],
  ["You've hit your limit · resets 3pm (UTC)", 7 * HOUR],
  ["resets 3:30pm (America/New_York)", 12.5 * HOUR],
  ["try again at 7am UTC", 23 * HOUR],
])("%s", (message, waitMs) => expect(waitFromMessage(message, NOW)).toBe(waitMs));

test.each([
  "Too many requests",
  "at most 20 requests in 60 s are allowed",
  "resets at some point",
  "try again at 25pm",
  "resets 3pm (Middle/Earth)",
  "resets at 2026-11-30T07:00:00Z",
  "",
])("says nothing for sure: %j", (message) => expect(waitFromMessage(message, NOW)).toBeUndefined());

test("a time of day without a zone is not trusted for more than an hour", () => {
  expect(waitFromMessage("try again at 3pm", NOW)).toBeLessThanOrEqual(HOUR);
});
