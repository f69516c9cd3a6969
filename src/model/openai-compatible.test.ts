import { describe, expect, test } from "vitest";
import { startRawServer, streamEvents } from "../../test/model/raw-server.ts";
import { systemClock as clock } from "../runtime/system.ts";
import { ask, FIRST_REQUEST, followUp } from "./conformance/subject.ts";
import { createOpenAICompatibleModel } from "./openai-compatible.ts";
import { startScriptedServer } from "./scripted-server.ts";

const key = (): string => "a-key-of-ours";

function chunk(delta: object, finish_reason: string | null = null): object {
  return {
    id: "c",
    object: "chat.completion.chunk",
    created: 0,
    model: "m",
    choices: [{ index: 0, delta, finish_reason }],
  };
}

function call(index: number, name: string, args: string, more: object = {}): object {
  return {
    tool_calls: [
      { index, id: `call_${index}`, type: "function", function: { name, arguments: args }, ...more },
    ],
  };
}

describe("the key", () => {
  test("is sent as a bearer token", async () => {
    await using server = await startRawServer((response) =>
      streamEvents(response, [chunk({ content: "a" }, "stop")]),
    );
    await ask({ adapter: createOpenAICompatibleModel({ key, clock, baseUrl: server.url }) });
    expect(server.headers[0]?.authorization).toBe("Bearer a-key-of-ours");
  });

  test("may be missing, for servers that ask for none", async () => {
    await using server = await startRawServer((response) =>
      streamEvents(response, [chunk({ content: "a" }, "stop")]),
    );
    const { end } = await ask({
      adapter: createOpenAICompatibleModel({ key: () => undefined, clock, baseUrl: server.url }),
    });
    expect(end.type).toBe("finished");
    expect(server.headers[0]).not.toHaveProperty("authorization");
  });
});

describe("servers that differ", () => {
  test("a text that goes on after a call keeps its place before it", async () => {
    await using server = await startRawServer((response) =>
      streamEvents(response, [
        chunk({ content: "First" }),
        chunk(call(0, "shell", '{"command":"ls"}')),
        chunk({ content: " this." }),
        chunk({}, "tool_calls"),
        "[DONE]",
      ]),
    );
    const { blocks } = await ask({
      adapter: createOpenAICompatibleModel({ key, clock, baseUrl: server.url }),
    });
    expect(blocks).toMatchObject([
      { type: "text", text: "First this." },
      { type: "tool_call", name: "shell" },
    ]);
  });

  test("calls are a tool use, whatever the server says", async () => {
    await using server = await startRawServer((response) =>
      streamEvents(response, [chunk(call(0, "shell", "")), chunk({}, "stop")]),
    );
    const { blocks, end } = await ask({
      adapter: createOpenAICompatibleModel({ key, clock, baseUrl: server.url }),
    });
    expect(end).toMatchObject({ type: "finished", stopReason: "tool_use", usage: undefined });
    expect(blocks).toMatchObject([{ type: "tool_call", input: {} }]);
  });

  test("data that belongs to a call goes back with it", async () => {
    const bodies: string[] = [];
    await using server = await startRawServer((response) => {
      const extra = { extra_content: { google: { thought_signature: "c2ln+/==" } } };
      streamEvents(response, [chunk(call(0, "shell", "{}", extra)), chunk({}, "tool_calls")]);
    });
    const options = { key, clock, provider: "gemini" };
    const first = await ask({ adapter: createOpenAICompatibleModel({ ...options, baseUrl: server.url }) });
    expect(first.blocks).toMatchObject([{ provider: { gemini: { thoughtSignature: "c2ln+/==" } } }]);
    await using recorder = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    const adapter = createOpenAICompatibleModel({ ...options, baseUrl: recorder.url });
    await ask({ adapter }, followUp(FIRST_REQUEST, first.blocks));
    bodies.push(...recorder.requests.map(({ body }) => body.toString()));
    expect(bodies[0]).toContain('"extra_content":{"google":{"thought_signature":"c2ln+/=="}}');
  });

  test("an error inside of the stream keeps its class", async () => {
    await using server = await startRawServer((response) =>
      streamEvents(response, [chunk({ content: "a" }), { error: { code: 502, message: "Upstream failed" } }]),
    );
    const { end } = await ask({ adapter: createOpenAICompatibleModel({ key, clock, baseUrl: server.url }) });
    expect(end).toMatchObject({
      failure: { class: "overloaded", message: "502: Upstream failed" },
      usage: undefined,
    });
  });

  test("the cap on the answer has the name that the server wants", async () => {
    await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    const outputCapField = "max_completion_tokens";
    await ask({ adapter: createOpenAICompatibleModel({ key, clock, baseUrl: server.url, outputCapField }) });
    const body = JSON.parse(server.requests[0]?.body.toString() ?? "") as object;
    expect(body).toHaveProperty("max_completion_tokens", 1000);
    expect(body).not.toHaveProperty("max_tokens");
  });

  test("thinking of another provider stays at home", async () => {
    await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    const thinking = {
      type: "thinking",
      text: "private",
      provider: { anthropic: { signature: "s" } },
    } as const;
    const adapter = createOpenAICompatibleModel({ key, clock, baseUrl: server.url });
    await ask({ adapter }, followUp(FIRST_REQUEST, [thinking, { type: "text", text: "public" }]));
    expect(server.requests[0]?.body.toString()).toContain("public");
    expect(server.requests[0]?.body.toString()).not.toContain("private");
  });
});
