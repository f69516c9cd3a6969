import { describe, expect, test } from "vitest";
import {
  attemptStarted,
  contractWith,
  declarationDecided,
  declared,
  preflightFinished,
  preflightStarted,
  sealed,
  verdictGiven,
  verdictRequested,
} from "../../../test/support/contract-events.ts";
import {
  accepted,
  answered,
  asked,
  BASE,
  called,
  created,
  result,
  running,
  said,
  threadStart,
  woke,
} from "../../../test/support/events.ts";
import { contextOf, nowOf, stateOf } from "../../../test/support/logs.ts";
import { openingText } from "../attempt/opening.ts";
import { nextTarget, statusOf } from "../attempt/target.ts";
import { closeTurn, messagesOf } from "../context.ts";
import { type Contract, contractHash } from "../contract/contract.ts";
import { decide } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";

const tests = contractWith().criteria[0] as Contract["criteria"][number];
const both = contractWith({ criteria: [tests, { ...tests, id: "docs", description: "The docs build." }] });
const atRest = event("session.status_idle", { stop_reason: { type: "review", verdict: 1 } });

/** The agent has said that it cannot be met. */
const declaring = (contract = contractWith()): EventInput[] => [
  created({ checkout: { base: BASE }, tools: [] }),
  sealed(contract),
  said("go"),
  woke(),
  running,
  preflightStarted,
  preflightFinished(),
  attemptStarted(1, "tests"),
  threadStart(2),
  accepted(3),
  asked(1),
  answered(1, { stop_reason: "tool_use" }),
  called(1, 0, "read_only", { name: "declare" }),
  declared("c1_0"),
  result("c1_0"),
];

const verdictOn = (number: number, contract = contractWith(), others: "met" | "unmet" = "met"): EventInput =>
  verdictGiven(number, "review", {
    contract_hash: contractHash(contract),
    criteria: contract.criteria.map(({ id }) => ({
      criterion: id,
      status: id === "tests" ? "impossible" : others,
      ...{ strength: null, reason: "as it was found", evidence: [] },
    })),
  });

/** A verdict has left it to a person. */
const parked = (contract = contractWith()): EventInput[] => [
  ...declaring(contract),
  verdictRequested(),
  verdictOn(1, contract),
  atRest,
];

describe("a declaration that a person denies", () => {
  test("does not count any more: its criterion is worked on again", () => {
    const before = stateOf(...parked());
    expect(nextTarget(before, 0)).toBeNull();
    const state = stateOf(...parked(), declarationDecided("deny"));
    expect(state.contract?.declared).toEqual([]);
    expect(statusOf(state, "tests", 0)).toBe("unmet");
    expect(nextTarget(state, 0)).toBe("tests");
  });

  test("is told to the agent, which goes on", () => {
    const log = [...parked(), declarationDecided("deny"), running];
    const state = stateOf(...log);
    expect(decide(state, nowOf(state))).toMatchObject({ events: [{ type: "span.model_request_start" }] });
    expect(messagesOf(closeTurn(contextOf(...log))).at(-1)).toEqual({
      role: "user",
      text: "[harness] A person does not accept that tests cannot be met: the key is there now\nIt is asked for again. Go on with it; if it still cannot be met, declare it again with new evidence.",
    });
  });

  test("is told to a later thread that works on it, too", () => {
    const log = [...parked(both), declarationDecided("deny"), running];
    const later = [event("attempt.ended", { attempt: 1, ending: "unmet", duration_ms: 1 })];
    const state = stateOf(...log, ...later, attemptStarted(2, "tests", "again"));
    expect(openingText(state, 0)).toContain(
      "You have declared it impossible; a person does not accept that: the key is there now",
    );
  });

  test("does not wait for its verdict, which is made anew without it", () => {
    const making = stateOf(...declaring(), verdictRequested(1, 0, "asked"), declarationDecided("deny"));
    expect(making.contract).toMatchObject({ making: null, wanted: "asked", declared: [] });
    expect(making.answerOwed).toBe(true);
    const late = stateOf(...declaring(), verdictRequested(), declarationDecided("deny"), verdictOn(1));
    expect(late.contract?.given).toBeNull();
  });

  test("counts again when the agent declares it again", () => {
    const again = stateOf(
      ...parked(),
      declarationDecided("deny"),
      ...[running, asked(2), answered(2, { stop_reason: "tool_use" })],
      ...[called(2, 0, "read_only", { name: "declare" }), declared("c2_0")],
    );
    expect(again.contract).toMatchObject({ declared: [{ call: "c2_0" }], denials: [] });
    expect(nextTarget(again, 0)).toBeNull();
    const old = declarationDecided("deny");
    const raced = stateOf(...parked(), declared("c2_0"), old);
    expect(raced.contract?.declared).toMatchObject([{ call: "c2_0" }]);
  });
});

test("a declaration that is approved stays what it is: a waiver takes its criterion away", () => {
  const state = stateOf(...parked(), declarationDecided("approve"));
  expect(state).toMatchObject({ answerOwed: false, contract: { declared: [{ criterion: "tests" }] } });
  const { seq, lastEventAt } = state;
  expect(state).toEqual({ ...stateOf(...parked()), seq, lastEventAt, budget: state.budget });
});

test("what is blocked for another reason stays so", () => {
  const blocked = verdictGiven(1, "review", {
    contract_hash: contractHash(both),
    criteria: both.criteria.map(({ id }) => ({
      criterion: id,
      status: id === "docs" ? "blocked" : "impossible",
      ...{ strength: null, reason: "as it was found", evidence: [] },
    })),
  });
  const log = [...declaring(both), verdictRequested(), blocked, atRest, declarationDecided("deny")];
  expect(statusOf(stateOf(...log), "docs", 0)).toBe("blocked");
});
