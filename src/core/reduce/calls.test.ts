import { describe } from "vitest";
import {
  called,
  confirmed,
  idle,
  inDoubt,
  prepared,
  result,
  START_MS,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  started,
} from "../../../test/support/events.ts";
import { calling } from "../../../test/support/logs.ts";
import { reduceTable } from "../../../test/support/reduce-table.ts";
import { callOf } from "../../../test/support/steps.ts";
import type { SessionState } from "../state.ts";

describe("calls", () => {
  const one = calling(called(1, 0, "reconcilable"));
  const requested = {
    call: "c1_0" as never,
    seq: 11,
    name: "write",
    effect: "reconcilable",
    permission: "allow",
    invalid: null,
    status: "requested",
    run: 0,
    incarnation: "",
    startedAt: 0,
    prepared: null,
    path: null,
    intended: null,
    finding: "unknown",
    confirmation: null,
    denyMessage: null,
  } as const;
  const change =
    (changes: Partial<SessionState["calls"][number]>) =>
    (before: SessionState): Partial<SessionState> => ({
      calls: [{ ...callOf(before, "c1_0"), ...changes }],
    });
  const running1 = [...one, prepared("c1_0", "old", "new"), started("c1_0")];
  reduceTable([
    {
      name: "are requested",
      before: calling(),
      event: called(1, 0, "reconcilable"),
      changes: { calls: [requested] },
    },
    {
      name: "may not fit",
      before: calling(),
      event: called(1, 0, "reconcilable", { invalid: "no path" }),
      changes: { calls: [{ ...requested, invalid: "no path" }] },
    },
    {
      name: "are prepared",
      before: one,
      event: prepared("c1_0", null, "new"),
      changes: change({ prepared: { before: null, after: "new" }, path: "/workspace/a" }),
    },
    {
      name: "start, with what they intend",
      before: [...one, prepared("c1_0", "old", "new")],
      event: started("c1_0", 1, { at: 77 }),
      changes: change({
        status: "started",
        run: 1,
        incarnation: "i1",
        startedAt: 77,
        intended: { before: "old", after: "new" },
      }),
    },
    {
      name: "are in doubt: another look is needed, the intention is kept",
      before: running1,
      event: inDoubt("c1_0", 1, "not_started"),
      changes: change({ status: "in_doubt", finding: "not_started", prepared: null }),
    },
    {
      name: "are answered",
      before: running1,
      event: result("c1_0"),
      changes: (before) => ({ ...change({ status: "answered" })(before), answerOwed: true }),
    },
    { name: "are answered once", before: [...running1, result("c1_0")], event: result("c1_0"), changes: {} },
    { name: "stay answered", before: [...running1, result("c1_0")], event: inDoubt("c1_0"), changes: {} },
    { name: "of an older turn are nothing", before: one, event: result("c0_0"), changes: {} },
    {
      name: "that finished show that the sandbox works",
      before: [...running1, sandboxLost(), sandboxRequested(), sandboxReady("i2")],
      event: result("c1_0"),
      changes: (before) => ({
        ...change({ status: "answered" })(before),
        answerOwed: true,
        sandbox: { ...before.sandbox!, failures: 0 },
      }),
    },
    {
      name: "that finished before it was lost do not rename the try to make it again",
      before: [...running1, sandboxLost(), sandboxRequested()],
      event: result("c1_0"),
      changes: (before) => ({ ...change({ status: "answered" })(before), answerOwed: true }),
    },
    {
      name: "that did not run show nothing",
      before: [...one, sandboxLost()],
      event: result("c1_0", 0),
      changes: (before) => ({ ...change({ status: "answered" })(before), answerOwed: true }),
    },
    {
      name: "a person's answer",
      before: [...running1, inDoubt("c1_0"), idle("requires_action")],
      event: confirmed("c1_0", "deny", "no"),
      changes: (before) => ({
        ...change({ confirmation: "deny", denyMessage: "no" })(before),
        hold: null,
      }),
    },
    {
      name: "a person's answer that nobody asked for",
      before: running1,
      event: confirmed("c1_0", "allow"),
      changes: {},
    },
    {
      name: "the answer is used up by the run",
      before: [...running1, inDoubt("c1_0"), confirmed("c1_0", "allow")],
      event: started("c1_0", 2, { incarnation: "i2" }),
      changes: change({
        status: "started",
        run: 2,
        incarnation: "i2",
        startedAt: START_MS,
        confirmation: null,
        intended: null,
      }),
    },
  ]);
});
