import { describe, expect, test } from "vitest";
import { created, idle, said, terminated } from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { event } from "../core/events/index.ts";
import { exitOfState } from "./exit-codes.ts";

const start = [created(), said("go"), event("session.status_running", {})];

describe("how a session rests decides the exit code", () => {
  test.each([
    ["end_turn", 0],
    ["already_green", 0],
    ["budget_reached", 3],
    ["requires_action", 4],
    ["refusal", 4],
    ["max_tokens", 4],
    ["stalled", 5],
    ["retries_exhausted", 69],
    ["paused", 130],
    ["stopped", 130],
  ] as const)("%s: %i", (reason, code) => expect(exitOfState(stateOf(...start, idle(reason)))).toBe(code));

  test.each([
    ["E_MODEL_AUTH", 77],
    ["E_MODEL_REFUSED", 69],
    ["E_SANDBOX_UNAVAILABLE", 69],
    ["E_OF_A_LATER_RELEASE", 70],
    ["toString", 70],
  ])("failed with %s: %i", (code, exit) => {
    const failed = event("session.status_idle", { stop_reason: { type: "failed", code } });
    expect(exitOfState(stateOf(...start, failed))).toBe(exit);
  });

  test("a rate limit that exhausted the retries: 75", () =>
    expect(exitOfState(stateOf(...start, idle("retries_exhausted")), true)).toBe(75));

  test("over, or left in the middle: 130", () => {
    expect(exitOfState(stateOf(...start, terminated))).toBe(130);
    expect(exitOfState(stateOf(...start))).toBe(130);
  });
});
