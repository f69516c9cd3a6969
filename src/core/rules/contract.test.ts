import { describe, expect, test } from "vitest";
import {
  amend,
  attemptEnded,
  attemptStarted,
  contractWith,
  decidedOn,
  declared,
  LOOKED_AT,
  preflightFinished,
  preflightStarted,
  reviewOf,
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
  checkpointCreated,
  checkpointRequested,
  created,
  idle,
  replied,
  result,
  resume,
  running,
  said,
  sandboxReady,
  sandboxRequested,
  setLimits,
  started,
  threadStart,
  woke,
} from "../../../test/support/events.ts";
import { contextOf, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable, type IntentOf, performs } from "../../../test/support/steps.ts";
import { closeTurn, messagesOf } from "../context.ts";
import { contractHash } from "../contract/contract.ts";
import { amendmentText } from "../contract/tell.ts";
import { decide } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";
import { costCharged, tokensCharged } from "../state.ts";
import { append } from "../step.ts";
import { exceededByJudge } from "./budget.ts";

const HASH = contractHash(contractWith());
const preflight: IntentOf = () => ({ kind: "preflight", key: `preflight/0/${HASH}` });
const verdict =
  (number = 1): IntentOf =>
  () => ({ kind: "verdict", key: `verdict/${number}`, number });

/** 5 events: made, sealed, asked, at work. */
const begun = [created({ checkout: { base: BASE } }), sealed(), said("go"), woke(), running];
/** 10 events: the base was looked at, and the first request is in flight. */
const working = [
  ...begun,
  preflightStarted,
  preflightFinished(),
  attemptStarted(),
  threadStart(2),
  accepted(3),
  sandboxRequested(),
  sandboxReady(),
  asked(1, { through_seq: 12 }),
];
/** The agent has ended its turn without a change. */
const ended = [...working, answered(1), replied(1, "done")];
/** The agent has changed something and asks. */
const changed = [
  ...working,
  answered(1, { stop_reason: "tool_use" }),
  called(1, 0),
  called(1, 1, "read_only", { name: "request_verdict", input: {} }),
  started("c1_0"),
  result("c1_0"),
];
const exhausted = event("budget.exhausted", { cap: "tokens", limit: 100, used: 90, wanted: 20 });
/** Its judge may not be asked. */
const ofTheDay = event("budget.exhausted", { cap: "day.tokens", limit: 100, used: 90, wanted: 20 });
const parked = [...ended, verdictRequested(), exhausted, idle("budget_reached")];

const idleAs = (stop_reason: Parameters<typeof event<"session.status_idle">>[1]["stop_reason"]): EventInput =>
  event("session.status_idle", { stop_reason });

describe("before work", () => {
  decideTable([
    { name: "the base is looked at first", log: begun, step: append(preflightStarted) },
    {
      name: "and nothing else begins meanwhile",
      log: [...begun, preflightStarted],
      step: performs(null, preflight),
    },
    {
      name: "what cannot be checked is not begun",
      log: [...begun, preflightStarted, preflightFinished("not_found")],
      step: append(idleAs({ type: "failed", code: "E_PREFLIGHT" })),
    },
    {
      name: "once a person has mended it, the base is looked at again",
      log: [
        ...begun,
        preflightStarted,
        preflightFinished("not_found"),
        idleAs({ type: "failed", code: "E_PREFLIGHT" }),
        resume,
        running,
      ],
      step: append(preflightStarted),
    },
    {
      name: "without a commit to begin with there is nothing to compare",
      log: [created(), sealed(), said("go"), woke(), running],
      step: append(idleAs({ type: "failed", code: "E_PREFLIGHT" })),
    },
  ]);
});

describe("an agent can only ask", () => {
  decideTable([
    {
      name: "the end of its turn asks for a verdict",
      log: ended,
      step: append(verdictRequested(1, 0, "rest")),
    },
    {
      name: "so does an end that its provider has no word for",
      log: [...working, answered(1, { stop_reason: "other" }), replied(1, "done")],
      step: append(verdictRequested(1, 0, "rest")),
    },
    {
      name: "its tool is answered at once",
      log: changed,
      step: append(
        result("c1_1", 0, {
          content: [{ type: "text", text: "A verdict is being made; you will be told what it says." }],
          duration_ms: 0,
          exit_code: null,
        }),
      ),
    },
    {
      name: "what it has changed is saved before the referee looks",
      log: [...changed, result("c1_1", 0)],
      step: append(checkpointRequested(1, "verdict")),
    },
    {
      name: "the verdict is about what was saved, and comes before the next request",
      log: [...changed, result("c1_1", 0), checkpointRequested(1, "verdict"), checkpointCreated(1)],
      step: append(verdictRequested(1, 1, "asked")),
    },
    {
      name: "the referee works alone",
      log: [...ended, verdictRequested()],
      step: performs(null, verdict()),
    },
    {
      name: "a cap that its judge has reached parks it",
      log: [...ended, verdictRequested(), exhausted],
      step: append(idleAs({ type: "budget_reached", cap: "tokens" })),
    },
    {
      name: "one of the day until the next",
      log: [...ended, verdictRequested(), ofTheDay],
      now: { at: Date.UTC(2026, 10, 30, 8) },
      step: append(idleAs({ type: "budget_reached", cap: "day.tokens", resume_at: Date.UTC(2026, 11, 1) })),
    },
    {
      name: "a raised cap goes on with the same verdict",
      log: [...parked, setLimits({ tokens: 1_000_000 }), running],
      step: performs(null, verdict()),
    },
    {
      name: "what a person has said meanwhile is answered before a turn's end counts",
      log: [...ended, said("and also this")],
      step: append(accepted(16)),
    },
  ]);
});

test("what a judge has used counts for the agent's caps, too", () => {
  const reservation = { tokens: 3000, cost_micro_usd: 40 };
  const start = (request: number): EventInput =>
    event("judge.request_start", { verdict: 1, criterion: "tests", request, model: "m", reservation });
  const usage = {
    ...{ input_tokens: 5, output_tokens: 6 },
    ...{ cache_read_input_tokens: 7, cache_creation_input_tokens: 8 },
  };
  const log = [...ended, verdictRequested()];
  const before = stateOf(...log);
  const open = stateOf(...log, start(1));
  expect(tokensCharged(open) - tokensCharged(before)).toBe(3000);
  expect(costCharged(open) - costCharged(before)).toBe(40);
  const end = {
    request: 1,
    outcome: "answered",
    model_usage: usage,
    cost_micro_usd: 9,
    duration_ms: 1,
  } as const;
  const settled = stateOf(...log, start(1), event("judge.request_end", end));
  expect(tokensCharged(settled) - tokensCharged(before)).toBe(26);
  expect(costCharged(settled) - costCharged(before)).toBe(9);
  // Whose harness was killed is charged for good, and so is one that never told its usage.
  const { model_usage: _usage, cost_micro_usd: _cost, ...silent } = { ...end, request: 2 };
  const lost = stateOf(...log, start(1), start(2), event("judge.request_end", silent));
  expect(tokensCharged(lost) - tokensCharged(before)).toBe(6000);
  expect(lost.ledger).toMatchObject({ judgeRequests: 2, unsettledRequests: 2, unsettledCostMicroUsd: 80 });
  const wanted = { tokens: 1, costMicroUsd: null };
  const capped = stateOf(...log, start(1), setLimits({ model_requests: 2 }));
  expect(exceededByJudge(capped, wanted)).toMatchObject({ cap: "model_requests", used: 2 });
  expect(exceededByJudge(stateOf(...log, setLimits({ cost_micro_usd: 10 })), wanted)).toMatchObject({
    cap: "cost_micro_usd",
  });
});

describe("a verdict", () => {
  const given = (outcome: "met" | "unmet" | "review" | "error", more = {}): EventInput[] => [
    ...ended,
    verdictRequested(),
    verdictGiven(1, outcome, more),
  ];

  decideTable([
    {
      name: "that is positive ends the work",
      log: given("met"),
      step: append(attemptEnded("met", 10_000), idleAs({ type: "verified", verdict: 1 })),
    },
    {
      name: "that is negative is told to the agent",
      log: given("unmet"),
      step: append(
        asked(2, { through_seq: 17, context_hash: "hash", reservation: { tokens: 1100, cost_micro_usd: 0 } }),
      ),
    },
    {
      name: "that waits for a person leaves it to them",
      log: given("review", { review: reviewOf() }),
      step: append(idleAs({ type: "review", verdict: 1 })),
    },
    {
      name: "that could not be made decides nothing",
      log: given("error"),
      step: append(idleAs({ type: "failed", code: "E_REFEREE" })),
    },
    {
      name: "on what was judged already ends the work as not met",
      log: [
        ...given("unmet"),
        asked(2, { through_seq: 17 }),
        answered(2),
        replied(2, "it is done, really"),
        verdictRequested(2),
        verdictGiven(2, "unmet"),
      ],
      step: append(attemptEnded("unmet", 15_000), idleAs({ type: "unmet", verdict: 2 })),
    },
  ]);

  test("says nothing about a turn that began after it", () => {
    const log = [...given("met"), said("one more thing"), accepted(18), asked(2, { through_seq: 19 })];
    const state = stateOf(...log, answered(2, { stop_reason: "refusal" }));
    expect(decide(state, nowOf(state))).toEqual(append(idleAs({ type: "refusal" })));
  });

  test("that was approved by a person in all its points is asked for again", () => {
    const reviewed = [...given("review", { review: reviewOf() }), idleAs({ type: "review", verdict: 1 })];
    const state = stateOf(...reviewed, decidedOn("approve"), running);
    expect(state.contract?.decisions).toEqual([{ hash: LOOKED_AT, result: "approve" }]);
    expect(decide(state, nowOf(state))).toEqual(append(verdictRequested(2, 0, "person")));
  });

  test("that a person denies goes back to the agent, with their words", () => {
    const reviewed = [...given("review", { review: reviewOf() }), idleAs({ type: "review", verdict: 1 })];
    const log = [...reviewed, decidedOn("deny"), running];
    const state = stateOf(...log);
    expect(decide(state, nowOf(state))).toMatchObject({
      kind: "append",
      events: [{ type: "span.model_request_start" }],
    });
    expect(messagesOf(closeTurn(contextOf(...log))).at(-1)).toEqual({
      role: "user",
      text: "[harness] A person did not approve review-abababababababab.",
    });
  });

  test("is not decided by an approval of something else", () => {
    const reviewed = [...given("review", { review: reviewOf() }), idleAs({ type: "review", verdict: 1 })];
    const other = { ...decidedOn("approve"), body: { ...decidedOn("approve").body, hash: "ef".repeat(32) } };
    const state = stateOf(...reviewed, other as EventInput);
    expect(state.contract).toMatchObject({ decisions: [], wanted: null });
  });

  test("has its cap", () => {
    const few = contractWith({ limits: { verdicts: 1 } });
    const log = [
      created({ checkout: { base: BASE } }),
      sealed(few),
      ...ended.slice(2),
      verdictRequested(),
      verdictGiven(1, "unmet", { contract_hash: contractHash(few) }),
    ];
    const state = stateOf(...log);
    expect(decide(state, nowOf(state))).toEqual(append(idleAs({ type: "budget_reached", cap: "verdicts" })));
  });

  test("that was asked for before a crash is made under the same number", () => {
    const state = stateOf(...ended, verdictRequested(), woke(2));
    expect(decide(state, nowOf(state, { epoch: 2 }))).toEqual(performs(null, verdict())(state));
  });

  test("that a person stopped is asked for again when work goes on", () => {
    const state = stateOf(...ended, verdictRequested(), idle("stopped"), resume, running);
    expect(decide(state, nowOf(state))).toEqual(append(verdictRequested(2, 0, "rest")));
  });

  test("that was given in the instant of a pause is asked for again when work goes on", () => {
    const state = stateOf(...given("met"), idle("paused"), resume, running);
    expect(decide(state, nowOf(state))).toEqual(append(verdictRequested(2, 0, "rest")));
  });

  test("that could not be made is asked for again when a person resumes", () => {
    const failed = idleAs({ type: "failed", code: "E_REFEREE" });
    const state = stateOf(...given("error"), failed, resume, running);
    expect(decide(state, nowOf(state))).toEqual(append(verdictRequested(2, 0, "rest")));
  });

  test("that is negative, after one of the same commit that could not be made, is told to the agent", () => {
    const failed = idleAs({ type: "failed", code: "E_REFEREE" });
    const again = [verdictRequested(2, 0, "rest"), verdictGiven(2, "unmet")];
    const state = stateOf(...given("error"), failed, resume, running, ...again);
    expect(state.contract?.ending).toBeNull();
    expect(state.answerOwed).toBe(true);
  });

  test("is not to be had beyond the cap by resuming", () => {
    const capped = idleAs({ type: "budget_reached", cap: "verdicts" });
    const few = contractWith({ limits: { verdicts: 1 } });
    const unmet = verdictGiven(1, "unmet", { contract_hash: contractHash(few) });
    const begin = [created({ checkout: { base: BASE } }), sealed(few), ...ended.slice(2)];
    const state = stateOf(...begin, verdictRequested(), unmet, capped, resume);
    expect(state.contract?.wanted).toBeNull();
  });
});

describe("an amendment", () => {
  const wide = contractWith({ constraints: ["No new dependencies."] });

  test("replaces the contract, and the base is looked at again", () => {
    const log = [...ended, amend(wide)];
    const amended = event("contract.amended", {
      contract: wide,
      hash: contractHash(wide),
      previous_hash: HASH,
      reason: "it was too narrow",
      author: "somebody",
      asked_seq: 16,
      content: [{ type: "text", text: amendmentText(wide, "it was too narrow") }],
    });
    const before = stateOf(...log);
    expect(decide(before, nowOf(before))).toEqual(append(amended));
    const after = stateOf(...log, amended);
    expect(after.contract).toMatchObject({ hash: contractHash(wide), preflight: "owed", amendments: 1 });
    expect(decide(after, nowOf(after))).toEqual(append(preflightStarted));
  });
});

describe("a declaration", () => {
  test("is noted for a criterion that there is", () => {
    const call = called(1, 0, "read_only", { name: "declare" });
    const log = [...working, answered(1, { stop_reason: "tool_use" }), call, declared("c1_0")];
    const state = stateOf(...log);
    expect(state.contract?.declared).toMatchObject([{ criterion: "tests", status: "impossible" }]);
    expect(decide(state, nowOf(state))).toMatchObject({
      events: [{ body: { call: "c1_0", is_error: false, ending: "exited" } }],
    });
  });

  test("of another one is refused, with the names there are", () => {
    const call = called(1, 0, "read_only", { name: "declare" });
    const log = [...working, answered(1, { stop_reason: "tool_use" }), call, declared("c1_0", "others")];
    const state = stateOf(...log);
    expect(state.contract?.declared).toEqual([]);
    expect(decide(state, nowOf(state))).toMatchObject({
      events: [
        {
          body: {
            ending: "refused",
            content: [{ text: "There is no such criterion. The criteria are: tests." }],
          },
        },
      ],
    });
  });
});
