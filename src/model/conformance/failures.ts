/** Cases about what goes wrong: each failure has its class, comes as a part, and is tried once only. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { ModelErrorClass, ModelPart } from "../contract.ts";
import type { ScriptFault } from "../script-schema.ts";
import { ask, askFor, askInVain, FIRST_REQUEST, type ModelSubject, scriptOf, until } from "./subject.ts";

const TEXT =
  "This answer is long enough to be broken off in the middle of it, as answers sometimes are. ".repeat(3);

/** Long enough for a slow machine; short enough to wait for. */
const IDLE_MS = 400;

type Expectation = readonly [fault: ScriptFault, expected: ModelErrorClass];

async function expectClasses(subject: ModelSubject, table: readonly Expectation[]): Promise<void> {
  for (const [fault, expected] of table) {
    await using rig = await subject.open(scriptOf({ text: TEXT, fail: [fault] }), { idleMs: IDLE_MS });
    const failure = await askInVain(rig);
    assert.equal(failure.class, expected, `${JSON.stringify(fault)} gives ${JSON.stringify(failure)}`);
    assert.notEqual(failure.message, "", "a failure says what happened");
    assert.equal(rig.sent().length, 1, "nothing is tried twice");
    const { blocks } = await askFor(rig);
    assert.equal(blocks[0]?.type === "text" && blocks[0].text, TEXT, "the next attempt is a new one");
  }
}

const STATUSES: readonly Expectation[] = [
  [{ kind: "status", status: 400, message: "messages: unexpected role" }, "invalid_request"],
  [
    { kind: "status", status: 400, message: "prompt is too long: 210000 tokens > 200000 maximum" },
    "context_overflow",
  ],
  [
    { kind: "status", status: 400, message: "This model's maximum context length is 8192 tokens." },
    "context_overflow",
  ],
  [{ kind: "status", status: 401 }, "authentication"],
  [{ kind: "status", status: 402 }, "billing"],
  [{ kind: "status", status: 403 }, "authentication"],
  [{ kind: "status", status: 404 }, "invalid_request"],
  [{ kind: "status", status: 413 }, "context_overflow"],
  [{ kind: "status", status: 429 }, "rate_limit"],
  [{ kind: "status", status: 429, error_type: "insufficient_quota", message: "Check your plan." }, "billing"],
  [{ kind: "status", status: 500 }, "overloaded"],
  [{ kind: "status", status: 503 }, "overloaded"],
  [{ kind: "status", status: 529 }, "overloaded"],
];

const BROKEN_STREAMS: readonly Expectation[] = [
  [{ kind: "reset" }, "network"],
  [{ kind: "cut" }, "network"],
  [{ kind: "cut", after_chunks: 3 }, "network"],
  [{ kind: "cut", after_chunks: 1000 }, "network"],
  [{ kind: "garbage" }, "garbage"],
  [{ kind: "garbage", after_chunks: 3 }, "garbage"],
  [{ kind: "no_finish", after_chunks: 3 }, "garbage"],
  [{ kind: "error_event", error_type: "overloaded_error", message: "Overloaded" }, "overloaded"],
  [{ kind: "error_event", after_chunks: 3, error_type: "overloaded_error" }, "overloaded"],
  [{ kind: "error_event", after_chunks: 3, error_type: "rate_limit_error" }, "rate_limit"],
];

const SILENCES: readonly Expectation[] = [
  [{ kind: "silence" }, "timeout"],
  [{ kind: "silence", after_chunks: 3 }, "timeout"],
];

async function refusedCostsNothing(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(
    scriptOf({
      text: TEXT,
      fail: [
        { kind: "status", status: 429 },
        { kind: "cut", after_chunks: 2 },
      ],
    }),
  );
  const refused = await ask(rig);
  assert.equal(refused.end.usage?.inputTokens, 0, "what was refused cost nothing");
  const cut = await ask(rig);
  assert.equal(cut.end.usage, undefined, "what was begun cost nobody knows what");
}

async function retryAfter(subject: ModelSubject): Promise<void> {
  const headers = [{ "retry-after": "7" }, { "retry-after-ms": "1500" }, { "Retry-After": "0" }];
  const fail = headers.map((each) => ({ kind: "status", status: 429, headers: each }) as const);
  await using rig = await subject.open(scriptOf({ text: TEXT, fail }));
  const waits: (number | undefined)[] = [];
  for (const _ of headers) waits.push((await askInVain(rig)).retryAfterMs);
  assert.deepEqual(waits, [7000, 1500, 0]);
  assert.equal(rig.sent().length, headers.length);
}

async function abortEndsSoon(subject: ModelSubject): Promise<void> {
  for (const fault of [{ kind: "silence" }, { kind: "silence", after_chunks: 3 }] as const) {
    await using rig = await subject.open(scriptOf({ text: TEXT, fail: [fault] }), { idleMs: 600_000 });
    const controller = new AbortController();
    const seen: ModelPart[] = [];
    // Abort once everything is out that is going to come: before the head, or after the third piece.
    const waiting = (async () => {
      for await (const part of rig.adapter.stream(FIRST_REQUEST, controller.signal)) {
        seen.push(part);
        if (seen.filter(({ type }) => type === "delta").length === fault.after_chunks) controller.abort();
      }
    })();
    if (fault.after_chunks === undefined) {
      await until(subject, "the request arrives", () => rig.sent().length > 0);
      controller.abort();
    }
    await waiting;
    const last = seen.at(-1);
    if (last?.type === "failed") assert.equal(last.failure.class, "network");
    assert.ok(!seen.some(({ type }) => type === "finished"), "an aborted request is not an answer");
  }
}

async function abortedBeforehand(subject: ModelSubject): Promise<void> {
  await using rig = await subject.open(scriptOf({ text: TEXT }));
  const parts: ModelPart[] = [];
  for await (const part of rig.adapter.stream(FIRST_REQUEST, AbortSignal.abort())) parts.push(part);
  assert.ok(
    parts.every(({ type }) => type === "failed"),
    JSON.stringify(parts),
  );
}

async function leavingEndsTheRequest(subject: ModelSubject): Promise<void> {
  const fail = [{ kind: "silence", after_chunks: 3 } as const];
  await using rig = await subject.open(scriptOf({ text: TEXT, fail }), { idleMs: 600_000 });
  for await (const part of rig.adapter.stream(FIRST_REQUEST, new AbortController().signal)) {
    if (part.type === "delta") break;
  }
  await until(subject, "the provider sees the end", () => (rig.openRequests() ?? 0) === 0);
}

/** Failures. */
export const failureCases: readonly ConformanceCase<ModelSubject>[] = [
  {
    name: "an error status gives its class, once, and the next attempt is a new one",
    run: (subject) => expectClasses(subject, STATUSES),
  },
  {
    name: "a broken stream gives its class, once, and the next attempt is a new one",
    run: (subject) => expectClasses(subject, BROKEN_STREAMS),
  },
  {
    name: "silence before the head and between pieces fails with class timeout",
    run: (subject) => expectClasses(subject, SILENCES),
  },
  { name: "a refused request is settled at nothing, a broken one is not settled", run: refusedCostsNothing },
  { name: "the wait that the provider asks for is told", run: retryAfter },
  { name: "an abort ends the stream soon, with class network or without a word", run: abortEndsSoon },
  { name: "nothing is sent under a signal that has aborted already", run: abortedBeforehand },
  { name: "leaving the stream ends the request at the provider", run: leavingEndsTheRequest },
];
