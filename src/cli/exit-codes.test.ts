import { describe, expect, test } from "vitest";
import {
  preflightFinished,
  reviewOf,
  sealed,
  verdictGiven,
  verdictRequested,
} from "../../test/support/contract-events.ts";
import {
  answered,
  asked,
  BASE,
  created,
  failedWith,
  idle,
  replied,
  resume,
  running,
  said,
  terminated,
} from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { ERROR_CODES } from "../core/errors.ts";
import { CATALOGUE } from "../core/events/catalogue.ts";
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import { EXIT, exitOfState } from "./exit-codes.ts";
import { restText } from "./standing.ts";
import { OUTCOMES } from "./verdicts.ts";

type Reason = EventBody<"session.status_idle">["stop_reason"];

const start = [created(), said("go"), running];
const agreed = [created({ checkout: { base: BASE } }), sealed(), said("go"), running, preflightFinished()];
const rests = (reason: Reason): EventInput => event("session.status_idle", { stop_reason: reason });

/** Every way to rest that there is, and what it tells whoever has waited for it. */
const RESTS: readonly (readonly [what: string, reason: Reason, code: number])[] = [
  ["verified", { type: "verified", verdict: 1 }, 0],
  ["nothing to do", { type: "already_green" }, 0],
  ["a verdict says unmet", { type: "unmet", verdict: 1 }, 1],
  ["the checks cannot run on the base", { type: "failed", code: "E_PREFLIGHT" }, 2],
  ["a cap in money", { type: "budget_reached", cap: "cost_micro_usd" }, 3],
  ["a cap on time", { type: "budget_reached", cap: "duration_ms" }, 3],
  ["the last verdict that was allowed", { type: "budget_reached", cap: "verdicts" }, 3],
  ["a call to allow", { type: "requires_action", calls: ["c1_0"] }, 4],
  ["a question", { type: "requires_action", calls: [], questions: ["q1_0"] }, 4],
  ["changed dependencies", { type: "requires_action", calls: [], environment: "7".repeat(64) }, 4],
  ["changes to look at, or a criterion called impossible", { type: "review", verdict: 1 }, 4],
  ["the model refuses", { type: "refusal" }, 4],
  ["answers are cut off", { type: "max_tokens" }, 4],
  ["a breaker", { type: "stalled" }, 5],
  ["an outage", { type: "retries_exhausted" }, 69],
  ["the provider will not answer", { type: "failed", code: "E_MODEL_REFUSED" }, 69],
  ["no sandbox", { type: "failed", code: "E_SANDBOX_UNAVAILABLE" }, 69],
  ["the files cannot be saved", { type: "failed", code: "E_WORKSPACE_GIT" }, 69],
  ["the referee failed", { type: "failed", code: "E_REFEREE" }, 70],
  ["a code of a later release", { type: "failed", code: "E_OF_A_LATER_RELEASE" }, 70],
  ["a code that is no code", { type: "failed", code: "toString" }, 70],
  ["a rate limit, by policy", { type: "rate_limited", resume_at: 1 }, 75],
  ["the key was refused", { type: "failed", code: "E_MODEL_AUTH" }, 77],
  ["a pause", { type: "paused" }, 130],
  ["a stop", { type: "stopped" }, 130],
];

describe("how a session rests decides the exit code", () => {
  test.each(RESTS)("%s", (_what, reason, code) => {
    expect(exitOfState(stateOf(...agreed, rests(reason)))).toBe(code);
    expect(restText(stateOf(...agreed, rests(reason)))).not.toBe("");
  });

  test("and no way to rest is left out", () => {
    const known = new Set<string>(RESTS.map(([, { type }]) => type)).add("end_turn");
    const options = CATALOGUE["session.status_idle"].shape.stop_reason.options;
    expect(known).toEqual(new Set(options.map(({ shape }) => shape.type.value)));
  });

  test("the end of a turn is what was asked for, unless there is a contract: then nothing was verified", () => {
    expect(exitOfState(stateOf(...start, idle("end_turn")))).toBe(0);
    const interrupted = stateOf(...agreed, idle("end_turn"));
    expect(exitOfState(interrupted)).toBe(130);
    expect(restText(interrupted)).toContain("interrupted before a verdict");
  });

  test.each(["paused", "stopped"] as const)("%s, and nothing is left to do once that is lifted", (reason) => {
    const rested = [...start, asked(1), answered(1), replied(1, "The end."), idle(reason)];
    expect(exitOfState(stateOf(...rested))).toBe(130);
    expect(exitOfState(stateOf(...rested, resume))).toBe(0);
    expect(exitOfState(stateOf(...agreed, idle(reason), resume))).toBe(130);
  });

  test.each([
    ["rate_limit", 75],
    ["overloaded", 69],
    ["network", 69],
  ] as const)("retries exhausted by %s: %i", (kind, code) => {
    const log = [...start, asked(1), failedWith(1, kind), idle("retries_exhausted")];
    expect(exitOfState(stateOf(...log))).toBe(code);
  });

  test("over, or left in the middle: 130", () => {
    expect(exitOfState(stateOf(...start, terminated))).toBe(130);
    expect(exitOfState(stateOf(...start))).toBe(130);
  });
});

test.each([
  ["met", 0],
  ["unmet", 1],
  ["review", 4],
  ["error", 70],
] as const)("a verdict that says %s ends `run` as it ends `verify`: %i", (outcome, code) => {
  const review = outcome === "review" ? { review: reviewOf() } : {};
  const log = [...agreed, verdictRequested(), verdictGiven(1, outcome, review)];
  const { contract } = stateOf(...log, verdictRequested(2), verdictGiven(2, outcome, review));
  const ending = contract?.ending ?? null;
  expect(ending).not.toBeNull();
  if (ending !== null) expect(exitOfState(stateOf(...log, rests(ending)))).toBe(code);
  expect(OUTCOMES[outcome]).toBe(code);
});

test("errors end with codes of the table, and never with that of a verdict, of success or of a signal", () => {
  const exits = Object.values(ERROR_CODES).map(({ exit }) => exit);
  const allowed = new Set<number>(Object.values(EXIT));
  for (const exit of exits) expect(allowed).toContain(exit);
  const apart: readonly number[] = [EXIT.ok, EXIT.unmet, EXIT.stalled, EXIT.terminated];
  for (const exit of exits) expect(apart).not.toContain(exit);
});
