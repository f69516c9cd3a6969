import { expect, test } from "vitest";
import { claimIn } from "./claims.ts";

test.each([
  ["All tests pass now.", "tests_pass"],
  ["I fixed the bug. The whole test suite is green!", "tests_pass"],
  ["The checks succeed. Done.", "tests_pass"],
  ["Done! <promise>COMPLETE</promise>", "done"],
  ["The parser is fixed", "done"],
  ["All 12 passing tests", "tests_pass"],
])("%j claims %s", (text, kind) => {
  expect(claimIn(text)?.kind).toBe(kind);
});

test.each([
  "I look at the files first.",
  "The tests do not pass yet.",
  "Next I make sure that all tests pass.",
  "Two tests fail, and once they pass I am done.",
  "This should be fixed by the next change.",
  "",
])("%j claims nothing", (text) => {
  expect(claimIn(text)).toBeNull();
});

test("a claim is told in its own words, bounded", () => {
  expect(claimIn(`First. ${"very ".repeat(100)}done.`)?.quote.length).toBeLessThanOrEqual(240);
});
