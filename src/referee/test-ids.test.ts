import { expect, test } from "vitest";
import { idMatcher } from "./test-ids.ts";

test.each([
  ["a.test.js › one", "a.test.js › one", true],
  ["a.test.js › one", "a.test.js › one more", false],
  ["*one", "a.test.js › one", true],
  ["a.test.js › *", "a.test.js › one", true],
  ["a*test*one", "a.test.js › one", true],
  ["a*one*test", "a.test.js › one", false],
  ["ab*ba", "aba", false],
  ["*", "anything", true],
  ["", "anything", false],
])("%j and %j: %s", (pattern, id, expected) => {
  expect(idMatcher([pattern])(id)).toBe(expected);
});
