import { describe, expect, test } from "vitest";
import { type ContextProfile, contextProfileOf } from "../attempt/profiles.ts";
import { type ContextSignals, chooseContext, type WaysBack } from "./context-policy.ts";

const QUIET: ContextSignals = {
  fill_tokens: 1000,
  window_tokens: 100_000,
  overflowed: false,
  errors_in_row: 0,
  turns: 20,
  compactions: 0,
  same_verdicts: 0,
  fruitless_attempts: 0,
};
const AUTO: ContextProfile = {
  mode: "auto",
  window_tokens: 100_000,
  fill_max: 0.7,
  compact: true,
  resets_help: true,
};
const NOWHERE: WaysBack = { canRewind: false, canRestart: false };
const ANYWHERE: WaysBack = { canRewind: true, canRestart: true };

interface Row {
  readonly name: string;
  readonly signals?: Partial<ContextSignals>;
  readonly profile?: Partial<ContextProfile>;
  readonly ways?: WaysBack;
  readonly choice: string | null;
}

const FULL = { fill_tokens: 70_000 };

const ROWS: readonly Row[] = [
  { name: "goes on while there is room and work gets on", choice: null },
  { name: "goes on just below the threshold", signals: { fill_tokens: 69_999 }, choice: null },
  { name: "shortens what is full", signals: FULL, choice: "compact/fill" },
  { name: "replaces what was shortened twice", signals: { ...FULL, compactions: 2 }, choice: "reset/fill" },
  { name: "replaces what is full after a few turns", signals: { ...FULL, turns: 3 }, choice: "reset/fill" },
  { name: "leaves a thread that begins too full", signals: { ...FULL, turns: 0 }, choice: null },
  {
    name: "never shortens when told to reset",
    signals: FULL,
    profile: { mode: "reset" },
    choice: "reset/fill",
  },
  {
    name: "never shortens where that does harm",
    signals: FULL,
    profile: { compact: false },
    choice: "reset/fill",
  },
  { name: "does nothing when told to go on", signals: FULL, profile: { mode: "continue" }, choice: null },
  {
    name: "measures nothing against a window that nobody knows",
    signals: { fill_tokens: 9_000_000, window_tokens: null },
    choice: null,
  },
  {
    name: "believes the provider that it is too much",
    signals: { window_tokens: null, overflowed: true },
    choice: "compact/overflow",
  },
  { name: "replaces a context full of errors", signals: { errors_in_row: 10 }, choice: "reset/errors" },
  { name: "lets a few errors be", signals: { errors_in_row: 9 }, choice: null },
  {
    name: "replaces one that runs against the same verdict",
    signals: { same_verdicts: 3 },
    choice: "reset/same_verdicts",
  },
  {
    name: "does not where a fresh one is of no help",
    signals: { same_verdicts: 9, errors_in_row: 90 },
    profile: { resets_help: false },
    choice: null,
  },
  {
    name: "takes the files back after a second attempt in vain",
    signals: { same_verdicts: 3, fruitless_attempts: 1 },
    ways: ANYWHERE,
    choice: "rewind/same_verdicts",
  },
  {
    name: "begins from the base after a third, when nothing was ever met",
    signals: { same_verdicts: 3, fruitless_attempts: 2 },
    ways: { canRewind: false, canRestart: true },
    choice: "restart/same_verdicts",
  },
  {
    name: "only resets when there is nothing to go back to",
    signals: { same_verdicts: 3, fruitless_attempts: 9 },
    choice: "reset/same_verdicts",
  },
];

describe("the policy", () => {
  test.each(ROWS)("$name", ({ signals, profile, ways = NOWHERE, choice }) => {
    const chosen = chooseContext({ ...QUIET, ...signals }, { ...AUTO, ...profile }, ways);
    expect(chosen === null ? null : `${chosen.choice}/${chosen.cause}`).toBe(choice);
  });
});

describe("the profile of a model", () => {
  test.each([
    ["claude-sonnet-5", 200_000, 0.7],
    ["anthropic/claude-opus-5", 200_000, 0.7],
    ["gpt-4.1-mini", 1_000_000, 0.4],
    ["my-own-model", undefined, 0.7],
  ])("%s", (id, window_tokens, fill_max) => {
    expect(contextProfileOf(id, "auto")).toMatchObject({ fill_max, ...(window_tokens && { window_tokens }) });
    expect(contextProfileOf(id, "auto").window_tokens).toBe(window_tokens);
  });

  test("takes a person's word for the window", () => {
    expect(contextProfileOf("my-own-model", "reset", 32_000)).toMatchObject({
      mode: "reset",
      window_tokens: 32_000,
    });
  });
});
