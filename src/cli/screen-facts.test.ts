import { describe, expect, test } from "vitest";
import { sealed, verdictGiven } from "../../test/support/contract-events.ts";
import {
  accepted,
  answered,
  asked,
  created,
  failedWith,
  idle,
  questioned,
  rescheduled,
  running,
  SESSION,
  START_MS,
  said,
  threadStart,
} from "../../test/support/events.ts";
import { place, stateOf } from "../../test/support/logs.ts";
import type { EventInput } from "../core/events/index.ts";
import type { SessionRecord } from "../store/contract.ts";
import { type Surroundings, screenFacts, verdictFact } from "./screen-facts.ts";

const NOW = START_MS + 60_000;
const begun: readonly EventInput[] = [created(), said("go"), running, threadStart(), accepted(2), asked(1)];
const waiting = [...begun, failedWith(1, "rate_limit"), rescheduled(NOW + 5000, NOW - 1000)];

const rested: SessionRecord = {
  ...{ sessionId: SESSION, createdAt: START_MS, updatedAt: START_MS, seq: 1, hash: "", epoch: 1 },
  ...{ owner: null, held: false, due: null, summary: null },
};

function around(more: Partial<Surroundings> = {}): Surroundings {
  return {
    ...{ record: rested, lastType: "x", verdicts: [], questions: new Map(), isDriver: false, watchers: [] },
    ...{ commandLine: (words) => words.join(" "), keys: "", now: NOW },
    ...more,
  };
}

describe("who sees to it", () => {
  const due = { ...rested, due: NOW + 5000 };

  test("this process, where it drives: it does not name itself", () => {
    expect(screenFacts(stateOf(...begun), around({ isDriver: true }))).toMatchObject({
      stands: "waits for the model (request 1)",
      next: null,
    });
  });

  test.each([
    ["this very process", { isDriver: true }, "this process sees to it", null, /1 failure\)$/],
    ["a process that stays", { watchers: [77] }, "process 77 sees to it", null, /1 failure\)$/],
    ["nobody", {}, "nobody is there to wake it", `resume ${SESSION}`, /, if somebody drives it then$/],
  ] as const)("%s wakes it", (_who, more, by, next, stands) => {
    const facts = screenFacts(stateOf(...waiting), around({ record: due, ...more }));
    expect(facts.wakes).toEqual({ at: NOW + 5000, by });
    expect(facts.next).toBe(next);
    expect(facts.stands).toMatch(stands);
  });

  test("nobody drives what is due: the next command is named", () => {
    const facts = screenFacts(stateOf(...begun), around({ record: { ...rested, due: NOW - 1 } }));
    expect(facts.stands).toMatch(/^waits for the model \(request 1\), but its process is gone; due since/);
    expect(facts.next).toBe(`resume ${SESSION}`);
  });
});

test("criteria stand as the newest verdict says, and the history has how many were met", () => {
  const given = verdictGiven(1, "unmet");
  const state = stateOf(created(), sealed(), said("go"));
  expect(screenFacts(state, around()).criteria).toMatchObject([{ criterion: "tests", status: "open" }]);
  const [stored] = place([given]);
  if (stored?.type !== "verdict.given") expect.fail("no verdict");
  expect(verdictFact(stored)).toEqual({ number: 1, outcome: "unmet", met: 0, of: 1 });
});

test("what a person is asked is shown with its words, and money only where somebody knows the price", () => {
  const state = stateOf(...begun, answered(1), ...questioned(1, 0), idle("requires_action"));
  const [question] = state.people.questions;
  const questions = new Map([[question?.question ?? "", "Which?"]]);
  const facts = screenFacts(state, around({ questions }));
  expect(facts.stands).toMatch(/^needs a person/);
  expect(facts.asks).toEqual([{ name: question?.question, text: "Which?" }]);
  expect(facts.caps.map(({ cap }) => cap)).toEqual(["model_requests", "tokens"]);
});
