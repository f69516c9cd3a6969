import { describe, expect, test } from "vitest";
import {
  amend,
  attemptEnded,
  attemptStarted,
  contractWith,
  declared,
  handoffRecorded,
  preflightFinished,
  preflightStarted,
  sealed,
  verdictGiven,
  verdictRequested,
  waive,
} from "../../../test/support/contract-events.ts";
import {
  accepted,
  answered,
  asked,
  BASE,
  cancel,
  created,
  idle,
  replied,
  running,
  START_MS,
  said,
  threadStart,
  woke,
} from "../../../test/support/events.ts";
import { contextOf, nowOf, stateOf } from "../../../test/support/logs.ts";
import { nextTarget } from "../attempt/target.ts";
import { closeTurn, messagesOf } from "../context.ts";
import { type Contract, contractHash } from "../contract/contract.ts";
import { decide } from "../decide.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";

const NO_SIGNALS = {
  ...{ fill_tokens: 0, window_tokens: null, overflowed: false, errors_in_row: 0, turns: 1 },
  ...{ compactions: 0, same_verdicts: 0, fruitless_attempts: 0 },
};

type Statuses = Readonly<Record<string, EventBody<"verdict.given">["criteria"][number]["status"]>>;

const [tests] = contractWith().criteria;
const named = (id: string, needs: readonly string[] = []): Contract["criteria"][number] => ({
  ...(tests as Contract["criteria"][number]),
  id,
  description: `What ${id} asks for.`,
  needs: [...needs],
});

const three = contractWith({
  goal: "Make it good, and no worse.",
  constraints: ["Keep the public names."],
  criteria: [named("lint", ["tests"]), named("tests"), named("docs")],
});

function verdict(number: number, statuses: Statuses, contract = three): EventInput {
  const criteria = Object.entries(statuses).map(([criterion, status]) => ({
    criterion,
    status,
    strength: "in-process" as const,
    reason: "as it was found",
    evidence: [],
  }));
  const isMet = criteria.every(({ status }) => status === "met");
  return verdictGiven(number, isMet ? "met" : "unmet", { contract_hash: contractHash(contract), criteria });
}

const prepared = (contract = three): EventInput[] => [
  created({ checkout: { base: BASE }, tools: [] }),
  sealed(contract),
  said("go"),
  woke(),
  running,
  preflightStarted,
  preflightFinished(),
];

/** 13 events: the first attempt, about `tests`, has ended its turn. */
const worked = (contract = three): EventInput[] => [
  ...prepared(contract),
  attemptStarted(1, "tests"),
  threadStart(2),
  accepted(3),
  asked(1),
  answered(1),
  replied(1, "done"),
  verdictRequested(),
];

function next(...log: readonly EventInput[]): readonly EventInput[] {
  const state = stateOf(...log);
  const step = decide(state, nowOf(state));
  return step.kind === "append" ? step.events : [];
}

/** Everything that is decided before the next request, or the next rest; handoffs are written meanwhile. */
function decided(log: readonly EventInput[]): readonly EventInput[] {
  const whole = [...log];
  for (;;) {
    const { making } = stateOf(...whole).attempts;
    const events = making === null ? next(...whole) : [handoffRecorded(making)];
    if (events.length === 0) return whole.slice(log.length);
    whole.push(...events);
    if (events.some(({ type }) => type === "span.model_request_start")) return whole.slice(log.length);
  }
}

describe("an attempt", () => {
  test("is about the first criterion whose needs are met, in the contract's order", () => {
    expect(next(...prepared())).toEqual([attemptStarted(1, "tests")]);
  });

  test("tells its thread what it is about", () => {
    const log = [...prepared(), ...decided(prepared())];
    const [first] = messagesOf(closeTurn(contextOf(...log)));
    expect(first).toMatchObject({ role: "user", text: expect.stringContaining("Work on `tests` now") });
  });

  test("at the only criterion needs no words besides the system prompt", () => {
    const log = prepared(contractWith());
    const thread = decided(log).find(({ type }) => type === "session.thread_created");
    expect(thread?.body).not.toHaveProperty("opening");
  });

  test("ends when a verdict says that its criterion is met, and the next begins without a memory", () => {
    const log = [...worked(), verdict(1, { lint: "unmet", tests: "met", docs: "unmet" })];
    const news = decided(log);
    expect(news.slice(0, 5)).toMatchObject([
      attemptEnded("met", 8000),
      { type: "handoff.requested", body: { number: 1, attempt: 1 } },
      { type: "handoff.recorded" },
      attemptStarted(2, "lint", "next_criterion"),
      { type: "session.thread_created", body: { reason: "reset", handoff: 1, from_seq: log.length + 3 } },
    ]);
    const messages = messagesOf(closeTurn(contextOf(...log, ...news)));
    expect(messages).toHaveLength(1);
    for (const words of ["handoff 1", "- tests: met", "Work on `lint` now"])
      expect(messages[0]).toMatchObject({ role: "user", text: expect.stringContaining(words) });
  });

  test("hands over what it has come to, although an earlier context of it was handed over, too", () => {
    const log = [
      ...worked(),
      event("handoff.requested", { number: 1, attempt: 1 }),
      handoffRecorded(1),
      verdict(1, { lint: "unmet", tests: "met", docs: "unmet" }),
    ];
    expect(decided(log).slice(0, 5)).toMatchObject([
      attemptEnded("met", 10_000),
      { type: "handoff.requested", body: { number: 2, attempt: 1 } },
      { type: "handoff.recorded" },
      attemptStarted(2, "lint", "next_criterion"),
      { type: "session.thread_created", body: { reason: "reset", handoff: 2 } },
    ]);
  });

  test.each([
    ["while it is written", []],
    ["when it is written", [handoffRecorded(1)]],
    [
      "when the next attempt has begun",
      [handoffRecorded(1), attemptEnded("reset", 8000), attemptStarted(2, "tests", "reset")],
    ],
  ])("begins with the contract in force: an amendment %s asks for another handoff", (_, before) => {
    const log = [
      ...worked(),
      verdict(1, { lint: "unmet", tests: "unmet", docs: "unmet" }),
      event("control.retry", {}),
      event("context.decided", { choice: "reset", cause: "asked", signals: NO_SIGNALS }),
      event("handoff.requested", { number: 1, attempt: 1 }),
      ...before,
      amend({ ...three, goal: "Make it better." }),
    ];
    const amended = [...log, ...next(...log)];
    const checked = [...amended, ...next(...amended), preflightFinished()];
    const news = decided(checked);
    expect(amended.at(-1)).toMatchObject({ type: "contract.amended" });
    expect(news.slice(0, 2)).toMatchObject([
      { type: "handoff.requested", body: { number: 2 } },
      { type: "handoff.recorded" },
    ]);
    const thread = { type: "session.thread_created", body: { reason: "reset", handoff: 2 } };
    expect(news.filter(({ type }) => type === thread.type)).toMatchObject([thread]);
  });

  test("goes on when the verdict says that it is not, whatever else is met", () => {
    const log = [...worked(), verdict(1, { lint: "unmet", tests: "unmet", docs: "met" })];
    expect(next(...log)).toMatchObject([{ type: "span.model_request_start" }]);
  });

  test("leaves a criterion that only a person can help with for one that it can meet", () => {
    const log = [
      ...worked(),
      declared("c1_0", "tests"),
      verdict(1, { lint: "unmet", tests: "impossible", docs: "unmet" }),
    ];
    expect(decided(log)).toMatchObject([
      { type: "attempt.ended", body: { ending: "unmet" } },
      { type: "handoff.requested" },
      { type: "handoff.recorded" },
      attemptStarted(2, "docs", "next_criterion"),
      { type: "session.thread_created" },
      { type: "span.model_request_start" },
    ]);
  });

  test("messages that nobody has picked up are in the context of the next one", () => {
    const log = [
      ...worked(),
      said("mind the gap"),
      verdict(1, { lint: "unmet", tests: "met", docs: "unmet" }),
    ];
    const news = decided(log);
    const messages = messagesOf(closeTurn(contextOf(...log, ...news)));
    expect(messages.at(-1)).toEqual({ role: "user", text: "mind the gap" });
    const thread = news.find((each) => each.type === "session.thread_created");
    expect(thread).toMatchObject({ body: { from_seq: log.length - 1 } });
  });

  test("is over with the last criterion, and a person who writes afterwards is answered in the same thread", () => {
    const met = [...worked(), verdict(1, { lint: "met", tests: "met", docs: "met" })];
    const ends = decided(met);
    expect(ends.map(({ type }) => type)).toEqual(["attempt.ended", "session.status_idle"]);
    const log = [...met, ...ends, said("thank you"), running];
    expect(decided(log).map(({ type }) => type)).toEqual([
      "attempt.started",
      "harness.input_accepted",
      "span.model_request_start",
    ]);
  });

  test("is stopped with its session", () => {
    const log = [...worked().slice(0, -1), cancel];
    expect(next(...log)).toMatchObject([
      { type: "attempt.ended", body: { ending: "stopped" } },
      { type: "session.status_terminated" },
    ]);
  });

  test("goes on after a rest that no verdict has caused", () => {
    const log = [...worked().slice(0, -1), idle("paused"), running, said("go on")];
    expect(decided(log).map(({ type }) => type)).not.toContain("attempt.started");
  });

  test("of a log that had none begins in the thread that is there", () => {
    const old = [...prepared(), threadStart(2), accepted(3), asked(1), answered(1), replied(1, "done")];
    const log = [...old, verdictRequested(), verdict(1, { lint: "unmet", tests: "unmet", docs: "unmet" })];
    expect(decided(log).map(({ type }) => type)).toEqual(["attempt.started", "span.model_request_start"]);
  });
});

describe("a session without a contract", () => {
  test("has no attempts", () => {
    const log = [created({ tools: [] }), said("go"), woke(), running];
    expect(decided(log).map(({ type }) => type)).not.toContain("attempt.started");
  });
});

describe("the next target", () => {
  const target = (...events: readonly EventInput[]): string | null =>
    nextTarget(stateOf(...prepared(), ...events), START_MS);

  test("is no criterion that the base meets already", () => {
    const base = preflightFinished();
    const found = {
      ...base,
      body: {
        ...(base.body as EventBody<"preflight.finished">),
        criteria: [
          {
            criterion: "tests",
            status: "passed",
            role: "keep",
            runs: [],
            passing: "",
            failing: "",
            exempt: "",
            unstable: 0,
            wall_ms: 1,
          },
        ],
      },
    } as EventInput;
    expect(target(found)).toBe("lint");
  });

  test("is no criterion that is waived, as long as it is", () => {
    const log = stateOf(...prepared(), waive("tests", START_MS + 1000));
    expect(nextTarget(log, START_MS)).toBe("lint");
    expect(nextTarget(log, START_MS + 1000)).toBe("tests");
  });

  test("is one whose needs are not met, when there is no other", () => {
    const circle = contractWith({ criteria: [named("a", ["b"]), named("b", ["a"])] });
    expect(nextTarget(stateOf(...prepared(circle)), START_MS)).toBe("a");
  });

  test("is none once everything is met", () => {
    const met = verdict(1, { lint: "met", tests: "met", docs: "met" });
    expect(
      target(
        attemptStarted(1, "tests"),
        event("verdict.requested", { number: 1, commit: BASE, reason: "rest" }),
        met,
      ),
    ).toBeNull();
  });
});
