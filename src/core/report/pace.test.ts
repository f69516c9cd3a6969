import { expect, test } from "vitest";
import { paceOf } from "./pace.ts";

const decided = (askedAt: number | null, at: number) => ({ askedAt, at });
const HOUR_MS = 3_600_000;

test.each([
  ["none", [], null],
  ["one alone", [decided(0, 5)], null],
  ["those that no verdict asked about", [decided(null, 5), decided(null, 6), decided(0, 7)], null],
  [
    "one after the other",
    [decided(0, 60_000), decided(0, 90_000), decided(0, 2 * HOUR_MS)],
    { count: 3, mostInAnHour: 2, medianMs: 60_000 },
  ],
  [
    "all at once",
    [decided(0, 60_000), decided(0, 60_000), decided(0, 60_000)],
    { count: 3, mostInAnHour: 3, medianMs: 0 },
  ],
])("the pace of %s", (_what, approvals, pace) => {
  expect(paceOf(approvals)).toEqual(pace);
});
