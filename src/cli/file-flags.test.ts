import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Settings } from "../runtime/config.ts";
import { configSchema } from "../runtime/config-schema.ts";
import { limitPolicyOf, limitsOf } from "./budget-flags.ts";
import { CAP_FLAGS, LIMIT_FLAGS } from "./command-table/caps.ts";
import { type FileFlags, withFileFlags } from "./file-flags.ts";

const FLAGS = [...CAP_FLAGS, ...LIMIT_FLAGS];

/** What a file says, as a flag of the command line would. */
function fromFile(text: string, flags: FileFlags = {}): FileFlags {
  const file = configSchema.parse(parse(text));
  return withFileFlags(flags, { file } as Settings);
}

function fromLine(name: string, text: string): unknown {
  const flag = FLAGS.find((each) => each.name === name);
  const value = flag?.parse === undefined ? text : flag.parse(text);
  return flag?.repeats === true ? [value] : value;
}

test("checks of a file are about the file's folder, those of the command line are not", () => {
  const settings = { file: { check: "npm test" }, checksIn: "/repository" } as Settings;
  expect(withFileFlags({}, settings)).toEqual({ check: ["npm test"], checksIn: "/repository" });
  expect(withFileFlags({ check: ["make"] }, settings)).toEqual({ check: ["make"] });
});

describe("every flag about caps and limits has a field that means the same", () => {
  const rows = [
    ["max-requests", "7", "max_requests: 7", "maxRequests"],
    ["max-tokens", "7000", "max_tokens: 7000", "maxTokens"],
    ["max-cost", "0.25", "max_cost: 0.25", "maxCost"],
    ["max-attempts", "4", "max_attempts: 4", "maxAttempts"],
    ["max-duration", "8h", "max_duration: 8h", "maxDuration"],
    ["max-active", "90m", "max_active: 90m", "maxActive"],
    ["max-attempt-cost", "0.5", "max_attempt_cost: 0.5", "maxAttemptCost"],
    ["max-criterion-cost", "1", "max_criterion_cost: 1", "maxCriterionCost"],
    ["breaker", "no-progress=off", "breaker: { no-progress: off }", "breaker"],
    ["breaker", "same-call=5", "breaker: { same-call: 5 }", "breaker"],
    ["breaker", "oscillation=6", "breaker: { oscillation: 6 }", "breaker"],
    ["breaker", "tool-failure=7", "breaker: { tool-failure: 7 }", "breaker"],
    ["breaker", "resets=8", "breaker: { resets: 8 }", "breaker"],
    ["on-limit", "stop", "on_limit: stop", "onLimit"],
    ["fallback-model", "openai:gpt-5", "fallback_model: openai:gpt-5", "fallbackModel"],
    ["max-outage", "30m", "max_outage: 30m", "maxOutage"],
  ] as const;

  test.each(rows)("--%s %s", (name, text, yaml, field) => {
    expect(fromFile(yaml)).toEqual({ [field]: fromLine(name, text) });
  });

  test("and none is left out", () => {
    expect(new Set(rows.map(([name]) => name))).toEqual(new Set(FLAGS.map(({ name }) => name)));
  });
});

describe("what the command line says counts more", () => {
  test("than a cap or a policy of a file", () => {
    const file = "max_duration: 8h\non_limit: wait\nmax_failures: 3";
    const flags = { maxDuration: 1000, onLimit: "stop", maxFailures: 5 } as const;
    expect(fromFile(file, flags)).toEqual(flags);
  });

  test("than the same breaker of a file; the others stay", () => {
    const flags = fromFile("breaker: { same-call: 9, resets: off }", { breaker: [["same_call", 4]] });
    expect(limitPolicyOf(flags, false).breakers).toEqual({ same_call: 4, resets: "off" });
  });

  test("whoever names a model to fall back to falls back to it", () => {
    const flags = fromFile("on_limit: stop", { fallbackModel: "openai:x" });
    expect(limitPolicyOf(flags, false).on_limit).toBe("fallback");
  });
});

test("a program deals with its provider itself; caps are for it as well", () => {
  const file =
    "fallback_model: openai:x\non_limit: fallback\nmax_outage: 1h\nmax_failures: 2\nmax_attempts: 3";
  const flags = fromFile(file, { worker: "command" });
  expect(flags).toEqual({ worker: "command", maxAttempts: 3 });
  expect(limitsOf(flags)).toEqual({ attempts: 3 });
});
