import { describe, expect, test } from "vitest";
import {
  answered,
  asked,
  created,
  failedWith,
  SESSION,
  START_MS,
  setLimits,
  type Variations,
} from "../../../test/support/events.ts";
import { type EventInput, event, type SessionEvent } from "../events/index.ts";
import { reduce } from "../reduce.ts";
import { emptyState } from "../state.ts";
import { dayOf, nextDayAfter, spentBy } from "./day.ts";
import { NOTHING_SPENT } from "./state.ts";

const DAY_MS = 86_400_000;
const reservation = { tokens: 900, cost_micro_usd: 80 };
const model_usage = {
  input_tokens: 30,
  output_tokens: 5,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
};
const settled = { request: 1, outcome: "answered", model_usage, cost_micro_usd: 7, duration_ms: 1 } as const;
const command: Variations["command"] = {
  argv: ["a"],
  prompt: "stdin",
  wall_ms: 1,
  quiet_ms: 1,
  fruitless_max: 1,
};

/** What the last of them adds to its day, when it comes so much later than the others. */
function spentByLast(first: EventInput, log: readonly EventInput[], laterMs = 1000) {
  let state = emptyState(SESSION);
  let spent = NOTHING_SPENT;
  [first, ...log].forEach((input, index) => {
    const at = START_MS + (index === log.length ? laterMs : 0);
    const item = { ...input, seq: index + 1, v: 1, at, hash: "" } as unknown as SessionEvent;
    const after = reduce(state, item);
    spent = spentBy(state, after, item);
    state = after;
  });
  return spent;
}

const gateway = event("gateway.request_started", {
  ...{ request: 1, attempt: 1, epoch: 1, wire: "anthropic", model: "m", body_bytes: 8, reservation },
});
const judge = event("judge.request_start", {
  verdict: 1,
  criterion: "c",
  request: 1,
  model: "m",
  reservation,
});
const reserved = { requests: 1, tokens: 900, costMicroUsd: 80 };
const givenBack = { requests: 0, tokens: 35 - 900, costMicroUsd: 7 - 80 };

describe("what an event adds to its day", () => {
  test.each([
    ["the agent's", created(), asked(1), answered(1)],
    ["a program's", created({ command }), gateway, event("gateway.request_ended", settled)],
    ["a judge's", created(), judge, event("judge.request_end", settled)],
  ] as const)(
    "%s reservation is taken, and what it did not need is given back",
    (whose, first, start, end) => {
      const taken = spentByLast(first, [start]);
      if (whose !== "the agent's") expect(taken).toEqual(reserved);
      expect(taken).toMatchObject({ requests: 1 });
      const back = spentByLast(first, [start, end]);
      if (whose !== "the agent's") expect(back).toEqual(givenBack);
      expect(back.tokens).toBeLessThan(0);
      expect(taken.tokens + back.tokens).toBeGreaterThan(0);
      // The day on which it was taken is over.
      expect(spentByLast(first, [start, end], DAY_MS)).toEqual({ requests: 0, tokens: 0, costMicroUsd: 0 });
    },
  );

  test("a request that is lost, or fails untold, stays charged", () => {
    expect(spentByLast(created(), [asked(1), failedWith(1, "network")])).toEqual(NOTHING_SPENT);
  });

  test("what costs more than was reserved is charged to the day on which that is known", () => {
    const dear = event("judge.request_end", { ...settled, cost_micro_usd: 100 });
    expect(spentByLast(created(), [judge, dear], DAY_MS)).toEqual({
      requests: 0,
      tokens: 0,
      costMicroUsd: 20,
    });
  });

  test("anything else adds nothing", () => {
    expect(spentByLast(created(), [asked(1), setLimits({ tokens: 5 })])).toEqual(NOTHING_SPENT);
  });
});

test("days are those of UTC", () => {
  const last = Date.UTC(2026, 10, 30, 23, 59, 59, 999);
  expect(dayOf(last + 1)).toBe(dayOf(last) + 1);
  expect(nextDayAfter(last)).toBe(last + 1);
  expect(nextDayAfter(last + 1)).toBe(last + 1 + DAY_MS);
});
