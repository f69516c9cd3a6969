import { expect, test } from "vitest";
import { denialText } from "./tell.ts";

test.each([
  [{ item: "review-ab" }, "[harness] A person did not approve review-ab."],
  [
    { item: "review-ab", path: "a.test.js", reason: "too weak" },
    "[harness] A person did not approve the change of a.test.js: too weak",
  ],
])("tells what was not approved by the name that the agent knows: %j", (about, told) => {
  expect(denialText({ hash: "ab", result: "deny", author: "somebody", ...about })).toBe(told);
});
