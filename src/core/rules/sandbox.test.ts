import { describe, expect, test } from "vitest";
import {
  answered,
  called,
  resume,
  SANDBOX,
  START_MS,
  said,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  sandboxRescheduled,
} from "../../../test/support/events.ts";
import { asking, calling, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable, performs } from "../../../test/support/steps.ts";
import { decide } from "../decide.ts";
import type { EventInput } from "../events/index.ts";
import { append, leave } from "../step.ts";

/** 10 events. */
const unprovisioned = [...asking(), answered(1), called(1, 0)];
const failedOnce = [...unprovisioned, sandboxLost()];
const failedTwice = [...failedOnce, sandboxRescheduled(0, 0), sandboxRequested(), sandboxLost()];
const diedOnce = [...calling(called(1, 0)), sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1")];
const diedTwice = [
  ...diedOnce,
  sandboxRequested(),
  sandboxReady("i2"),
  sandboxLost("E_SANDBOX_LOST", SANDBOX, "i2"),
];

/** The wait that is decided on. */
function backOffOf(log: readonly EventInput[]): { readonly failures: number; readonly ms: number } {
  const state = stateOf(...log);
  const now = nowOf(state);
  const step = decide(state, now);
  if (step.kind !== "append" || step.events[0]?.type !== "sandbox.rescheduled")
    throw new Error(`no back-off: ${JSON.stringify(step)}`);
  expect(step.events).toHaveLength(1);
  const { body } = step.events[0];
  expect(body).toMatchObject({ sandbox: SANDBOX, decided_at: now.at });
  return { failures: body.failures, ms: body.resume_at - now.at };
}

describe("a sandbox that fails again and again", () => {
  test.each([
    ["could not be had: two seconds, give or take a quarter", failedOnce, 1, 2000],
    ["a second time: ten", failedTwice, 2, 10_000],
    ["died a second time: ten", diedTwice, 2, 10_000],
  ])("%s", (_name, log, failures, ms) => {
    const wait = backOffOf(log);
    expect(wait.failures).toBe(failures);
    expect(wait.ms).toBeGreaterThanOrEqual(ms * 0.75);
    expect(wait.ms).toBeLessThanOrEqual(ms * 1.25);
  });

  const waits = [...failedOnce, sandboxRescheduled(START_MS + 20_000, START_MS + 11_000)];
  decideTable([
    {
      name: "is waited for",
      log: waits,
      now: { at: START_MS + 12_000 },
      step: performs(8000),
    },
    {
      name: "a long wait gives the session back",
      log: [...failedOnce, sandboxRescheduled(START_MS + 24_000, START_MS + 11_000)],
      now: { at: START_MS + 12_000 },
      step: leave(START_MS + 24_000),
    },
    {
      name: "then it is tried again",
      log: waits,
      now: { at: START_MS + 20_000 },
      step: append(sandboxRequested()),
    },
    {
      name: "at once when the clock went back behind the decision",
      log: waits,
      now: { at: START_MS + 10_999 },
      step: append(sandboxRequested()),
    },
    { name: "at once when a person resumes", log: [...waits, resume], step: append(sandboxRequested()) },
    {
      name: "at once when a person speaks",
      log: [...waits, said("it works again")],
      step: append(sandboxRequested()),
    },
    { name: "at once when it had worked before", log: diedOnce, step: append(sandboxRequested()) },
  ]);
});
