import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bodiesOf, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

function sessionIn(stdout: string): string {
  return /sesn_[0-9a-z]+/.exec(stdout)?.[0] ?? "";
}

const LIMITED = {
  fail: [{ kind: "status" as const, status: 429, headers: { "retry-after": "3600" } }],
  text: "never",
};

describe("caps", () => {
  test("a cap on time kills what runs, parks the session, and can be raised", async () => {
    const model = place.script({
      turns: [
        { tools: [{ name: "bash", input: { command: "sleep 60; echo late > late.txt" } }] },
        { text: "Over." },
      ],
    });
    const first = await place.run(["run", "sleep", "--model", model, "--max-duration", "3s"]);
    expect(first.code, first.stderr).toBe(3);
    const session = sessionIn(first.stdout);
    expect(first.stderr).toContain(`nightshift resume ${session} --max-duration`);
    const ended = bodiesOf(await place.events(session), "agent.tool_result");
    expect(ended).toMatchObject([{ ending: "cancelled" }]);
    const ledger = await place.json(["budget", session]);
    expect(ledger.caps).toContainEqual(expect.objectContaining({ cap: "duration_ms", limit: 3000 }));
    const raised = await place.run(["budget", session, "--max-duration", "1h", "--max-attempts", "9"]);
    expect(raised.stdout).toMatch(/caps changed/);
    const again = await place.run(["resume", session]);
    expect(again.code, again.stderr).toBe(0);
    expect((await place.run(["budget", session])).stdout).toMatch(/time: .* of 1 h 00 min/);
    await place.expectSound();
  }, 120_000);

  test.each(["--max-cost", "--max-cost-per-day"])(
    "%s without a price is refused, and what to give instead is named",
    async (flag) => {
      const { code, stderr } = await place.run([
        "run",
        "x",
        "--model",
        place.script({ turns: [] }),
        flag,
        "5",
      ]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/--price[\s\S]*(--max-tokens|max_cost_per_day)/);
    },
  );

  test("the cost of a day is capped over all sessions, until tomorrow or until the cap is raised", async () => {
    const usage = { input_tokens: 4000, output_tokens: 100 };
    const model = place.script({ turns: [{ text: "Done.", usage }] });
    const words = ["--model", model, "--tools", "none", "--price", "3,15", "--max-output-tokens", "1000"];
    mkdirSync(join(place.folder, "config/nightshift"), { recursive: true });
    writeFileSync(join(place.folder, "config/nightshift/config.yaml"), "max_cost_per_day: 0.02\n");
    const first = await place.run(["run", "one", ...words]);
    expect(first.code, first.stderr).toBe(0);
    const second = await place.run(["run", "two", ...words]);
    expect(second.code, second.stderr).toBe(3);
    const session = sessionIn(second.stdout);
    expect(second.stderr).toMatch(/stopped: a cap was reached \(money today\); goes on at /);
    expect(second.stderr).toContain(`nightshift resume ${session} --max-cost-per-day`);
    const { stop_reason } = await place.json(["status", session]);
    expect(stop_reason).toMatchObject({ type: "budget_reached", cap: "day.cost_micro_usd" });
    expect((stop_reason as { resume_at: number }).resume_at % 86_400_000).toBe(0);
    expect(await place.json(["budget", session])).toMatchObject({
      caps: expect.arrayContaining([{ cap: "day.cost_micro_usd", used: 13_500, limit: 20_000 }]),
    });
    const raised = await place.run(["resume", session, "--max-cost-per-day", "0.05"]);
    expect(raised.code, raised.stderr).toBe(0);
  });

  test.each([
    ["--max-cost", "3x"],
    ["--max-cost", "0"],
    ["--max-attempts", "-1"],
    ["--max-duration", "8"],
    ["--max-requests", "1e9"],
    ["--max-tokens", "3 "],
    ["--breaker", "same-call"],
    ["--breaker", "same-cal=3"],
    ["--breaker", "same-call=0"],
    ["--on-limit", "sleep"],
  ])("%s %j is no number of anything", async (flag, value) => {
    const { code, stderr } = await place.run([
      "run",
      "x",
      "--model",
      place.script({ turns: [] }),
      flag,
      value,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(flag);
  });
});

describe("breakers", () => {
  const same = { tools: [{ name: "bash", input: { command: "echo the same" } }] };

  test("an agent that goes round in circles is told twice, then stopped with 5", async () => {
    const model = place.script({ turns: Array.from({ length: 20 }, () => same) });
    const { code, stdout, stderr } = await place.run(["run", "x", "--model", model]);
    expect(code, stderr).toBe(5);
    const events = await place.events(sessionIn(stdout));
    expect(bodiesOf(events, "breaker.nudged")).toHaveLength(2);
    expect(bodiesOf(events, "breaker.tripped")).toMatchObject([{ cause: "same_call" }]);
    expect(bodiesOf(events, "span.model_request_start")).toHaveLength(9);
  });

  test("unless that breaker is off", async () => {
    const model = place.script({ turns: [...Array.from({ length: 10 }, () => same), { text: "Enough." }] });
    const { code, stderr } = await place.run(["run", "x", "--model", model, "--breaker", "same-call=off"]);
    expect(code, stderr).toBe(0);
  });
});

describe("a rate limit of an hour", () => {
  test("with --on-limit stop ends the command with 75, and says until when", async () => {
    const model = place.script({ turns: [LIMITED] });
    const words = ["run", "x", "--model", model, "--tools", "none", "--on-limit", "stop"];
    const { code, stdout, stderr } = await place.run(words);
    expect(code, stderr).toBe(75);
    const [resting] = bodiesOf(await place.events(sessionIn(stdout)), "session.status_idle");
    expect(resting).toMatchObject({ stop_reason: { type: "rate_limited" } });
  });

  test("with a fallback model goes on with that one", async () => {
    const model = place.script({ turns: [LIMITED] });
    writeFileSync(join(place.project, "other.json"), JSON.stringify({ turns: [{ text: "I stand in." }] }));
    const words = [
      "run",
      "x",
      "--model",
      model,
      "--tools",
      "none",
      "--fallback-model",
      "scripted:other.json",
    ];
    const { code, stdout, stderr } = await place.run(words);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/other\.json is\s+asked[\s\S]*I stand in\./);
    await place.expectSound();
  });

  test("to fall back to nothing is refused", async () => {
    const words = ["run", "x", "--model", place.script({ turns: [] }), "--on-limit", "fallback"];
    expect(await place.run(words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--fallback-model"),
    });
  });
});
