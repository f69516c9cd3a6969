import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIRST_REQUEST } from "./conformance/subject.ts";
import type { Message, ModelRequest } from "./contract.ts";
import { estimateInputTokens, estimateMessageBytes, estimatePrefixBytes, tokensOfBytes } from "./estimate.ts";

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constant("user" as const), text: fc.string({ unit: "grapheme" }) }),
  fc.record({
    role: fc.constant("tool" as const),
    providerCallId: fc.string(),
    name: fc.string(),
    text: fc.string({ unit: "grapheme" }),
    isError: fc.boolean(),
  }),
  fc.record({
    role: fc.constant("assistant" as const),
    blocks: fc.array(fc.record({ type: fc.constant("text" as const), text: fc.string() })),
  }),
);

function asking(text: string): ModelRequest {
  return { ...FIRST_REQUEST, messages: [{ role: "user", text }] };
}

describe("the estimate", () => {
  test("is the sum of its parts, so that it can be kept while a thread grows", () => {
    void fc.assert(
      fc.property(fc.array(message), (messages) => {
        const kept = messages.reduce(
          (sum, each) => sum + estimateMessageBytes(each),
          estimatePrefixBytes(FIRST_REQUEST.system, FIRST_REQUEST.tools),
        );
        expect(tokensOfBytes(kept)).toBe(estimateInputTokens({ ...FIRST_REQUEST, messages }));
      }),
    );
  });

  test.each([
    ["English, about four letters a token", "The quick brown fox jumps over it. ".repeat(100), 900],
    ["code, about three bytes a token", "if (a[i] !== b[j]) { return fn(x, y); }\n".repeat(100), 1400],
    ["Chinese, at most one and a half tokens a letter", "敏捷的棕色狐狸".repeat(100), 1050],
  ])("is above what tokenizers count: %s", (_name, text, tokens) => {
    const added = estimateInputTokens(asking(text)) - estimateInputTokens(asking(""));
    expect(added).toBeGreaterThanOrEqual(tokens * 0.9);
    expect(added).toBeLessThan(tokens * 2);
  });

  test("counts what goes back to the provider besides texts", () => {
    const call = {
      type: "tool_call",
      providerCallId: "c",
      name: "write",
      input: { text: "x".repeat(1000) },
    } as const;
    const signed = { type: "thinking", text: "", provider: { p: { signature: "x".repeat(1000) } } } as const;
    for (const block of [call, signed]) {
      expect(estimateMessageBytes({ role: "assistant", blocks: [block] })).toBeGreaterThan(1000);
    }
  });
});
