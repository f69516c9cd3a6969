import { describe, expect, test } from "vitest";
import {
  attemptEnded,
  attemptStarted,
  contractWith,
  sealed,
  verdictGiven,
  verdictRequested,
} from "../../../test/support/contract-events.ts";
import {
  answered,
  asked,
  BASE,
  called,
  commitOf,
  created,
  lost,
  result,
  said,
  threadStart,
} from "../../../test/support/events.ts";
import { stateOf } from "../../../test/support/logs.ts";
import type { Progress } from "../attempt/state.ts";
import { contractHash } from "../contract/contract.ts";
import type { EventInput } from "../events/index.ts";

const begun = [created({ checkout: { base: BASE } }), sealed(), said("go"), attemptStarted(), threadStart(2)];
const turn = (request: number): EventInput[] => [asked(request), answered(request)];
const judged = (number: number, outcome: "met" | "unmet"): EventInput[] => [
  verdictRequested(number),
  verdictGiven(number, outcome, { contract_hash: contractHash(contractWith()) }),
];

function progressOf(...events: readonly EventInput[]): Progress {
  return stateOf(...begun, ...events).attempts.progress;
}

describe("what is measured of the work", () => {
  test("answers of the thread are counted, the last three with their places", () => {
    const events = [1, 2, 3, 4].flatMap(turn);
    expect(progressOf(...events)).toMatchObject({
      turns: 4,
      recent: [
        { request: 2, seq: 8 },
        { request: 3, seq: 10 },
        { request: 4, seq: 12 },
      ],
    });
  });

  test("a request without an answer is no turn", () => {
    expect(progressOf(...turn(1), asked(2), lost(2))).toMatchObject({
      turns: 1,
      recent: [{ request: 1 }],
    });
  });

  test("errors count in a row", () => {
    const failed = (call: string): EventInput => {
      const good = result(call);
      return { ...good, body: { ...good.body, is_error: true } } as EventInput;
    };
    const events = [asked(1), answered(1), called(1, 0), called(1, 1), failed("c1_0"), failed("c1_1")];
    expect(progressOf(...events).errorsInRow).toBe(2);
    expect(progressOf(...events, result("c1_1")).errorsInRow).toBe(0);
  });

  test("verdicts that find the same are counted, and the next attempt begins at nothing", () => {
    const events = [...judged(1, "unmet"), ...judged(2, "unmet")];
    expect(progressOf(...events)).toMatchObject({ unmet: "tests", sameVerdicts: 2, best: null });
    const next = [attemptEnded("reset", 1), attemptStarted(2, "tests", "reset")];
    expect(progressOf(...events, ...next)).toMatchObject({
      unmet: "",
      sameVerdicts: 0,
      fruitlessAttempts: 1,
    });
  });

  test("the best verdict is remembered with its checkpoint, and ends a row of attempts in vain", () => {
    const events = [attemptEnded("reset", 1), attemptStarted(2, "tests", "reset"), ...judged(1, "met")];
    expect(progressOf(...events)).toMatchObject({
      best: { met: 1, checkpoint: 0, commit: commitOf(0) },
      fruitlessAttempts: 0,
    });
  });
});
