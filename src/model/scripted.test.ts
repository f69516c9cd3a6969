import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Clock } from "../core/clock.ts";
import { FIRST_REQUEST, followUp } from "./conformance/subject.ts";
import type { Message, ModelAdapter, ModelPart, ModelRequest } from "./contract.ts";
import { createScriptedModel, type Script } from "./scripted.ts";

/** Time that passes only by sleeping. */
class SleepingClock implements Clock {
  nowMs = 0;
  readonly wallMs = (): number => this.nowMs;
  readonly monotonicMs = (): number => this.nowMs;
  readonly bootMs = (): number => this.nowMs;

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.nowMs += ms;
  }
}

async function play(model: ModelAdapter, request = FIRST_REQUEST): Promise<ModelPart[]> {
  const parts: ModelPart[] = [];
  for await (const part of model.stream(request, new AbortController().signal)) parts.push(part);
  return parts;
}

function textOf(parts: readonly ModelPart[]): string {
  return parts
    .map((part) => (part.type === "block" && part.block.type === "text" ? part.block.text : ""))
    .join("");
}

const THREE_TURNS: Script = { turns: [{ text: "one" }, { text: "two" }, { text: "three" }] };

function afterTurns(count: number): ModelRequest {
  let request = FIRST_REQUEST;
  for (let turn = 0; turn < count; turn++) request = followUp(request, [{ type: "text", text: "said" }]);
  return request;
}

describe("the scripted model", () => {
  test("chooses the turn by the history alone, also in a new process", async () => {
    const clock = new SleepingClock();
    const model = createScriptedModel(THREE_TURNS, { clock });
    const order = [0, 2, 1, 1, 3];
    const said = await Promise.all(order.map(async (turns) => textOf(await play(model, afterTurns(turns)))));
    expect(said).toEqual(["one", "three", "two", "two", "end of script"]);
    const other = createScriptedModel(THREE_TURNS, { clock });
    expect(textOf(await play(other, afterTurns(2)))).toBe("three");
  });

  test("answers equal requests equally", async () => {
    const clock = new SleepingClock();
    const script = {
      turns: [{ thinking: "hm", text: "one", tools: [{ name: "read", input: { path: "a" } }] }],
    };
    const [first, second] = [1, 2].map(() => createScriptedModel(script, { clock }));
    expect(first && (await play(first))).toEqual(second && (await play(second)));
  });

  test("takes its time from the clock", async () => {
    const clock = new SleepingClock();
    const turn = { text: "abcdef", chunk_chars: 2, delay_ms: 1000, chunk_delay_ms: 10 };
    await play(createScriptedModel({ turns: [turn] }, { clock }));
    expect(clock.nowMs).toBe(1030);
  });

  test("gives up on silence as a connection would", async () => {
    const clock = new SleepingClock();
    const model = createScriptedModel({ turns: [{ text: "late", delay_ms: 5000 }] }, { clock, idleMs: 3000 });
    expect((await play(model)).at(-1)).toMatchObject({ type: "failed", failure: { class: "timeout" } });
    expect(clock.nowMs).toBe(3000);
  });

  test("may be played by a function", async () => {
    const model = createScriptedModel(
      (request) => ({ text: `${request.messages.length} messages`, fail: [{ kind: "reset" }] }),
      { clock: new SleepingClock() },
    );
    expect((await play(model)).at(-1)).toMatchObject({ type: "failed", failure: { class: "network" } });
    expect(textOf(await play(model))).toBe("1 messages");
  });

  test("keeps what it was sent, as it was then, and the newest of it only", async () => {
    const model = createScriptedModel(THREE_TURNS, { clock: new SleepingClock(), requestsKept: 2 });
    const messages: Message[] = [];
    for (const text of ["a", "b", "c"]) {
      messages.push({ role: "user", text });
      await play(model, { ...FIRST_REQUEST, messages });
    }
    expect(model.requests.map((request) => request.messages.length)).toEqual([2, 3]);
    expect(model.requestCount).toBe(3);
  });

  test("writes what it was sent to a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-scripted-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const requests_file = join(folder, "requests.jsonl");
    const model = createScriptedModel({ ...THREE_TURNS, requests_file }, { clock: new SleepingClock() });
    const sent = [FIRST_REQUEST, afterTurns(1)];
    for (const request of sent) await play(model, request);
    const lines = readFileSync(requests_file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as ModelRequest)).toEqual(sent);
  });
});
