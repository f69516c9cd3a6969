import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GatewayStage, json, KEY, TOKEN } from "../../../test/support/model-provider.ts";
import { type Admission, GATEWAY_LIMITS, type ModelGatewayParts } from "./contract.ts";
import { GATEWAY_SOCKET, openModelGateway } from "./gateway.ts";

let stage: GatewayStage;

beforeEach(() => {
  stage = new GatewayStage();
});

afterEach(async () => {
  await stage[Symbol.asyncDispose]();
});

describe("the key", () => {
  test("is put in on the way out, in place of the token", async () => {
    await stage.open();
    stage.provider.answer = json(200, { usage: { input_tokens: 1, output_tokens: 1 } });
    const reply = await stage.ask(
      "/v1/messages?beta=true",
      { model: "m", max_tokens: 7 },
      { cookie: "a=b", "anthropic-version": "2023-06-01" },
    );
    expect(reply.status).toBe(200);
    const [seen] = stage.provider.seen;
    expect(seen).toMatchObject({
      url: "/v1/messages?beta=true",
      headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01" },
    });
    expect(JSON.stringify(seen)).not.toContain(TOKEN);
    expect(seen?.headers.cookie).toBeUndefined();
    expect(reply.text).not.toContain(KEY);
  });

  test("goes as a bearer to the other wires", async () => {
    await stage.open();
    await stage.ask(
      "/v1/chat/completions",
      { model: "m" },
      { "x-api-key": "", authorization: `Bearer ${TOKEN}` },
    );
    expect(stage.provider.seen).toEqual([]);
    await fetch(`${stage.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      body: '{"model":"m"}',
    });
    expect(stage.provider.seen[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test("is for those with the token only", async () => {
    await stage.open();
    for (const wrong of ["", "other", `${TOKEN}x`, KEY]) {
      const reply = await stage.ask("/v1/messages", { model: "m" }, { "x-api-key": wrong });
      expect(reply).toMatchObject({ status: 401, text: expect.stringContaining("authentication_error") });
    }
    expect(stage.provider.seen).toEqual([]);
    expect(stage.meter.wishes).toEqual([]);
  });
});

describe("nothing is sent", () => {
  test("before the reservation is durable", async () => {
    const durable = Promise.withResolvers<Admission>();
    const asked = Promise.withResolvers<void>();
    const slow = {
      reserve: (): Promise<Admission> => {
        asked.resolve();
        return durable.promise;
      },
      settle: (): void => undefined,
    };
    await stage.open({ meter: slow });
    const reply = stage.ask("/v1/messages", { model: "m", max_tokens: 7 });
    await asked.promise;
    expect(stage.provider.seen).toEqual([]);
    durable.resolve({ status: "reserved", request: 1 });
    expect((await reply).status).toBe(200);
    expect(stage.provider.seen).toHaveLength(1);
  });

  test.each<[Admission, number, string, string]>([
    [
      { status: "refused", message: "the cap is reached" },
      400,
      "invalid_request_error",
      "insufficient_quota",
    ],
    [{ status: "over" }, 503, "overloaded_error", "server_error"],
  ])("that is not let through: %j", async (admission, status, anthropic, openai) => {
    await stage.open();
    stage.meter.admission = () => admission;
    const first = await stage.ask("/v1/messages", { model: "m", max_tokens: 7 });
    expect(first.status).toBe(status);
    expect(JSON.parse(first.text)).toMatchObject({ type: "error", error: { type: anthropic } });
    const second = await stage.ask("/v1/responses", { model: "m" });
    expect(JSON.parse(second.text)).toMatchObject({
      error: { code: openai, message: expect.stringMatching(/^nightshift: /) },
    });
    expect(stage.provider.seen).toEqual([]);
    expect(stage.meter.settled).toEqual([]);
  });

  test.each([
    ["/v1/messages", "not an object", 400],
    ["/v1/messages", { max_tokens: 7 }, 400],
    ["/v1/embeddings", { model: "m" }, 404],
    ["/v1/files", null, 404],
  ])("that is none: %s %j", async (path, body, status) => {
    await stage.open();
    expect((await stage.ask(path, body)).status).toBe(status);
    expect(stage.provider.seen).toEqual([]);
  });

  test("that is too large", async () => {
    await stage.open({ limits: { ...GATEWAY_LIMITS, bodyBytes: 100 } });
    expect((await stage.ask("/v1/messages", { model: "m", text: "x".repeat(200) })).status).toBe(413);
    expect(stage.meter.wishes).toEqual([]);
  });
});

describe("models", () => {
  test("one that is forced takes the place of every other, side requests included", async () => {
    await stage.open({ models: { forced: "priced" } });
    await stage.ask("/v1/messages", { model: "small", max_tokens: 7 });
    await stage.ask("/v1/messages/count_tokens", { model: "small" });
    expect(stage.provider.seen.map(({ body }) => JSON.parse(body).model)).toEqual(["priced", "priced"]);
    expect(stage.meter.wishes).toMatchObject([{ model: "priced", askedModel: "small", maxOutputTokens: 7 }]);
    expect(JSON.parse((await stage.ask("/v1/models", null)).text).data).toMatchObject([{ id: "priced" }]);
  });

  test("others than the allowed ones are refused", async () => {
    await stage.open({ models: { allowed: ["good"] } });
    expect((await stage.ask("/v1/messages", { model: "bad", max_tokens: 7 })).status).toBe(403);
    expect((await stage.ask("/v1/messages", { model: "good", max_tokens: 7 })).status).toBe(200);
  });

  test("a request without a cap gets one, and its bytes are otherwise as they came", async () => {
    await stage.open();
    await stage.ask("/v1/responses", { model: "m", input: "hi" });
    await stage.ask("/v1/chat/completions", { model: "m", max_tokens: 9 });
    expect(stage.provider.seen.map(({ body }) => body)).toEqual([
      '{"model":"m","input":"hi","max_output_tokens":1000}',
      '{"model":"m","max_tokens":9}',
    ]);
    expect(stage.meter.wishes.map((wish) => wish.maxOutputTokens)).toEqual([1000, 9]);
  });

  test("of a family that nobody has set up are refused", async () => {
    await stage.open({ upstreams: {} });
    expect((await stage.ask("/v1/messages", { model: "m" })).status).toBe(403);
  });
});

describe("an end", () => {
  test("closing breaks off what is under way, and settles it", async () => {
    await stage.open();
    const begun = Promise.withResolvers<void>();
    stage.provider.answer = () => begun.resolve();
    const reply = stage.ask("/v1/messages", { model: "m", max_tokens: 7 }).catch(() => null);
    await begun.promise;
    await stage.close();
    expect(stage.meter.settled).toMatchObject([{ request: 1, outcome: "interrupted" }]);
    expect(stage.meter.settled[0]?.usage).toBeUndefined();
    await reply;
  });

  test("an agent that hangs up ends the request to the provider", async () => {
    await stage.open();
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    stage.provider.answer = (response) => {
      response.once("close", () => ended.resolve());
      begun.resolve();
    };
    const hangUp = new AbortController();
    const reply = fetch(`${stage.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": TOKEN },
      body: '{"model":"m","max_tokens":7}',
      signal: hangUp.signal,
    }).catch(() => null);
    await begun.promise;
    hangUp.abort();
    await ended.promise;
    await stage.meter.nth(1);
    expect(stage.meter.settled).toMatchObject([{ outcome: "interrupted" }]);
    await reply;
  });

  test("a gateway that takes over listens under the same name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-gateway-"));
    try {
      const parts: ModelGatewayParts = {
        upstreams: {},
        models: { forced: "second" },
        maxOutputTokens: 1,
        token: TOKEN,
        meter: stage.meter,
        limits: GATEWAY_LIMITS,
        onSignOfLife: () => undefined,
        monotonicMs: () => 0,
      };
      const first = await openModelGateway({ ...parts, models: { forced: "first" } }, { folder, name: "1" });
      const second = await openModelGateway(parts, { folder, name: "2" });
      await first.close();
      const text = await new Promise<string>((resolve, reject) => {
        const going = request(
          { socketPath: join(folder, GATEWAY_SOCKET), path: "/v1/models", headers: { "x-api-key": TOKEN } },
          (answer) => {
            let body = "";
            answer.on("data", (piece: Buffer) => {
              body += piece.toString();
            });
            answer.once("end", () => resolve(body));
          },
        );
        going.once("error", reject).end();
      });
      expect(text).toContain("second");
      await second.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
