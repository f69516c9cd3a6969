import { describe, expect, test } from "vitest";
import { sealed } from "../../test/support/contract-events.ts";
import {
  accepted,
  asked,
  created,
  idle,
  resume,
  running,
  SESSION,
  START_MS,
  said,
  setLimits,
  terminated,
  threadStart,
} from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { type ClientEventInput, type EventInput, event } from "../core/events/index.ts";
import type { SessionRecord } from "../store/contract.ts";
import { activityOf, afterStop, nextStep, standingOf } from "./standing.ts";

const begun: readonly EventInput[] = [created(), said("go"), running, threadStart(), accepted(2), asked(1)];
const program: readonly EventInput[] = [
  created({ command: { argv: ["agent"], prompt: "stdin", wall_ms: 1, quiet_ms: 1, fruitless_max: 3 } }),
  sealed(),
  said("go"),
];
const started = event("preflight.started", { commit: "0".repeat(40) });
const attempt = event("attempt.started", { attempt: 2, criterion: "tests", reason: "again" });
const verdict = event("verdict.requested", {
  ...{ number: 3, commit: "0".repeat(40), reason: "asked" as const },
});

describe("what it does now", () => {
  test.each([
    ["a request", begun, "waits for the model (request 1)"],
    ["checks on the base", [...program, running, started], "runs the checks on the base"],
    ["a verdict", [...program, running, verdict], "waits for the referee (verdict 3)"],
    ["an attempt of a program", [...program, running, attempt], "a program works (attempt 2)"],
    ["nothing", [created()], "idle"],
  ] as const)("%s", (_what, log, text) => {
    expect(activityOf(stateOf(...log), START_MS)).toBe(text);
  });
});

test("the command that goes on at a cap is the one that raises it", () => {
  const at = (cap: string): string => afterStop("sesn_1", { type: "budget_reached", cap }).join(" ");
  expect(at("tokens")).toBe("resume sesn_1 --max-tokens ...");
  expect(at("verdicts")).toBe("amend sesn_1 --max-verdicts ... --reason ...");
});

describe("the command that goes on after a stop", () => {
  const rested: SessionRecord = {
    ...{ sessionId: SESSION, createdAt: START_MS, updatedAt: START_MS, seq: 1, hash: "", epoch: 1 },
    ...{ owner: null, held: false, due: null, summary: null },
  };
  const stop = event("control.stop", {});

  test.each([
    ["at work", [...begun, stop, idle("stopped")], "resume"],
    ["at work, and lifted already", [...begun, stop, resume, idle("stopped")], "resume"],
    ["at rest", [created(), idle("end_turn"), stop, idle("stopped")], "resume"],
    ["at rest, and lifted already", [created(), idle("end_turn"), stop, resume, idle("stopped")], "send"],
    [
      "at rest under a contract",
      [created(), sealed(), idle("unmet"), stop, resume, idle("stopped")],
      "retry",
    ],
  ] as const)("of a session %s", (_when, log, command) => {
    expect(standingOf(stateOf(...log), rested, START_MS).next?.[0]).toBe(command);
  });
});

describe("what happens first when it goes on", () => {
  const lifts = [resume as ClientEventInput];
  const raises = [setLimits({ tokens: 5 }) as ClientEventInput];

  test.each([
    ["after a pause", [...begun, idle("paused")], lifts, "lifts the pause, then asks the model (request 2)"],
    [
      "after a stall",
      [...begun, idle("stalled")],
      lifts,
      "lifts the breaker, then asks the model (request 2)",
    ],
    [
      "at a cap",
      [...begun, idle("budget_reached")],
      lifts,
      "it stops at the same cap again, unless there is room by now",
    ],
    [
      "at a cap that is raised",
      [...begun, idle("budget_reached")],
      raises,
      "lifts the cap, then asks the model (request 2)",
    ],
    ["with a message", [created(), said("go")], [], "picks up 1 message"],
    ["of a contract", program, [], "runs the checks on the base"],
    ["for a person", [...begun, idle("requires_action")], [], null],
    ["after the end of a turn", [created()], [], null],
    ["when it is over", [...begun, terminated], lifts, null],
  ] as const)("%s", (_when, log, wanted, text) => {
    expect(nextStep(stateOf(...log), wanted)).toBe(text);
  });
});
