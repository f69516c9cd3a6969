import { describe, expect, test } from "vitest";
import type { Settings } from "../runtime/config.ts";
import type { ModelConfig } from "../runtime/providers.ts";
import type { CommandContext } from "./context.ts";
import { anotherNameOf, furtherJudgesOf, judgeOf, judgeText } from "./judge-choice.ts";

const context = { directory: "/" } as CommandContext;
const model = (provider: string, id: string, more: Partial<ModelConfig> = {}): ModelConfig => ({
  ...{ provider, id, max_output_tokens: 1000 },
  ...more,
});
const settings = (more: Partial<Settings> = {}): Settings => ({
  ...{ environment: {}, workspace: "/", stateFolder: "/", model: undefined, judgeModels: [] },
  ...{ sandbox: undefined, maxCostPerDay: undefined, file: {} },
  ...more,
});
const OPUS = model("anthropic", "claude-opus-5");
const OWN_ADDRESS = { base_url: "https://models.acme.example/v1" };

describe("who grades", () => {
  test("the one that was named comes first", async () => {
    const judge = await judgeOf(context, settings({ judgeModels: ["openai:gpt-5"] }), {
      ...{ model: OPUS, fallback: model("google", "gemini-2.5-pro") },
    });
    expect(judge).toMatchObject({ provider: "openai", id: "gpt-5", price: { input: 1_250_000 } });
  });

  test("then the one that stands in for the agent's, unless that is the same", async () => {
    const fallback = model("google", "gemini-2.5-pro");
    expect(await judgeOf(context, settings(), { model: OPUS, fallback })).toBe(fallback);
    const same = await judgeOf(context, settings(), { model: OPUS, fallback: OPUS });
    expect(same).toMatchObject({ provider: "anthropic", id: "claude-sonnet-5" });
  });

  test("then another one of the same provider, with its price", async () => {
    const prices = { "anthropic:claude-sonnet-5": { input: 7, output: 9 } };
    expect(await judgeOf(context, settings(), { model: OPUS })).toMatchObject({
      price: { input: 2_000_000, output: 10_000_000 },
    });
    expect(await judgeOf(context, settings({ file: { prices } }), { model: OPUS })).toMatchObject({
      price: { input: 7_000_000, output: 9_000_000 },
    });
  });

  test.each([
    ["an address of one's own", { ...OPUS, ...OWN_ADDRESS }],
    ["a script", model("scripted", "/worker.json")],
    ["a server that only the user knows", model("openai-compatible", "any", OWN_ADDRESS)],
    ["a program that asks for what it likes", model("command", "claude")],
  ])("the agent's own with %s", async (_what, own) => {
    expect(await judgeOf(context, settings(), { model: own })).toBeUndefined();
    expect(anotherNameOf(own)).toBeUndefined();
  });
});

test("more than one are named", async () => {
  const judgeModels = ["openai:gpt-5", "google:gemini-2.5-pro", "anthropic:claude-sonnet-5"];
  expect(await furtherJudgesOf(context, settings({ judgeModels }))).toMatchObject([
    { provider: "google", id: "gemini-2.5-pro", price: {} },
    { provider: "anthropic", id: "claude-sonnet-5", price: {} },
  ]);
  expect(await furtherJudgesOf(context, settings({ judgeModels: ["openai:gpt-5"] }))).toBeUndefined();
  const many = Array.from({ length: 6 }, (_, index) => `openai:gpt-${index}`);
  await expect(furtherJudgesOf(context, settings({ judgeModels: many }))).rejects.toThrow("at most 5 judges");
});

test("what is told of it", () => {
  const agent = { model: OPUS } as Parameters<typeof judgeText>[0]["agent"];
  const judge = model("openai", "gpt-5");
  expect(judgeText({ agent, judge }, true)).toBe("openai:gpt-5");
  expect(judgeText({ agent, judge }, false)).toContain("another one than the agent's");
  const further_judges = [model("google", "gemini-2.5-pro")];
  expect(judgeText({ agent, judge, further_judges }, true)).toBe(
    "openai:gpt-5, google:gemini-2.5-pro, who all have to agree",
  );
  for (const own of [{ agent }, { agent, judge: OPUS }])
    expect(judgeText(own, true)).toMatch(/^anthropic:claude-opus-5, as the agent, and a model finds its own/);
});
