import { expect, test } from "vitest";
import {
  contractWith,
  preflightFinished,
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
  replied,
  result,
  sandboxLost,
  woke,
} from "../../../test/support/events.ts";
import { place, stateOf } from "../../../test/support/logs.ts";
import { type EventInput, event } from "../events/index.ts";
import { costCharged, tokensCharged } from "../state.ts";
import { type WorkAccount, workOf } from "./work.ts";

const check = { argv: ["npm", "test"], folder: "", shell: false };
const [criterion] = contractWith().criteria;
const contract = contractWith({ criteria: [{ ...criterion, check } as never] });
const start: readonly EventInput[] = [
  created({ checkout: { base: BASE } }),
  sealed(contract),
  preflightFinished(),
];

const attempt = (number: number, on: string | null): EventInput =>
  event("attempt.started", { attempt: number, criterion: on, reason: "first" });
const runsCheck = (request: number): EventInput => {
  const use = called(request, 0, "side_effect") as EventInput<"agent.tool_use">;
  return event("agent.tool_use", { ...use.body, input: { command: "cd . && npm test -- --all" } });
};
const ended = (request: number, exit_code: number): EventInput => {
  const receipt = result(`c${request}_0`, 1) as EventInput<"agent.tool_result">;
  return event("agent.tool_result", { ...receipt.body, exit_code });
};

const account = (...log: readonly EventInput[]): WorkAccount => workOf(place([...start, ...log]));

test("sets what was claimed beside the agent's own last run and the next verdict", () => {
  const { claims } = account(
    asked(1),
    answered(1),
    runsCheck(1),
    ended(1, 1),
    replied(2, "I have fixed it. All tests pass."),
    verdictRequested(),
    verdictGiven(1, "unmet"),
    replied(3, "I look again."),
    verdictRequested(2),
    verdictGiven(2, "met"),
    replied(4, "Done."),
  );
  expect(claims).toMatchObject([
    { kind: "tests_pass", run: { exitCode: 1 }, verdict: { number: 1, outcome: "unmet" } },
    { kind: "done", verdict: null },
  ]);
});

test.each([
  ["impossible", 0],
  ["blocked", 0],
  ["unmet", 1],
  ["error", 1],
] as const)("a claim with all met but what is %s counts %i times", (status, count) => {
  const criteria = [
    { criterion: "one", status: "met" as const, strength: null, reason: "", evidence: [] },
    { criterion: "two", status, strength: null, reason: "", evidence: [] },
  ];
  const { claimCount, contradictedCount } = account(
    replied(1, "The first is done."),
    verdictRequested(),
    verdictGiven(1, status === "unmet" ? "unmet" : "review", { criteria }),
  );
  expect([claimCount, contradictedCount]).toEqual([count, count]);
});

test("counts spend as the ledger does, by criterion, with what was never told", () => {
  const log = [
    ...start,
    attempt(1, "one"),
    asked(1, { reservation: { tokens: 500, cost_micro_usd: 70 } }),
    answered(1),
    event("attempt.ended", { attempt: 1, ending: "met", duration_ms: 5 }),
    attempt(2, "two"),
    asked(2, { reservation: { tokens: 900, cost_micro_usd: 90 } }),
    event("span.model_request_end", { request: 2, outcome: "lost", is_error: true, duration_ms: 1 }),
  ];
  const work = workOf(place(log));
  const state = stateOf(...log);
  expect(work.spend.tokens).toBe(tokensCharged(state));
  expect(work.spend.costMicroUsd).toBe(costCharged(state));
  expect(work.spend).toMatchObject({ requests: 2, unsettled: 1, unsettledTokens: 900 });
  expect(Object.keys(work.spendOn)).toEqual(["one", "two"]);
  expect(work.spendOn.two).toMatchObject({ tokens: 900, costMicroUsd: 90 });
  expect(work.lostRequests.count).toBe(1);
  expect(work.attempts.map(({ ending }) => ending)).toEqual(["met", null]);
});

const usage = {
  ...{ input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 3, cache_creation_input_tokens: 1 },
};
const judges = (request: number): EventInput =>
  event("judge.request_start", {
    ...{ verdict: 1, criterion: "tests", request, model: "scripted:judge" },
    reservation: { tokens: 3000, cost_micro_usd: 40 },
  });
const judged = (request: number): EventInput =>
  event("judge.request_end", {
    ...{ request, outcome: "answered", model_usage: usage, cost_micro_usd: 9, duration_ms: 1 },
  });

test("what judges were asked is charged as in the ledger, at every place of the log", () => {
  const log = [
    ...start,
    attempt(1, "tests"),
    asked(1, { reservation: { tokens: 500, cost_micro_usd: 70 } }),
    answered(1),
    verdictRequested(),
    ...[judges(1), judged(1), judges(2), judges(3), judged(2), judged(3), judges(4)],
  ];
  for (let length = start.length; length <= log.length; length++) {
    const { spend } = workOf(place(log.slice(0, length)));
    const state = stateOf(...log.slice(0, length));
    const { requests, judgeRequests } = state.ledger;
    expect(spend).toMatchObject({
      ...{ tokens: tokensCharged(state), costMicroUsd: costCharged(state) },
      ...{ requests: requests + judgeRequests, judgeRequests },
    });
  }
  const { spend, spendOn } = workOf(place(log));
  expect(spend).toMatchObject({ requests: 5, judgeRequests: 4, unsettled: 2 });
  expect(spendOn.tests).toEqual(spend);
});

test("what programs ask through the gateway is charged, too", () => {
  const of = { request: 1, attempt: 1, epoch: 1, wire: "anthropic", model: "m", body_bytes: 5 } as const;
  const reservation = { tokens: 500, cost_micro_usd: 70 };
  const through = [
    event("gateway.request_started", { ...of, reservation }),
    event("gateway.request_ended", {
      ...{ request: 1, outcome: "answered", model_usage: usage, cost_micro_usd: 8, duration_ms: 1 },
    }),
    event("gateway.request_started", { ...of, request: 2, reservation }),
  ] as const;
  const { spend } = account(attempt(1, "tests"), ...through);
  expect(spend).toMatchObject({ requests: 2, tokens: 624, costMicroUsd: 78, unsettled: 1 });
});

test("tells which commit met a criterion first", () => {
  const { firstMet } = account(
    verdictRequested(),
    verdictGiven(1, "met", { commit: commitOf(3) }),
    verdictRequested(2),
    verdictGiven(2, "met", { commit: commitOf(5) }),
  );
  expect(firstMet).toMatchObject([{ criterion: "tests", commit: commitOf(3), verdict: 1 }]);
});

test("lists are bounded, and their counts are not", () => {
  const many = Array.from({ length: 300 }, (_, index) => woke(index + 2));
  const { wakes, lostSandboxes } = account(...many, sandboxLost());
  expect(wakes.count).toBe(300);
  expect(wakes.newest).toHaveLength(100);
  expect(wakes.newest.at(-1)?.text).toBe("epoch 301");
  expect(lostSandboxes.count).toBe(1);
});

const noted = (...decisions: readonly string[]): EventInput =>
  event("handoff.noted", {
    ...{ call: "c1_0", next_step: "Go on.", decisions: [...decisions], tried_and_failed: [] },
    ...{ unmet: [], notes: "" },
  });

test("a decision is told once, where it was said first, however many handoffs repeat it", () => {
  const { decisions } = account(noted("keep the API", "no cache"), noted("keep the API", "one file"));
  const first = start.length + 1;
  expect(decisions).toMatchObject({
    count: 3,
    newest: [
      { seq: first, text: "keep the API" },
      { seq: first, text: "no cache" },
      { seq: first + 1, text: "one file" },
    ],
  });
});

test("a question is answered once, by whoever came first", () => {
  const { questions } = account(
    event("question.asked", { question: "q1_0", call: "c1_0", text: "Which one?" }),
    event("question.asked", { question: "q1_1", call: "c1_1", text: "And this?" }),
    event("question.answered", { question: "q1_0", text: "the first", author: "ada" }),
    event("question.answered", { question: "q1_0", text: "the second", author: "bob" }),
  );
  expect(questions).toMatchObject([
    { question: "q1_0", answer: "the first", author: "ada", isOpen: false },
    { question: "q1_1", isOpen: true },
  ]);
});
