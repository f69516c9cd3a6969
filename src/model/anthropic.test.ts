import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startRawServer, streamEvents } from "../../test/model/raw-server.ts";
import { systemClock as clock } from "../runtime/system.ts";
import { createAnthropicModel } from "./anthropic.ts";
import { ask, FIRST_REQUEST } from "./conformance/subject.ts";
import { startScriptedServer } from "./scripted-server.ts";

const KEY = "sk-ant-api03-0123456789abcdef";
const key = (): string => KEY;

describe("the key", () => {
  test("is named when it is missing, and nothing is sent", async () => {
    await using server = await startRawServer((response) => response.end());
    const adapter = createAnthropicModel({ key: () => undefined, clock, baseUrl: server.url });
    const { end } = await ask({ adapter });
    expect(end).toMatchObject({
      failure: { class: "authentication", message: expect.stringContaining("ANTHROPIC_API_KEY") },
    });
    expect(server.headers).toEqual([]);
  });

  test("goes to the provider, and into no message, even if the provider repeats it", async () => {
    await using server = await startRawServer((response, request) => {
      response.writeHead(401, { "content-type": "application/json" });
      const message = `invalid x-api-key: ${request.headers["x-api-key"]}`;
      response.end(JSON.stringify({ type: "error", error: { type: "authentication_error", message } }));
    });
    const { end } = await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url }) });
    expect(server.headers[0]?.["x-api-key"]).toBe(KEY);
    expect(end).toMatchObject({
      failure: { class: "authentication", message: "authentication_error: invalid x-api-key: [key]" },
    });
  });

  test("is not shown by the client's own complaints about it", async () => {
    const adapter = createAnthropicModel({
      key: () => `${KEY}\nX: y`,
      clock,
      baseUrl: "http://127.0.0.1:9/v1",
    });
    const { end } = await ask({ adapter });
    expect(end.type).toBe("failed");
    expect(JSON.stringify(end)).not.toContain("0123456789");
  });
});

describe("what is no answer", () => {
  test("a page of some gateway", async () => {
    await using server = await startRawServer((response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Please log in</html>"),
    );
    const { end } = await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url }) });
    expect(end).toMatchObject({ failure: { class: "garbage" } });
  });

  test("a gateway's own error page keeps its status and its words", async () => {
    await using server = await startRawServer((response) =>
      response.writeHead(502).end("<h1>Bad Gateway</h1>"),
    );
    const { end } = await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url }) });
    expect(end).toMatchObject({
      failure: { class: "overloaded", status: 502, message: "<h1>Bad Gateway</h1>" },
    });
  });

  test("nobody there", async () => {
    const server = await startRawServer((response) => response.end());
    await server[Symbol.asyncDispose]();
    const { end } = await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url }) });
    expect(end).toMatchObject({
      failure: { class: "network", message: expect.stringContaining("ECONNREFUSED") },
      usage: { inputTokens: 0 },
    });
  });

  test("an address that is none", async () => {
    const { end } = await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: "nonsense" }) });
    expect(end).toMatchObject({ failure: { class: "unknown" } });
  });

  test("a stream that stops in the middle of a call", async () => {
    await using server = await startRawServer((response) =>
      streamEvents(response, [
        {
          type: "message_start",
          message: {
            id: "m",
            model: "x",
            role: "assistant",
            content: [],
            usage: { input_tokens: 5, output_tokens: 0 },
          },
        },
        {
          type: "content_block_start",
          index: 0,
          content_block: { type: "tool_use", id: "t", name: "shell", input: {} },
        },
        {
          type: "content_block_delta",
          index: 0,
          delta: { type: "input_json_delta", partial_json: '{"comm' },
        },
      ]),
    );
    const { end } = await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url }) });
    expect(end).toMatchObject({ type: "failed", failure: { class: "garbage" } });
  });
});

describe("the request", () => {
  test("marks the system prompt and the last tool for the cache, and never a message", async () => {
    await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url }) });
    const mark = { type: "ephemeral" };
    expect(JSON.parse(server.requests[0]?.body.toString() ?? "")).toMatchObject({
      cache_control: mark,
      system: [{ cache_control: mark }],
      tools: [{ name: "shell" }, { name: "read", cache_control: mark }],
      messages: [{ role: "user", content: [{ type: "text" }] }],
    });
    expect(server.requests[0]?.body.toString().match(/cache_control/g)).toHaveLength(3);
  });

  test("carries no mark at all for gateways that do not know them", async () => {
    await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    await ask({ adapter: createAnthropicModel({ key, clock, baseUrl: server.url, promptCache: false }) });
    expect(server.requests[0]?.body.toString()).not.toContain("cache_control");
  });

  test("is the same bytes from every process", async () => {
    await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    for (let run = 0; run < 2; run++) {
      await promisify(execFile)(process.execPath, ["test/model/send-history.ts", `${server.url}/v1`]);
    }
    const [anthropic, openai, anthropicAgain, openaiAgain] = server.requests.map(({ body }) =>
      body.toString(),
    );
    expect(anthropic).toContain(FIRST_REQUEST.system);
    expect(anthropicAgain).toBe(anthropic);
    expect(openaiAgain).toBe(openai);
  });
});
