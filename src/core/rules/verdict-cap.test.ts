import { describe, expect, test } from "vitest";
import {
  amend,
  amended,
  contractWith,
  preflightFinished,
  preflightStarted,
  sealed,
  verdictGiven,
  verdictRequested,
  verdictWanted,
} from "../../../test/support/contract-events.ts";
import {
  accepted,
  answered,
  asked,
  BASE,
  called,
  created,
  replied,
  result,
  resume,
  running,
  said,
  threadStart,
  woke,
} from "../../../test/support/events.ts";
import { nowOf, stateOf } from "../../../test/support/logs.ts";
import { contractHash } from "../contract/contract.ts";
import { decide } from "../decide.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

const few = contractWith({ limits: { verdicts: 1 } });
const more = contractWith({ limits: { verdicts: 2 } });
const capped = event("session.status_idle", { stop_reason: { type: "budget_reached", cap: "verdicts" } });
const given = (outcome: EventBody<"verdict.given">["outcome"], number = 1): EventInput =>
  verdictGiven(number, outcome, { contract_hash: contractHash(few) });

const begun: readonly EventInput[] = [
  created({ checkout: { base: BASE }, tools: [] }),
  sealed(few),
  said("go"),
  woke(),
  running,
  preflightStarted,
  preflightFinished(),
  event("attempt.started", { attempt: 1, criterion: "tests", reason: "first", commit: BASE }),
  threadStart(2),
  accepted(3),
  asked(1),
  answered(1),
  replied(1, "done"),
  verdictRequested(),
];
/** 16 events: the one verdict that there is says no. */
const spent = [...begun, given("unmet"), capped];

function next(...log: readonly EventInput[]): ReturnType<typeof decide> {
  const state = stateOf(...log);
  return decide(state, nowOf(state));
}

describe("at the cap on verdicts", () => {
  const talked = [...spent, said("please"), running, accepted(17), asked(2), answered(2), replied(2, "done")];

  test("a message is answered", () => {
    expect(next(...spent, said("please"), running)).toEqual(append(accepted(17)));
  });

  test("and buys no other verdict", () => {
    expect(next(...talked)).toEqual(append(capped));
    expect(stateOf(...talked, capped).hold).toBe("budget_reached");
  });

  test("resuming buys none", () => {
    expect(next(...talked, capped, resume, running)).toEqual(append(capped));
    expect(next(...spent, resume)).toMatchObject({ kind: "leave" });
  });

  test("the agent's own asking buys none, and is told so; what is said then is answered", () => {
    const asks = [
      ...[...spent, said("please"), running, accepted(17), asked(2)],
      ...[answered(2, { stop_reason: "tool_use" }), called(2, 0, "read_only", { name: "request_verdict" })],
    ];
    expect(next(...asks)).toMatchObject({
      events: [{ body: { content: [{ text: expect.stringContaining("No verdict is left") }] } }],
    });
    expect(next(...asks, result("c2_0", 0))).toEqual(append(capped));
    const then = [...asks, result("c2_0", 0), capped, said("and now?"), running];
    expect(next(...then)).toMatchObject({ events: [{ type: "harness.input_accepted" }] });
    expect(next(...then, accepted(then.length - 1))).toMatchObject({
      events: [{ type: "span.model_request_start" }],
    });
  });

  test("a person may ask for one all the same", () => {
    expect(next(...spent, resume, verdictWanted, running)).toEqual(append(verdictRequested(2, 0, "person")));
  });

  test("whatever the agent asks for itself meanwhile", () => {
    const asks = [
      ...[...spent, said("please"), running, accepted(17), asked(2), verdictWanted],
      ...[answered(2, { stop_reason: "tool_use" }), called(2, 0, "read_only", { name: "request_verdict" })],
    ];
    expect(next(...asks, result("c2_0", 0))).toEqual(append(verdictRequested(2, 0, "person")));
  });

  test("one that could not be made, or was cut off, does not count", () => {
    const failed = event("session.status_idle", { stop_reason: { type: "failed", code: "E_REFEREE" } });
    expect(next(...begun, given("error"), failed, resume, running)).toEqual(append(verdictRequested(2)));
    const stopped = event("session.status_idle", { stop_reason: { type: "stopped" } });
    expect(next(...begun, stopped, resume, running)).toEqual(append(verdictRequested(2)));
  });

  test("a raised cap goes on", () => {
    const asks = amend(more);
    const state = stateOf(...spent, asks);
    expect(state.hold).toBeNull();
    expect(decide(state, nowOf(state))).toMatchObject({ events: [{ type: "session.status_running" }] });
    const log = [...spent, asks, running, amended(more, few), preflightStarted, preflightFinished()];
    expect(next(...log)).toMatchObject({ events: [{ type: "span.model_request_start" }] });
    expect(next(...log, asked(2), answered(2), replied(2, "done"))).toEqual(append(verdictRequested(2)));
  });

  test("an amendment that leaves the cap as it is leaves it reached", () => {
    expect(stateOf(...spent, amend({ ...few, constraints: ["Be kind."] })).hold).toBe("budget_reached");
  });
});

describe("a program at the cap on verdicts", () => {
  const command = { argv: ["agent"], prompt: "stdin" as const, wall_ms: 1, quiet_ms: 1, fruitless_max: 3 };
  const attempted: readonly EventInput[] = [
    created({ checkout: { base: BASE }, tools: [], command }),
    ...begun.slice(1, 7),
    accepted(3),
    event("attempt.started", { attempt: 1, criterion: "tests", reason: "first", commit: BASE }),
    event("attempt.ended", { attempt: 1, ending: "exited", duration_ms: 1 }),
    verdictRequested(1, 0, "attempt"),
    given("unmet"),
    capped,
  ];

  test("begins no attempt that nobody would judge", () => {
    const log = [...attempted, said("please"), running];
    expect(next(...log)).toEqual(append(accepted(attempted.length + 1)));
    expect(next(...log, accepted(attempted.length + 1))).toEqual(append(capped));
  });

  test("goes on once it is raised", () => {
    const log = [...attempted, amend(more), running, amended(more, few)];
    expect(next(...log)).toEqual(append(preflightStarted));
    expect(stateOf(...log, preflightStarted, preflightFinished()).answerOwed).toBe(true);
  });
});
