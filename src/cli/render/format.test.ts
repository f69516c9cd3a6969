import { expect, test } from "vitest";
import {
  formatBytes,
  formatCost,
  formatCount,
  formatDuration,
  formatMoment,
  formatQuantity,
  formatTime,
} from "./format.ts";

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1000, "1.0 s"],
  [59_940, "59.9 s"],
  [59_960, "1 min 00 s"],
  [243_000, "4 min 03 s"],
  [3_599_400, "59 min 59 s"],
  [7_500_000, "2 h 05 min"],
  [86_400_000 * 3 + 3_600_000 * 4, "3 d 4 h"],
])("%i ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [0, "$0.00"],
  [1, "$0.0000"],
  [12_345, "$0.0123"],
  [1_500_000, "$1.50"],
])("%i micro-dollars are %s", (micro, text) => expect(formatCost(micro)).toBe(text));

test("counts, quantities and sizes", () => {
  expect(formatCount(1_234_567)).toBe("1,234,567");
  expect(formatQuantity(1, "event")).toBe("1 event");
  expect(formatQuantity(1000, "event")).toBe("1,000 events");
  expect(formatBytes(999)).toBe("999 bytes");
  expect(formatBytes(999_900_000)).toBe("999.9 MB");
});

test("moments far away have a date", () => {
  const now = new Date(2026, 0, 2, 3, 4, 5).getTime();
  expect(formatTime(now)).toBe("03:04:05");
  expect(formatMoment(now - 1000, now)).toBe("03:04:04");
  expect(formatMoment(now + 86_400_000, now)).toBe("2026-01-03 03:04:05");
});
