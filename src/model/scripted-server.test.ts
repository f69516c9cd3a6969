import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../runtime/system.ts";
import type { Script } from "./scripted.ts";
import { startScriptedServer } from "./scripted-server.ts";

const TURN: Script["turns"][number] = {
  thinking: "hm",
  signature: "sig",
  text: "Looking.",
  tools: [{ name: "read", input: { path: "a.txt" } }],
  usage: { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 3, cache_creation_input_tokens: 2 },
};

async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", body, headers });
}

function requestBody(more: object = {}): string {
  return JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...more });
}

describe("an answer in one piece", () => {
  test("in Anthropic's words", async () => {
    await using server = await startScriptedServer({ script: { turns: [TURN] }, clock, port: 0 });
    const response = await post(`${server.url}/any/prefix/v1/messages`, requestBody());
    expect(await response.json()).toMatchObject({
      type: "message",
      model: "m",
      content: [
        { type: "thinking", thinking: "hm", signature: "sig" },
        { type: "text", text: "Looking." },
        { type: "tool_use", name: "read", input: { path: "a.txt" } },
      ],
      stop_reason: "tool_use",
      usage: {
        input_tokens: 10,
        output_tokens: 5,
        cache_read_input_tokens: 3,
        cache_creation_input_tokens: 2,
      },
    });
  });

  test("in OpenAI's words", async () => {
    await using server = await startScriptedServer({ script: { turns: [TURN] }, clock, port: 0 });
    const response = await post(`${server.url}/v1/chat/completions`, requestBody());
    expect(await response.json()).toMatchObject({
      object: "chat.completion",
      choices: [
        {
          message: {
            content: "Looking.",
            reasoning_content: "hm",
            tool_calls: [{ type: "function", function: { name: "read", arguments: '{"path":"a.txt"}' } }],
          },
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 15, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 3 } },
    });
  });

  test.each(["cut", "garbage", "no_finish"] as const)("can fail by %s too", async (kind) => {
    const turns = [{ text: "never whole", fail_always: { kind } }];
    await using server = await startScriptedServer({ script: { turns }, clock, port: 0 });
    const response = await post(`${server.url}/v1/messages`, requestBody());
    await expect(response.json()).rejects.toThrow();
  });
});

describe("a stream", () => {
  test("ends with [DONE] in OpenAI's words, and tells the usage only when asked", async () => {
    await using server = await startScriptedServer({ script: { turns: [TURN] }, clock, port: 0 });
    const url = `${server.url}/v1/chat/completions`;
    const plain = await (await post(url, requestBody({ stream: true }))).text();
    const told = await (
      await post(url, requestBody({ stream: true, stream_options: { include_usage: true } }))
    ).text();
    expect(plain.endsWith("data: [DONE]\n\n")).toBe(true);
    expect([plain, told].map((text) => text.includes("prompt_tokens"))).toEqual([false, true]);
  });

  test("has named events and pings in Anthropic's words", async () => {
    await using server = await startScriptedServer({ script: { turns: [TURN] }, clock, port: 0 });
    const text = await (await post(`${server.url}/v1/messages`, requestBody({ stream: true }))).text();
    const events = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(events.slice(0, 3)).toEqual(["message_start", "ping", "content_block_start"]);
    expect(events.slice(-2)).toEqual(["message_delta", "message_stop"]);
    expect(text).toContain('{"type":"signature_delta","signature":"sig"}');
  });
});

describe("what the server was sent", () => {
  test("is kept byte by byte, without credentials, and written down", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-server-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const requests_file = join(folder, "requests.jsonl");
    await using server = await startScriptedServer({ script: { turns: [], requests_file }, clock, port: 0 });
    const body = `{ "model":"m",\n "messages" : [{"role":"user","content":"hi"}] , "odd": "\\u00fc ü" }`;
    const secrets = { "x-api-key": "secret-1", authorization: "Bearer secret-2", cookie: "secret-3" };
    await (await post(`${server.url}/v1/messages`, body, { ...secrets, "x-other": "kept" })).text();
    expect(server.requests[0]?.body).toEqual(Buffer.from(body));
    expect(server.requests[0]?.headers).toMatchObject({ "x-other": "kept" });
    const line = readFileSync(requests_file, "utf8");
    expect(JSON.parse(line)).toMatchObject({ wire: "anthropic", path: "/v1/messages", body, turnIndex: 0 });
    expect(line + JSON.stringify(server.requests)).not.toContain("secret-");
  });

  test.each([
    ["POST", "/v1/messages", "{", 400],
    ["POST", "/v1/messages", '{"model":"m"}', 400],
    ["POST", "/v1/embeddings", "{}", 404],
    ["PUT", "/v1/messages", requestBody(), 404],
  ])("is refused when it is no request: %s %s %s", async (method, path, body, status) => {
    await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
    const response = await fetch(server.url + path, { method, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty("error.message");
    expect(server.requests).toEqual([]);
  });
});

test("a taken port is named", async () => {
  await using server = await startScriptedServer({ script: { turns: [] }, clock, port: 0 });
  const port = Number(new URL(server.url).port);
  await expect(startScriptedServer({ script: { turns: [] }, clock, port })).rejects.toMatchObject({
    code: "E_USAGE",
    message: expect.stringContaining(String(port)),
  });
});

describe("as a process", () => {
  test("it serves a script file, and a killed one leaves its attempts behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-server-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "script.json");
    const turns = [
      {
        text: "at last",
        fail: [
          { kind: "status", status: 503 },
          { kind: "status", status: 529 },
        ],
      },
    ];
    writeFileSync(path, JSON.stringify({ turns, attempts_file: "attempts.txt" }));
    const statuses: number[] = [];
    for (let life = 0; life < 3; life++) {
      const child = spawn(process.execPath, ["test/model/serve-script.ts", path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      const [url] = (await once(child.stdout, "data")) as [Buffer];
      statuses.push((await post(`${url.toString().trim()}/v1/messages`, requestBody())).status);
      child.kill("SIGKILL");
      await exited;
    }
    expect(statuses).toEqual([503, 529, 200]);
  });
});
