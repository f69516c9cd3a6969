import { describe, expect, test } from "vitest";
import { checkMetering, type ProgramChoice, type ProgramFlags } from "./program-choice.ts";

const PRICE = { input: 1, output: 1, cache_read: 1, cache_write: 1 };
const METERED: ProgramChoice = {
  agent: {
    argv: ["agent"],
    prompt: "stdin",
    wall_ms: 1000,
    quiet_ms: 1000,
    fruitless_max: 3,
    gateway: { anthropic: { provider: "anthropic" }, forced: true },
  },
  model: { provider: "anthropic", id: "m", max_output_tokens: 1000, price: PRICE },
};
const { gateway: _gateway, ...withoutGateway } = METERED.agent;
const UNMETERED: ProgramChoice = { ...METERED, agent: withoutGateway };
const { price: _price, ...priceless } = METERED.model;

const MONEY: readonly (readonly [flag: string, flags: ProgramFlags])[] = [
  ["--max-cost", { maxCost: 1 }],
  ["--max-attempt-cost", { maxAttemptCost: 1 }],
  ["--max-criterion-cost", { maxCriterionCost: 1 }],
];
const COUNTED: typeof MONEY = [
  ...MONEY,
  ["--max-tokens", { maxTokens: 1 }],
  ["--max-requests", { maxRequests: 1 }],
];

describe("a cap that nobody could keep is refused", () => {
  test.each(COUNTED)("%s of a program that nobody meters", (flag, flags) => {
    const refusal = {
      code: "E_CONFIG",
      message: expect.stringContaining(`${flag} cannot be kept`),
      hint: expect.stringContaining("--max-attempts and --max-duration"),
    };
    const refused = (program: ProgramChoice, sandbox: string, more: ProgramFlags = {}) =>
      expect(() => checkMetering(program, sandbox, { ...flags, ...more })).toThrow(
        expect.objectContaining(refusal),
      );
    refused(UNMETERED, "bubblewrap");
    refused(METERED, "process");
    refused(METERED, "bubblewrap", { network: [{ host: "a.example" }] as never });
    expect(() => checkMetering(METERED, "bubblewrap", flags)).not.toThrow();
  });

  test.each(MONEY)("%s without a model, or without its price", (flag, flags) => {
    const refusal = expect.objectContaining({ message: expect.stringContaining(`${flag} needs to know`) });
    const unpriced = expect.objectContaining({ message: `${flag} needs the price of anthropic:m` });
    const free = { ...METERED.agent, gateway: { anthropic: { provider: "anthropic" }, forced: false } };
    expect(() => checkMetering({ ...METERED, agent: free }, "bubblewrap", flags)).toThrow(refusal);
    expect(() => checkMetering({ ...METERED, model: priceless }, "bubblewrap", flags)).toThrow(unpriced);
  });

  test("attempts and time can be capped whoever works", () => {
    const flags: ProgramFlags & { readonly maxAttempts: number } = { maxAttempts: 1 };
    expect(() => checkMetering(UNMETERED, "process", flags)).not.toThrow();
  });
});
