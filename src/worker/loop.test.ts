import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { ThreadPins } from "../core/context.ts";
import { CATALOGUE } from "../core/events/catalogue.ts";
import type { EventInput } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import type { ModelAdapter, ModelPart, ModelRequest, ModelUsage } from "../model/contract.ts";
import { builtinTools } from "../tool/builtin.ts";
import { ANSWER_BLOCKS_MAX, createLoopWorker } from "./loop.ts";

const USAGE: ModelUsage = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 40 };
const price = { input: 1_000_000, output: 2_000_000, cache_read: 100_000, cache_write: 1_250_000 };

const text = (words: string): ModelPart => ({ type: "block", block: { type: "text", text: words } });
const call = (name: string, input: Json, more: { readonly invalid?: string } = {}): ModelPart => ({
  type: "block",
  block: { type: "tool_call", providerCallId: "p1", name, input, ...more },
});
const finished = (
  stopReason: Extract<ModelPart, { type: "finished" }>["stopReason"],
  usage: ModelUsage | undefined = USAGE,
): ModelPart => ({
  type: "finished",
  stopReason,
  usage,
});

interface Told {
  readonly events: readonly EventInput[];
  readonly requests: readonly ModelRequest[];
  readonly signs: number;
}

/** One turn with a model that answers these parts. */
async function advance(parts: readonly ModelPart[], pins: Partial<ThreadPins["model"]> = {}): Promise<Told> {
  const requests: ModelRequest[] = [];
  const model: ModelAdapter = {
    provider: "parts",
    async *stream(request) {
      requests.push(request);
      yield* parts;
    },
  };
  const tools = new Map(builtinTools().map((tool) => [tool.name, tool]));
  const worker = createLoopWorker({ model, tools, clock: new ManualClock() });
  let signs = 0;
  const events = await worker.advance({
    request: 7,
    thread: {
      system: "S",
      tools: builtinTools()
        .filter(({ name }) => name !== "grep")
        .map(({ description }) => description),
      model: { provider: "p", id: "m", max_output_tokens: 99, ...pins },
      bytes: 0,
    },
    messages: [{ role: "user", text: "go" }],
    onSignOfLife: () => signs++,
    signal: new AbortController().signal,
  });
  for (const { type, body } of events) expect(CATALOGUE[type].safeParse(body).error).toBeUndefined();
  return { events, requests, signs };
}

const bodies = ({ events }: Told): readonly unknown[] => events.map(({ body }) => body);
const USED = {
  input_tokens: 10,
  output_tokens: 20,
  cache_read_input_tokens: 30,
  cache_creation_input_tokens: 40,
};

describe("an answer", () => {
  test("is asked for with what the thread pins", async () => {
    const { requests } = await advance([text("hi"), finished("end_turn")]);
    expect(requests).toMatchObject([
      { model: "m", system: "S", maxOutputTokens: 99, messages: [{ role: "user", text: "go" }] },
    ]);
  });

  test("becomes its receipt, then its blocks in order", async () => {
    const told = await advance([
      { type: "started" },
      { type: "delta", kind: "text", text: "h" },
      { type: "block", block: { type: "thinking", text: "hm", provider: { p: { signature: "s" } } } },
      text("hi"),
      call("bash", { command: "true" }),
      finished("tool_use"),
    ]);
    expect(told.events.map(({ type }) => type)).toEqual([
      "span.model_request_end",
      "agent.thinking",
      "agent.message",
      "agent.tool_use",
    ]);
    expect(bodies(told)).toMatchObject([
      { request: 7, outcome: "answered", is_error: false, stop_reason: "tool_use", model_usage: USED },
      { text: "hm", provider: { p: { signature: "s" } } },
      { content: [{ type: "text", text: "hi" }] },
      { call: "c7_0", provider_call_id: "p1", effect: "side_effect", evaluated_permission: "allow" },
    ]);
    expect(told.signs).toBe(6);
  });

  test("costs what its usage costs, rounded up", async () => {
    const told = await advance([text("hi"), finished("end_turn")], { price });
    expect(bodies(told)[0]).toMatchObject({ cost_micro_usd: 10 + 40 + 3 + 50 });
  });

  test("whose usage is not told has none", async () => {
    const told = await advance([text("hi"), { type: "finished", stopReason: "end_turn", usage: undefined }], {
      price,
    });
    expect(bodies(told)[0]).not.toHaveProperty("model_usage");
    expect(bodies(told)[0]).not.toHaveProperty("cost_micro_usd");
  });

  test("leaves out empty text, keeps a signature without text", async () => {
    const told = await advance([
      text(""),
      { type: "block", block: { type: "text", text: "", provider: { p: { id: 1 } } } },
      finished("end_turn"),
    ]);
    expect(told.events.map(({ type }) => type)).toEqual(["span.model_request_end", "agent.message"]);
  });

  test("that is a refusal has no calls", async () => {
    const told = await advance([text("no"), call("bash", { command: "true" }), finished("refusal")]);
    expect(told.events.map(({ type }) => type)).toEqual(["span.model_request_end", "agent.message"]);
  });
});

describe("an answer that reached its limit", () => {
  const events = async (...parts: readonly ModelPart[]): Promise<readonly EventInput[]> =>
    (await advance([...parts, finished("max_tokens")])).events;

  test("says so", async () => {
    expect((await events(text("cut of")))[0]).toMatchObject({ body: { stop_reason: "max_tokens" } });
  });

  test("has a last call that may not be whole, and does not run", async () => {
    const [, first, last] = await events(call("bash", { command: "one" }), call("bash", { command: "two" }));
    expect(first?.body).not.toHaveProperty("invalid");
    expect(last).toMatchObject({ body: { effect: "read_only", invalid: expect.stringMatching(/cut off/) } });
  });

  test("tells of the cut rather than of what it made of the input", async () => {
    const [, last] = await events(call("bash", "{", { invalid: "the input is not JSON" }));
    expect(last).toMatchObject({ body: { invalid: expect.stringMatching(/cut off/) } });
  });

  test("has whole calls when the cut came after them", async () => {
    const [, first] = await events(call("bash", { command: "one" }), text("and n"));
    expect(first?.body).not.toHaveProperty("invalid");
  });
});

describe("a call that cannot run", () => {
  const invalid = async (part: ModelPart): Promise<unknown> => {
    const told = await advance([part, finished("tool_use")]);
    expect(told.events[1]).toMatchObject({ type: "agent.tool_use", body: { effect: "read_only" } });
    return (told.events[1] as EventInput<"agent.tool_use">).body.invalid;
  };

  test("because its input does not fit", async () => {
    expect(await invalid(call("bash", {}))).toMatch(/command/);
  });

  test("because its input is not JSON", async () => {
    expect(await invalid(call("bash", "{", { invalid: "the input is not JSON" }))).toBe(
      "the input is not JSON",
    );
  });

  test("because there is no such tool", async () => {
    expect(await invalid(call("fly", {}))).toBe(
      'There is no tool named "fly". The tools are: bash, read, write, edit, glob.',
    );
  });

  test("because the thread was not offered it", async () => {
    expect(await invalid(call("grep", { pattern: "x" }))).toMatch(/no tool named "grep"/);
  });
});

describe("a failure", () => {
  test("is a receipt with its class", async () => {
    const failure = { class: "rate_limit", message: "slow down", status: 429, retryAfterMs: 1500.4 } as const;
    const told = await advance([{ type: "failed", failure, usage: undefined }], { price });
    expect(bodies(told)).toMatchObject([
      {
        outcome: "failed",
        is_error: true,
        error: { class: "rate_limit", message: "slow down", status: 429, retry_after_ms: 1500 },
        cost_micro_usd: 0,
      },
    ]);
  });

  test("in the middle of an answer keeps nothing of it, and stays charged", async () => {
    const failure = { class: "network", message: "cut" } as const;
    const told = await advance([text("half an"), { type: "failed", failure, usage: undefined }]);
    expect(told.events).toHaveLength(1);
    expect(bodies(told)[0]).not.toHaveProperty("model_usage");
  });

  test("is also a stream that just ends", async () => {
    expect(bodies(await advance([text("half an")]))).toMatchObject([{ error: { class: "network" } }]);
  });

  test("is also an answer with more blocks than a log can take at once", async () => {
    const most = Array(ANSWER_BLOCKS_MAX).fill(call("bash", { command: "true" }));
    expect((await advance([...most, finished("tool_use")])).events).toHaveLength(ANSWER_BLOCKS_MAX + 1);
    const told = await advance([...most, text("and"), finished("tool_use")]);
    expect(bodies(told)).toMatchObject([
      {
        outcome: "failed",
        error: { class: "garbage", message: `the answer has more than ${ANSWER_BLOCKS_MAX} blocks` },
      },
    ]);
  });
});
