import { expect, test } from "vitest";
import { listPrice } from "../model/list-price.ts";
import { anotherModel } from "./another.ts";

test.each([
  ["anthropic", "claude-opus-5", "claude-sonnet-5"],
  ["anthropic", "claude-opus-4-1-20250805", "claude-sonnet-5"],
  ["anthropic", "claude-sonnet-5", "claude-opus-5"],
  ["anthropic", "claude-haiku-4-5", "claude-opus-5"],
  ["anthropic", "one-of-tomorrow", "claude-opus-5"],
  ["openai", "gpt-5.4", "gpt-5.2"],
  ["openai", "gpt-5.4-mini", "gpt-5.2"],
  ["openai", "gpt-5.2", "gpt-5.4"],
  ["openai", "o3", "gpt-5.4"],
  ["google", "gemini-2.5-pro", "gemini-3.5-flash"],
  ["google", "gemini-3.5-flash", "gemini-2.5-pro"],
  ["openrouter", "anthropic/claude-opus-5", undefined],
  ["scripted", "/judge.json", undefined],
  ["command", "claude", undefined],
  ["constructor", "x", undefined],
])("%s:%s is graded by %s, whose price is known", async (provider, id, judge) => {
  expect(anotherModel(provider, id)).toBe(judge);
  if (judge !== undefined) expect(await listPrice(provider, judge)).toBeDefined();
});
