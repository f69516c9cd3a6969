import { describe, expect, test } from "vitest";
import { sealed } from "../../../test/support/contract-events.ts";
import {
  accepted,
  asked,
  created,
  idle,
  pause,
  running,
  said,
  threadStart,
} from "../../../test/support/events.ts";
import { stateOf } from "../../../test/support/logs.ts";
import { type EventInput, event } from "../events/index.ts";
import type { StopReason } from "../state.ts";
import { retryRefusal } from "./retry.ts";

const begun: readonly EventInput[] = [created(), said("go"), running, threadStart(), accepted(2), asked(1)];
const rest = (stop_reason: StopReason): EventInput => event("session.status_idle", { stop_reason });
const attempt = event("attempt.started", { attempt: 1, criterion: "tests", reason: "first" });
const ended = event("attempt.ended", { attempt: 1, ending: "exited", duration_ms: 1 });
const program: readonly EventInput[] = [
  created({ command: { argv: ["agent"], prompt: "stdin", wall_ms: 1, quiet_ms: 1, fruitless_max: 3 } }),
  sealed(),
  said("go"),
  running,
];

describe("a new attempt", () => {
  test.each([
    ["while it works", begun, null],
    ["after an end of its turn", [...begun, idle("end_turn")], null],
    ["after a failure", [...begun, idle("failed")], null],
    ["after a stall", [...begun, idle("stalled")], null],
    ["after a stop", [...begun, idle("stopped")], null],
    ["after a pause", [...begun, pause, idle("paused")], null],
    ["after a negative verdict", [...begun, rest({ type: "unmet", verdict: 1 })], null],
    ["after a refusal", [...begun, idle("refusal")], null],
    ["at a cap of the attempt", [...begun, rest({ type: "budget_reached", cap: "attempt.tokens" })], null],
    [
      "at a cap of the criterion",
      [...begun, rest({ type: "budget_reached", cap: "criterion.tokens" })],
      "capped",
    ],
    ["at a cap of the session", [...begun, idle("budget_reached")], "capped"],
    ["before the first", [created(), said("go")], "not-begun"],
    ["before a person has answered", [...begun, idle("requires_action")], "asked"],
    ["before a person has looked", [...begun, rest({ type: "review", verdict: 1 })], "asked"],
    ["after a positive verdict", [...begun, rest({ type: "verified", verdict: 1 })], "verified"],
    ["of a program that has not begun", program, "not-begun"],
    ["of a program that is at work", [...program, attempt], "at-work"],
    ["of a program that has stalled", [...program, attempt, ended, idle("stalled")], null],
  ] as const)("%s", (_when, log, refusal) => {
    expect(retryRefusal(stateOf(...log))).toBe(refusal);
  });
});
