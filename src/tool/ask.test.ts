import { expect, test } from "vitest";
import type { Json } from "../core/text.ts";
import { askTool, parseAskInput } from "./session.ts";

test("a question with everything", () => {
  const input = { text: "Which?", choices: ["a", "b"], default: "a", expires_in: 3600 };
  expect(parseAskInput(input)).toEqual({
    text: "Which?",
    choices: ["a", "b"],
    default: "a",
    expiresInMs: 3_600_000,
  });
  expect(askTool.check(input)).toBeUndefined();
});

test.each([
  [null, "object"],
  [{ text: " " }, "text"],
  [{ text: "x".repeat(4001) }, "text"],
  [{ text: "?", choices: ["a"] }, "choices"],
  [{ text: "?", choices: ["a", "a"] }, "choices"],
  [{ text: "?", choices: ["a", 1] }, "choices"],
  [{ text: "?", default: "" }, "default"],
  [{ text: "?", expires_in: 59 }, "expires_in"],
  [{ text: "?", expires_in: 1.5 }, "expires_in"],
  [{ text: "?", expires_in: 1e9 }, "expires_in"],
] as const)("%j is refused because of its %s", (input, named) => {
  expect(askTool.check(input as Json)).toContain(named);
});
