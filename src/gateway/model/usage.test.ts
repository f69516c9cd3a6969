import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { events, GatewayStage, json } from "../../../test/support/model-provider.ts";
import type { Json } from "../../core/text.ts";
import type { Settlement } from "./contract.ts";

let stage: GatewayStage;

beforeEach(() => {
  stage = new GatewayStage();
});

afterEach(async () => {
  await stage[Symbol.asyncDispose]();
});

const ANTHROPIC_USAGE = {
  input_tokens: 10,
  output_tokens: 5,
  cache_read_input_tokens: 3,
  cache_creation_input_tokens: 2,
};
const COUNTED = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 2 };

describe("usage is read from the wire", () => {
  test.each<[string, string, Json, Json, Settlement["usage"]]>([
    ["anthropic", "/v1/messages", { model: "m", max_tokens: 7 }, { usage: ANTHROPIC_USAGE }, COUNTED],
    [
      "openai chat",
      "/v1/chat/completions",
      { model: "m" },
      { usage: { prompt_tokens: 13, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 3 } } },
      { ...COUNTED, cacheWriteTokens: 0 },
    ],
    [
      "openai responses",
      "/v1/responses",
      { model: "m" },
      { usage: { input_tokens: 13, output_tokens: 5, input_tokens_details: { cached_tokens: 3 } } },
      { ...COUNTED, cacheWriteTokens: 0 },
    ],
    ["an answer without it", "/v1/messages", { model: "m", max_tokens: 7 }, { content: [] }, undefined],
  ])("%s, whole", async (_name, path, body, answer, usage) => {
    await stage.open();
    stage.provider.answer = json(200, answer);
    expect(JSON.parse((await stage.ask(path, body)).text)).toEqual(answer);
    await stage.meter.nth(1);
    expect(stage.meter.settled).toMatchObject([{ request: 1, outcome: "answered", status: 200 }]);
    expect(stage.meter.settled[0]?.usage).toEqual(usage);
  });

  test("anthropic, streamed: input at the start, output at the end", async () => {
    await stage.open();
    stage.provider.answer = events(
      { type: "message_start", message: { usage: { ...ANTHROPIC_USAGE, output_tokens: 1 } } },
      { type: "content_block_delta", delta: { type: "text_delta", text: 'say "usage"' } },
      { type: "message_delta", usage: { output_tokens: 5, server_tool_use: null } },
      { type: "message_stop" },
    );
    const reply = await stage.ask("/v1/messages", { model: "m", max_tokens: 7, stream: true });
    expect(reply.text.match(/data: /g)).toHaveLength(4);
    await stage.meter.nth(1);
    expect(stage.meter.settled[0]?.usage).toEqual(COUNTED);
  });

  test("responses, streamed", async () => {
    await stage.open();
    stage.provider.answer = events(
      { type: "response.output_text.delta", delta: "x" },
      { type: "response.completed", response: { usage: { input_tokens: 4, output_tokens: 2 } } },
    );
    await stage.ask("/v1/responses", { model: "m", stream: true });
    await stage.meter.nth(1);
    expect(stage.meter.settled[0]?.usage).toMatchObject({ inputTokens: 4, outputTokens: 2 });
  });

  test("chat, streamed: asked for, and hidden from a client that did not ask", async () => {
    await stage.open();
    const usage = { prompt_tokens: 4, completion_tokens: 2 };
    stage.provider.answer = events({ choices: [{ delta: { content: "é" } }] }, { choices: [], usage });
    const quiet = await stage.ask("/v1/chat/completions", { model: "m", stream: true });
    expect(quiet.text).toBe('data: {"choices":[{"delta":{"content":"é"}}]}\n\n');
    expect(JSON.parse(stage.provider.seen[0]?.body ?? "")).toMatchObject({
      stream_options: { include_usage: true },
    });
    const curious = await stage.ask("/v1/chat/completions", {
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(curious.text).toContain('"usage"');
    await stage.meter.nth(2);
    expect(stage.meter.settled.map((each) => each.usage?.outputTokens)).toEqual([2, 2]);
  });

  test("a stream that is cut stays charged", async () => {
    await stage.open();
    stage.provider.answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(
        'data: {"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}\n\n',
        () => response.destroy(),
      );
    };
    await expect(stage.ask("/v1/messages", { model: "m", max_tokens: 7, stream: true })).rejects.toThrow();
    await stage.meter.nth(1);
    expect(stage.meter.settled).toMatchObject([{ outcome: "failed" }]);
    expect(stage.meter.settled[0]?.usage).toBeUndefined();
  });

  test("what is refused by status has used nothing, and comes through as it is", async () => {
    await stage.open();
    stage.provider.answer = (response) =>
      void response.writeHead(429, { "content-type": "application/json", "retry-after": "7" }).end('{"a":1}');
    expect(await stage.ask("/v1/messages", { model: "m", max_tokens: 7 })).toEqual({
      status: 429,
      text: '{"a":1}',
    });
    await stage.meter.nth(1);
    expect(stage.meter.settled).toMatchObject([
      { outcome: "failed", status: 429, usage: { inputTokens: 0, outputTokens: 0 } },
    ]);
  });

  test("a provider that was never reached has used nothing", async () => {
    const gone = { baseUrl: "http://127.0.0.1:1/v1", key: () => undefined };
    await stage.open({ upstreams: { anthropic: gone } });
    expect((await stage.ask("/v1/messages", { model: "m", max_tokens: 7 })).status).toBe(502);
    expect(stage.meter.settled).toMatchObject([{ outcome: "failed", usage: { inputTokens: 0 } }]);
  });
});
