import { describe, expect, test } from "vitest";
import { contractWith, preflightStarted, sealed } from "../../../test/support/contract-events.ts";
import { BASE, created, running, said, woke } from "../../../test/support/events.ts";
import { nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable } from "../../../test/support/steps.ts";
import { decide } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

/** What the base shows of the one check, twice. */
const atBase = (status: "passed" | "failed" | "flaky"): EventInput => {
  const role = status === "failed" ? ("earn" as const) : ("keep" as const);
  const none = { passing: "", failing: "", exempt: "", unstable: 0, wall_ms: 1000, runs: [] };
  const found = { criterion: "tests", status, role, ...none };
  return event("preflight.finished", { commit: BASE, criteria: [found], problems: [], duration_ms: 5 });
};

describe("when the checks are all that is wanted", () => {
  const onlyChecks = contractWith({ goal: "Make the checks pass.", goal_from: "checks" });
  const opened = [created({ checkout: { base: BASE } }), sealed(onlyChecks), said("go"), woke(), running];
  const looked = (status: Parameters<typeof atBase>[0], ...between: readonly EventInput[]) => [
    ...opened,
    preflightStarted,
    ...between,
    atBase(status),
  ];
  const nothing = [
    event("harness.input_accepted", { seqs: [3] }),
    event("session.status_idle", { stop_reason: { type: "already_green" } }),
  ];
  const works = (state: ReturnType<typeof stateOf>): string[] => {
    const step = decide(state, nowOf(state));
    return step.kind === "append" ? step.events.map(({ type }) => type) : [step.kind];
  };

  decideTable([
    {
      name: "a green base leaves nothing to do, and nobody is asked",
      log: looked("passed"),
      step: append(...nothing),
    },
  ]);

  test.each<[string, readonly EventInput[]]>([
    ["a red one is worked on", looked("failed")],
    ["a flaky one shows nothing", looked("flaky")],
    ["and so is whatever a person has written meanwhile", looked("passed", said("and rename it"))],
    [
      "a goal of its own is not checked by a green base",
      [
        created({ checkout: { base: BASE } }),
        sealed(),
        said("go"),
        woke(),
        running,
        preflightStarted,
        atBase("passed"),
      ],
    ],
    ["the next message is worked on", [...looked("passed"), ...nothing, said("now rename it"), running]],
  ])("%s", (_name, log) => expect(works(stateOf(...log))).toContain("attempt.started"));

  test("it rests, and nothing holds it", () =>
    expect(stateOf(...looked("passed"), ...nothing)).toMatchObject({
      phase: "idle",
      hold: null,
      answerOwed: false,
      stopReason: { type: "already_green" },
      contract: { preflight: "passed", wanted: null, ending: null },
    }));
});
