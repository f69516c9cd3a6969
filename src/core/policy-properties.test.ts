import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractWith, sealed } from "../../test/support/contract-events.ts";
import { BASE, confirmed, resume, SESSION, said, setLimits } from "../../test/support/events.ts";
import { ModelSession } from "../../test/support/model-session.ts";
import { checkLog, checkSent } from "../../test/support/promises.ts";
import { anyStory, foundWell, type Happening, happen } from "../../test/support/random-session.ts";
import {
  closeTurn,
  emptyContext,
  messagesOf,
  PLACED_TYPES,
  RECALLED_TYPES,
  recallContext,
  reduceContext,
} from "./context.ts";
import type { Contract } from "./contract/contract.ts";
import { HAND_OFF } from "./contract/session-tools.ts";
import type { Intent } from "./decide.ts";
import { foldEvents } from "./reduce.ts";
import { contextStart } from "./state.ts";
import { isOpen } from "./step.ts";

/** Rounds in which everything goes well, after which nothing may be left to do. */
const ROUNDS_MAX = 60;

function named(session: ModelSession): readonly Intent[] {
  const step = session.settle();
  if (step.kind !== "perform") return [];
  for (const intent of step.intents)
    expect(isOpen(session.state, intent), `${intent.key} is backed by the log`).toBe(true);
  const keys = step.intents.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  return step.intents;
}

/** Plays a story; several things may happen before the next decision, as they do in one settlement. */
function play(story: readonly Happening[], pauses: readonly boolean[]): ModelSession {
  const isCheckout = story.length % 2 === 0;
  const isAgreed = story.length % 4 === 0;
  const isShort = story.length % 3 === 0;
  const policy = {
    ...(isCheckout && { checkpoint_calls: 2 }),
    ...(isShort && { context: narrow(story.length) }),
  };
  const session = new ModelSession(
    { policy, ...(isCheckout && { checkout: { base: BASE } }), tools: ["shell", "write", HAND_OFF] },
    isAgreed ? [sealed(TWO)] : [],
  );
  session.submit(said("go"));
  let wanted = named(session);
  for (const [index, what] of story.entries()) {
    happen(session, wanted, what);
    if (what.kind === "crash") wanted = [];
    if (pauses[index % pauses.length]) wanted = named(session);
  }
  named(session);
  return session;
}

/** So little that a few turns fill it, sooner or later. */
const narrow = (length: number) =>
  ({
    mode: "auto",
    window_tokens: 20_000,
    fill_max: 0.05 + (length % 4) / 100,
    compact: true,
    resets_help: true,
  }) as const;

const [tests] = contractWith().criteria;
const TWO = contractWith({
  criteria: [tests, { ...(tests as Contract["criteria"][number]), id: "lint" }] as Contract["criteria"],
});

const pauses = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }).filter((all) => all.includes(true));

/** Everybody helps: performers find what they should, people resume and allow. */
function finish(session: ModelSession): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step = session.settle();
    if (step.kind === "leave" && step.due === null) {
      if (session.state.hold === null) return;
      for (const { call } of session.state.calls) session.submit(confirmed(call, "allow"));
      session.submit(setLimits({ model_requests: 1000 }), resume);
    } else if (step.kind === "leave") session.pass(Math.max(1, (step.due ?? 0) - session.at));
    else if (step.intents.length > 0)
      for (const intent of step.intents) session.receive(intent, foundWell(intent, session.state));
    else session.pass(Math.max(1, step.withinMs ?? 0));
  }
  expect.fail(`not done after ${ROUNDS_MAX} rounds: ${JSON.stringify(session.state)}`);
}

describe("whatever happens", () => {
  const stories = fc.tuple(anyStory, pauses);

  test("decisions come to an end, and the log keeps its promises", () => {
    fc.assert(
      fc.property(stories, ([story, when]) => {
        const session = play(story, when);
        checkLog(session.log);
        checkSent(session.sent, session.anew);
      }),
      { numRuns: 1500 },
    );
  });

  test("contexts are replaced and handed over", () => {
    const wanted = ["reset", "fill", "handoff.asked", "attempt.ended"];
    const seen = new Set<string>();
    // Some of it is rare, so stories are told until each was met.
    for (let batch = 0; batch < 40 && !wanted.every((each) => seen.has(each)); batch++)
      for (const [story, when] of fc.sample(stories, 250))
        for (const { type, body } of play(story, when).log)
          if (type === "session.thread_created") seen.add(body.reason);
          else if (type === "context.decided") seen.add(body.cause);
          else seen.add(type);
    expect([...seen]).toEqual(expect.arrayContaining(wanted));
  });

  test("each request names the context that a reader of the log renders", () => {
    fc.assert(
      fc.property(stories, ([story, when]) => {
        const { log, sent } = play(story, when);
        const starts = log.filter((event) => event.type === "span.model_request_start");
        expect(starts).toHaveLength(sent.length);
        for (const [index, { body, seq }] of starts.entries()) {
          const read = closeTurn(log.slice(0, seq - 1).reduce(reduceContext, emptyContext()));
          expect(body.context_hash).toBe(read.digest);
          expect(messagesOf(read)).toEqual(sent[index]);
          const between: readonly string[] = log.slice(body.through_seq, seq - 1).map(({ type }) => type);
          expect(between).not.toContain("harness.input_accepted");
          expect(between).not.toContain("verdict.given");
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a context whose hashes are taken from the log is the one that is rendered from it", () => {
    fc.assert(
      fc.property(stories, ([story, when]) => {
        const { log } = play(story, when);
        const newestBefore = (end: number) =>
          log.slice(0, end).findLast(({ type }) => type === "span.model_request_start");
        const needed = new Set([newestBefore(log.length)]);
        for (const { type, seq } of log) if (PLACED_TYPES.includes(type)) needed.add(newestBefore(seq));
        const recalled = log
          .filter((event) => needed.has(event) || RECALLED_TYPES.includes(event.type))
          .reduce(recallContext, emptyContext());
        expect(recalled).toStrictEqual(log.reduce(reduceContext, emptyContext()));
        expect(closeTurn(recalled).digest).toBe(closeTurn(log.reduce(reduceContext, emptyContext())).digest);
      }),
      { numRuns: 300 },
    );
  });

  test("a thread's context needs only the events from the one that the thread names", () => {
    fc.assert(
      fc.property(stories, ([story, when]) => {
        const { log, state, context } = play(story, when);
        const from = contextStart(state);
        const read = log.slice(from - 1).reduce(reduceContext, emptyContext());
        expect(closeTurn(read).digest).toBe(closeTurn(context).digest);
        const open = new Set(
          state.calls.filter(({ status }) => status !== "answered").map(({ call }) => call),
        );
        const openOf = (each: typeof read) => each.turn.calls.filter(({ call }) => open.has(call));
        expect(openOf(read)).toEqual(openOf(context));
      }),
      { numRuns: 300 },
    );
  });

  test("the fold of the log is the state, however it was come by", () => {
    fc.assert(
      fc.property(stories, ([story, when]) => {
        const { log, state } = play(story, when);
        expect(foldEvents(SESSION, log)).toStrictEqual(state);
      }),
      { numRuns: 300 },
    );
  });

  test("when people and machines help, it ends: nothing owed, nothing waiting, no sandbox", () => {
    fc.assert(
      fc.property(stories, ([story, when]) => {
        const session = play(story, when);
        finish(session);
        checkLog(session.log);
        checkSent(session.sent, session.anew);
        const { phase, queue, calls, request, sandbox, halt, answerOwed } = session.state;
        expect({ queue, request, sandbox, halt }).toEqual({
          queue: [],
          request: null,
          sandbox: null,
          halt: null,
        });
        expect(calls.every(({ status }) => status === "answered")).toBe(true);
        if (phase !== "terminated") expect(answerOwed).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
