import { expect, test } from "vitest";
import { handoffRecorded } from "../../../test/support/contract-events.ts";
import {
  answered,
  called,
  destroyed,
  failedWith,
  replied,
  result,
  said,
  sandboxReady,
  setLimits,
} from "../../../test/support/events.ts";
import { ModelSession } from "../../../test/support/model-session.ts";
import type { ContextProfile } from "../attempt/profiles.ts";
import { closeTurn, emptyContext, messagesOf, recallContext, reduceContext } from "../context.ts";
import { HAND_OFF } from "../contract/session-tools.ts";
import type { Intent } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";

const unknown = { mode: "auto", fill_max: 0.25, compact: true, resets_help: true } as const;
const narrow = { ...unknown, window_tokens: 20_000 };

/** A session that works on, turn after turn, and hands off when it is asked to. */
class Worker {
  readonly session: ModelSession;
  asked = 0;

  constructor(context: ContextProfile = narrow) {
    this.session = new ModelSession({ policy: { context }, tools: ["shell", HAND_OFF] });
    this.session.submit(said("Go on for ever."));
  }

  /** Until so many threads were opened. */
  workUntil(threads: number): void {
    for (let round = 0; round < 400; round++) {
      const step = this.session.settle();
      if (this.session.state.threads >= threads) return;
      if (step.kind !== "perform") expect.fail(`it rests: ${JSON.stringify(this.session.state.stopReason)}`);
      for (const intent of step.intents) this.session.receive(intent, this.found(intent));
    }
    expect.fail("it comes to no end");
  }

  found(intent: Intent): EventInput[] {
    switch (intent.kind) {
      case "model":
        return this.answer(intent.request);
      case "exec":
        return [result(intent.call.call, intent.call.run)];
      case "provision":
        return [sandboxReady("i1", intent.sandbox)];
      case "handoff":
        return [handoffRecorded(intent.number)];
      case "destroy":
        return [destroyed(intent.sandbox)];
      default:
        return expect.fail(`nobody asked for ${intent.kind}`);
    }
  }

  /** The provider counts as many tokens as were reserved for it. */
  answer(request: number): EventInput[] {
    const input_tokens = (this.session.state.request?.reservation.tokens ?? 1000) - 1000;
    const model_usage = {
      ...{ input_tokens, output_tokens: 10 },
      ...{ cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    };
    const end = answered(request, { stop_reason: "tool_use", model_usage });
    const last = this.session.sent.at(-1)?.at(-1);
    if (last?.role !== "user" || !last.text.includes(`Call ${HAND_OFF} now`))
      return [end, replied(request, "word ".repeat(150)), called(request, 0)];
    this.asked += 1;
    const call = `c${request}_0`;
    return [
      end,
      called(request, 0, "read_only", { name: HAND_OFF, input: {} }),
      event("handoff.noted", {
        call,
        next_step: "Go on.",
        decisions: [],
        tried_and_failed: [],
        unmet: [],
        notes: "",
      }),
    ];
  }
}

test("a full context is shortened to a note and the last turns, word for word", () => {
  const worker = new Worker();
  worker.workUntil(2);
  const { session } = worker;
  const before = session.sent.at(-2) ?? [];
  const after = messagesOf(closeTurn(session.context));
  expect(after[0]).toMatchObject({ role: "user", text: expect.stringMatching(/^handoff 1\n\n\[harness\]/) });
  const kept = after.slice(1, -2);
  expect(kept.length).toBeGreaterThan(2);
  expect(before.slice(-kept.length)).toEqual(kept);
  expect(kept[0]?.role).toBe("assistant");
  expect(after.length).toBeLessThan(before.length);
  expect(worker.asked).toBe(1);
});

test("what is full again at once is replaced, and a reader of the log sees the same each time", () => {
  const worker = new Worker();
  const { session } = worker;
  for (const threads of [2, 3, 4, 5]) {
    worker.workUntil(threads);
    const { log, state } = session;
    const from = log.slice((state.thread?.fromSeq ?? 1) - 1);
    const read = closeTurn(from.reduce(reduceContext, emptyContext()));
    const live = closeTurn(session.context);
    expect(read.digest).toBe(live.digest);
    expect(messagesOf(read)).toEqual(messagesOf(live));
    expect(messagesOf(closeTurn(from.reduce(recallContext, emptyContext())))).toEqual(messagesOf(live));
  }
  const reasons = session.log.flatMap((each) =>
    each.type === "session.thread_created" ? [each.body.reason] : [],
  );
  expect(reasons).toEqual(["start", "compact", "reset", "compact", "reset"]);
  expect(worker.asked).toBe(4);
  expect(session.log.filter(({ type }) => type === "attempt.started")).toMatchObject([
    { body: { attempt: 1, criterion: null, reason: "reset" } },
    { body: { attempt: 2, criterion: null, reason: "reset" } },
  ]);
});

test("what the provider finds too much is shortened without a further question", () => {
  const worker = new Worker(unknown);
  const { session } = worker;
  for (let turns = 0; turns < 5; ) {
    const step = session.settle();
    for (const intent of step.kind === "perform" ? step.intents : []) {
      session.receive(intent, worker.found(intent));
      if (intent.kind === "model") turns += 1;
    }
  }
  for (let round = 0; round < 20; round++) {
    const step = session.settle();
    if (session.state.threads === 2) break;
    for (const intent of step.kind === "perform" ? step.intents : [])
      session.receive(
        intent,
        intent.kind === "model" ? [failedWith(intent.request, "context_overflow")] : worker.found(intent),
      );
  }
  expect(session.log.find(({ type }) => type === "context.decided")).toMatchObject({
    body: { choice: "compact", cause: "overflow" },
  });
  expect(worker.asked).toBe(0);
  expect(session.state).toMatchObject({ threads: 2, retry: null });
});

test("a person's retry begins a new attempt from a fresh context", () => {
  const worker = new Worker();
  const { session } = worker;
  for (let round = 0; round < 6; round++) {
    const step = session.settle();
    for (const intent of step.kind === "perform" ? step.intents : [])
      session.receive(intent, worker.found(intent));
  }
  session.submit(event("control.stop", {}));
  for (let round = 0; round < 4; round++) {
    const step = session.settle();
    for (const intent of step.kind === "perform" ? step.intents : [])
      session.receive(intent, intent.kind === "cancel" ? [] : worker.found(intent));
  }
  expect(session.state.hold).toBe("stopped");
  session.submit(event("control.retry", { reason: "once more" }));
  worker.workUntil(session.state.threads + 1);
  expect(session.log.findLast(({ type }) => type === "attempt.started")).toMatchObject({
    body: { reason: "reset" },
  });
});

test("a retry at a cap of the attempt begins the next one without another request of the last", () => {
  const worker = new Worker();
  const { session } = worker;
  session.submit(setLimits({ attempt: { model_requests: 3 } }));
  session.submit(event("attempt.started", { attempt: 1, criterion: null, reason: "first" }));
  for (let round = 0; round < 20 && session.state.hold === null; round++) {
    const step = session.settle();
    for (const intent of step.kind === "perform" ? step.intents : [])
      session.receive(intent, worker.found(intent));
  }
  expect(session.state.stopReason).toEqual({ type: "budget_reached", cap: "attempt.model_requests" });
  session.submit(event("control.retry", {}));
  worker.workUntil(session.state.threads + 1);
  expect(session.state.attempts).toMatchObject({ number: 2, isRetryAsked: false });
  // The fourth is the new attempt's own.
  expect(session.state.requests).toBe(4);
  expect(worker.asked).toBe(0);
});

test("what a breaker has counted is not held against the attempt that a person asks for", () => {
  const worker = new Worker();
  worker.workUntil(3);
  expect(worker.session.state.breakers.resets).toBeGreaterThan(0);
  worker.session.submit(event("control.retry", {}));
  expect(worker.session.state.breakers).toMatchObject({ resets: 0, fruitless: 0 });
});
