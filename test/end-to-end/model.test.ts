import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ScriptFault, ScriptTurn } from "../../src/model/script-schema.ts";
import { bodiesOf, eventually, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

const KEY = { ANTHROPIC_API_KEY: "any", OPENAI_API_KEY: "any" };

/** Plays the turns behind an HTTP port. @returns flags for `run` */
async function served(provider: string, turns: readonly ScriptTurn[]): Promise<string[]> {
  place.script({ turns: [...turns] }, "served.json");
  const server = place.start(["model-server", "served.json"]);
  const url = await server.says(/(http:\/\/127\.0\.0\.1:\d+)\n/);
  return ["--model", `${provider}:any`, "--base-url", `${url}/v1`];
}

function failing(...fail: ScriptFault[]): ScriptTurn[] {
  return [{ text: "Fine in the end.", fail }];
}

function always(fault: ScriptFault): ScriptTurn[] {
  return [{ text: "never", fail_always: fault }];
}

describe.each(["anthropic", "openai"])("%s over HTTP", (provider) => {
  test("works with tools", async () => {
    const flags = await served(provider, [
      { text: "I look.", tools: [{ name: "bash", input: { command: "echo found" } }] },
      { text: "It says found." },
    ]);
    const { code, stdout, stderr } = await place.run(["run", "look", ...flags], { env: KEY });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/bash {5}ok, .* \| found\n[\s\S]*It says found\./);
    await place.expectSound();
  });

  test("a model that answers garbage is asked again", async () => {
    const flags = await served(provider, failing({ kind: "garbage", after_chunks: 1 }));
    const { code, stdout } = await place.run(["run", "x", ...flags, "--tools", "none"], { env: KEY });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /request 1 failed \(garbage\)[\s\S]*failed once \(garbage\); next try at[\s\S]*Fine in the end\./,
    );
    await place.expectSound();
  });
});

test.each([
  ["garbage", { kind: "garbage" }, 69, "retries_exhausted", "E_MODEL_UNAVAILABLE"],
  ["an outage", { kind: "status", status: 503 }, 69, "retries_exhausted", "E_MODEL_UNAVAILABLE"],
  [
    "a rate limit",
    { kind: "status", status: 429, headers: { "retry-after-ms": "100" } },
    75,
    "retries_exhausted",
    "E_MODEL_UNAVAILABLE",
  ],
  ["a refused key", { kind: "status", status: 401 }, 77, "failed", "E_MODEL_AUTH"],
  ["a refused request", { kind: "status", status: 400 }, 69, "failed", "E_MODEL_REFUSED"],
] as const)(
  "%s to the end: a code, the reason in the log, and the way on",
  async (_name, fault, exit, stop, code) => {
    const flags = await served("anthropic", always(fault));
    const ending = await place.run(["run", "x", ...flags, "--tools", "none", "--max-failures", "2"], {
      env: KEY,
    });
    expect(ending.code, ending.stdout + ending.stderr).toBe(exit);
    expect(ending.stdout).toMatch(new RegExp(`error {4}${code}: `));
    expect(ending.stderr).toMatch(/next: nightshift resume sesn_/);
    const status = await place.json(["status", "sesn_"]);
    expect(status.stop_reason).toMatchObject({ type: stop });
    await place.expectSound();
  },
);

test("an input that is no JSON is told to the model, and nothing runs", async () => {
  const flags = await served("anthropic", [
    { tools: [{ name: "bash", raw: '{"command": "touch ran' }] },
    { text: "Sorry." },
  ]);
  const { code, stdout } = await place.run(["run", "x", ...flags], { env: KEY });
  expect(code).toBe(0);
  expect(stdout).toMatch(/bash {5}refused: /);
  expect((await place.run(["run", "--model", "scripted:served.json", "again"])).stdout).toContain("refused");
});

test("a model that refuses: a person is needed", async () => {
  const model = place.script({ turns: [{ text: "I will not.", stop: "refusal" }] });
  const { code, stderr } = await place.run(["run", "x", "--model", model, "--tools", "none"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/next: nightshift send sesn_/);
});

test("a model that says nothing any more is given up after the idle timeout", async () => {
  const model = place.script({ turns: failing({ kind: "silence", after_chunks: 1 }) });
  const { code, stdout } = await place.run([
    "run",
    "x",
    "--model",
    model,
    "--tools",
    "none",
    "--idle-timeout",
    "300ms",
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/breaker {2}idle: no sign of life[\s\S]*\(stalled\)[\s\S]*Fine in the end\./);
});

test("resumed without its key: the reason is in the log, and with the key it goes on", async () => {
  const slow = { text: "word ".repeat(200), chunk_chars: 5, chunk_delay_ms: 50 };
  const flags = await served("anthropic", [slow]);
  const running = place.start(["run", "x", ...flags, "--tools", "none"], { env: KEY });
  const session = await running.says(/session {2}(sesn_\w+)/);
  await place.hasEvent(session, "span.model_request_start");
  running.child.kill("SIGKILL");
  await running.ended;
  const keyless = await place.run(["resume", session]);
  expect(keyless.code).toBe(77);
  expect(keyless.stdout).toMatch(/E_MODEL_AUTH: .*ANTHROPIC_API_KEY/);
  expect(keyless.stderr).toContain("next: nightshift resume");
  const errors = bodiesOf(await place.events(session), "session.error");
  expect(errors).toMatchObject([{ error: { code: "E_MODEL_AUTH", retry_status: { type: "terminal" } } }]);
  const again = place.start(["resume", session], { env: KEY });
  await eventually(async () => {
    const events = await place.events(session);
    return bodiesOf(events, "span.model_request_start").length > errors.length + 1;
  }, "the next request");
  again.child.kill("SIGKILL");
  await again.ended;
  await place.expectSound();
});
