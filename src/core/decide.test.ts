import { describe, expect, test } from "vitest";
import {
  answered,
  called,
  cancel,
  created,
  failedWith,
  idle,
  interrupted,
  lost,
  rejected,
  rescheduled,
  running,
  SESSION,
  START_MS,
  said,
  started,
  stop,
  terminated,
} from "../../test/support/events.ts";
import { askingWithSandbox, calling, nowOf, stateOf } from "../../test/support/logs.ts";
import { decideTable, exec, performs } from "../../test/support/steps.ts";
import { decide } from "./decide.ts";
import { emptyState } from "./state.ts";
import { append, leave } from "./step.ts";

describe("what comes first", () => {
  const strict = { policy: { steering: "reject" } } as const;
  decideTable([
    {
      name: "refusing messages, before taking note of a request that is gone",
      log: [...askingWithSandbox(strict), said("x")],
      now: { epoch: 2 },
      step: append(rejected(10)),
    },
    {
      name: "a request that is gone, before a stop",
      log: [...askingWithSandbox(), stop],
      now: { epoch: 2, at: START_MS + 9000 },
      step: append(lost(1, 2000)),
    },
    {
      name: "a stop, before waiting for the answer",
      log: [...askingWithSandbox(), stop],
      step: append(interrupted(1)),
    },
    {
      name: "a cancel, before holding",
      log: [...askingWithSandbox(), failedWith(1, "network"), idle("failed"), cancel],
      step: append(terminated),
    },
    {
      name: "holding, before calls",
      log: [...calling(called(1, 0)), idle("paused")],
      step: leave(START_MS + 11_000 + 60_000),
    },
    {
      name: "saying that it runs, before calls",
      log: [...calling(called(1, 0)), idle("end_turn")],
      step: append(running),
    },
    {
      name: "calls, before messages that wait",
      log: [...calling(called(1, 0), started("c1_0")), said("and")],
      step: performs(null, exec("c1_0")),
    },
    {
      name: "a back-off, before messages that wait",
      log: [
        ...askingWithSandbox(),
        failedWith(1, "network"),
        rescheduled(START_MS + 3_600_000, START_MS),
        said("and"),
      ],
      step: leave(START_MS + 3_600_000),
    },
    {
      name: "a message that waits, before resting",
      log: [...askingWithSandbox(), said("and"), answered(1)],
      step: append({ type: "harness.input_accepted", body: { seqs: [10] } }),
    },
    { name: "resting, when there is nothing else", log: [created()], step: leave(null) },
  ]);
});

describe("a decision", () => {
  test("is the same however often it is asked for", () => {
    const state = stateOf(...calling(called(1, 0), called(1, 1)));
    expect(decide(state, nowOf(state))).toEqual(decide(state, nowOf(state)));
  });

  test("about an empty log is to leave", () => {
    const state = emptyState(SESSION);
    expect(decide(state, nowOf(state))).toEqual(leave(null));
  });
});
