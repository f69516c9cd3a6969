import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JudgeDesk, line, scriptedJudge, submitting } from "../../test/support/judge-desk.ts";
import { ManualClock, settled } from "../../test/support/manual-clock.ts";
import { MemorySandboxes } from "../../test/support/memory-sandbox.ts";
import type { JudgePurse } from "../core/contract/judge-purse.ts";
import { NightshiftError } from "../core/errors.ts";
import { event } from "../core/events/index.ts";
import { refereeEvents } from "../core/events/referee.ts";
import type { ModelAdapter, ModelPart } from "../model/contract.ts";
import type { ScriptTurn } from "../model/script-schema.ts";

const ADD = "export function add(a, b) {\n  // both are numbers\n  return a + b;\n}\n";
const QUOTED = line(1, "met", "src/add.js", "return a + b;");

let desk: JudgeDesk;
beforeAll(() => {
  desk = new JudgeDesk({ "src/add.js": ADD, "README.md": "add adds, and subtract subtracts\n" });
});
afterAll(() => desk[Symbol.asyncDispose]());

describe("of a session's caps", () => {
  test("each request is reserved before it is sent and settled after it", async () => {
    const log: string[] = [];
    const model = scriptedJudge([
      { tools: [{ name: "read", input: { file_path: "src/add.js" } }] },
      submitting(QUOTED),
    ]);
    const purse: JudgePurse = {
      async reserve({ criterion, tokens, costMicroUsd }) {
        log.push(`${criterion} ${tokens > 0} ${costMicroUsd}, ${model.requests.length} sent`);
        return async ({ outcome, model_usage: usage }) => {
          log.push(`${outcome} ${usage !== undefined}, ${model.requests.length} sent`);
        };
      },
    };
    expect((await desk.grade(model, { request: { purse } })).status).toBe("met");
    expect(log).toEqual([
      ...["adds true null, 0 sent", "answered true, 1 sent"],
      ...["adds true null, 1 sent", "answered true, 2 sent"],
    ]);
  });

  test("one that is reached sends nothing more, and is no grade", async () => {
    const model = scriptedJudge([submitting(QUOTED)]);
    const reached = new NightshiftError("E_CAP_REACHED", "no more");
    const purse: JudgePurse = { reserve: () => Promise.reject(reached) };
    await expect(desk.grade(model, { request: { purse } })).rejects.toBe(reached);
    expect(model.requests).toEqual([]);
  });
});

describe("a grade", () => {
  test("is met with every line met and quoted; what the model looked at came out of the sandbox", async () => {
    const model = scriptedJudge([
      { text: "I look.", tools: [{ name: "read", input: { file_path: "src/add.js" } }] },
      submitting(QUOTED),
    ]);
    const grade = await desk.grade(model);
    expect(grade).toMatchObject({
      criterion: "adds",
      status: "met",
      model: "scripted:judge",
      requests: 2,
      items: [
        {
          rubric: "It adds.",
          status: "met",
          reason: "line 1 is met",
          quotes: [{ path: "src/add.js", text: "return a + b;", found: true }],
        },
      ],
    });
    expect(grade).not.toHaveProperty("problem");
    const seen = model.requests[1]?.messages.at(-1);
    expect(seen).toMatchObject({ role: "tool", isError: false });
    expect(JSON.stringify(seen)).toContain("return a + b;");
    expect(refereeEvents["judge.graded"].parse({ verdict: 1, ...grade })).toEqual(
      event("judge.graded", { verdict: 1, ...grade }).body,
    );
  });

  test("is unmet as soon as one line is, whatever the text beside it says", async () => {
    const rubric = ["It adds.", "It subtracts."];
    const turn = submitting(QUOTED, line(2, "unmet", "README.md", "subtract subtracts"));
    const grade = await desk.grade(
      scriptedJudge([{ ...turn, text: "FAIL on 2, but overall: APPROVED, met." }]),
      {
        rubric,
      },
    );
    expect(grade.status).toBe("unmet");
    expect(grade.items.map(({ status }) => status)).toEqual(["met", "unmet"]);
  });

  test("knows no fields but its own: an overall verdict beside the lines counts for nothing", async () => {
    const lines = [line(1, "unmet", "src/add.js", "return a + b;")];
    const input = { verdict: "met", overall: "approved", lines };
    const grade = await desk.grade(scriptedJudge([{ tools: [{ name: "submit_grade", input }] }]));
    expect(grade.status).toBe("unmet");
  });

  test("forgives white space and line numbers in quotes, and nothing else", async () => {
    const quote = (text: string) =>
      desk.grade(scriptedJudge(again(submitting(line(1, "met", "src/add.js", text)))));
    expect((await quote("2\t  // both are numbers\n3\t  return a + b;")).status).toBe("met");
    expect((await quote("// both   are\nnumbers")).status).toBe("met");
    expect((await quote("return a - b; // both")).status).toBe("unmet");
    expect((await quote("Return A + B;")).status).toBe("unmet");
  });

  test("costs what its requests cost", async () => {
    const usage = { input_tokens: 1000, output_tokens: 100 };
    const price = { input: 3_000_000, output: 15_000_000, cache_read: 0, cache_write: 0 };
    const grade = await desk.grade(scriptedJudge([{ ...submitting(QUOTED), usage }]), { model: { price } });
    expect(grade).toMatchObject({ status: "met", requests: 1, cost_micro_usd: 4500 });
  });
});

/** The same answer to every request. */
function again(turn: ScriptTurn): ScriptTurn[] {
  return Array.from({ length: 10 }, () => turn);
}

describe("a line is unmet", () => {
  test("without a quote, after the model was told so twice", async () => {
    const bare = { line: 1, status: "met", reason: "I am sure", quotes: [] };
    const model = scriptedJudge(again(submitting(bare)));
    const grade = await desk.grade(model);
    expect(grade).toMatchObject({ status: "unmet", requests: 3 });
    expect(grade.items[0]?.reason).toBe("I am sure (unmet, because no quote of it is in the files)");
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: "tool", isError: true });
  });

  test("with a quote that is not in the named file", async () => {
    const elsewhere = submitting(line(1, "met", "README.md", "return a + b;"));
    const grade = await desk.grade(scriptedJudge(again(elsewhere)));
    expect(grade.items[0]?.quotes).toEqual([{ path: "README.md", text: "return a + b;", found: false }]);
    expect(grade.status).toBe("unmet");
  });

  test("with a quote out of a file beyond the workspace, also by a link", async () => {
    symlinkSync("/etc/passwd", join(desk.workspace, "users"));
    for (const path of ["users", "/etc/passwd", "../../../../../../etc/passwd"]) {
      const grade = await desk.grade(
        scriptedJudge(again(submitting(line(1, "met", path, "root:x:0:0:root")))),
      );
      expect(grade.status).toBe("unmet");
    }
  });

  test("when it was left out", async () => {
    const grade = await desk.grade(scriptedJudge(again(submitting(QUOTED))), {
      rubric: ["It adds.", "Also b."],
    });
    expect(grade.items.map(({ status, reason }) => [status, reason])).toEqual([
      ["met", "line 1 is met"],
      ["unmet", "the judge did not grade this line"],
    ]);
  });

  test("unless a correction gives the quote", async () => {
    const wrong = submitting(line(1, "met", "src/add.js", "return a + c;"));
    const grade = await desk.grade(scriptedJudge([wrong, submitting(QUOTED)]));
    expect(grade).toMatchObject({ status: "met", requests: 2 });
  });
});

describe("there is no grade, which is a state of its own", () => {
  const garbage: readonly (readonly [string, readonly ScriptTurn[], RegExp])[] = [
    ["prose only", again({ text: "PASS. All lines are met. verdict: met" }), /no grade.*Text is no grade/],
    ["nothing at all", again({}), /the model failed \(garbage\)/],
    ["another schema", again({ tools: [{ name: "submit_grade", input: { verdict: "met" } }] }), /lines: /],
    ["no JSON", again({ tools: [{ name: "submit_grade", raw: "{met" }] }), /not JSON/],
    ["a line that is not there", again(submitting(QUOTED, line(2, "met", "src/add.js", ADD))), /no line 2/],
    ["a line twice", again(submitting(QUOTED, line(1, "unmet", "src/add.js", ADD))), /graded twice/],
    ["a third status", again(submitting({ line: 1, status: "approved", reason: "a", quotes: [] })), /status/],
    ["a grade that was cut off", again({ ...submitting(QUOTED), stop: "max_tokens" }), /cut off/],
    ["a refusal", [{ text: "I cannot help.", stop: "refusal" }], /refused/],
    ["a refusal beside a grade", [{ ...submitting(QUOTED), stop: "refusal" }], /refused/],
    ["a wrong key", again({ fail_always: { kind: "status", status: 401 } }), /authentication/],
    [
      "two grades in one answer",
      [{ tools: [...tools(submitting(QUOTED)), ...tools(submitting(line(1, "unmet", "src/add.js", ADD)))] }],
      /contradict each other in one answer/,
    ],
    [
      "a grade that turns round",
      [
        submitting(line(1, "unmet", "src/add.js", ADD)),
        submitting(QUOTED, line(2, "met", "src/add.js", "return a + b;")),
      ],
      /line 1 was unmet, then met/,
    ],
  ];
  test.each(garbage)("%s", async (name, turns, problem) => {
    const rubric = name === "a grade that turns round" ? ["It adds.", "It adds numbers."] : ["It adds."];
    const { parts } = impatient();
    const grade = await desk.grade(scriptedJudge(turns), { rubric, parts });
    expect(grade).toMatchObject({ status: "error", items: [] });
    expect(grade.problem).toMatch(problem);
  });

  test("the same grade twice in one answer is no contradiction", async () => {
    const both = { tools: [...tools(submitting(QUOTED)), ...tools(submitting(QUOTED))] };
    expect((await desk.grade(scriptedJudge([both]))).status).toBe("met");
  });

  test("an adapter that throws", async () => {
    const grade = await desk.grade(adapterOf(() => Promise.reject(new Error("no socket"))));
    expect(grade).toMatchObject({ status: "error", problem: "no socket", requests: 1 });
  });

  test("an adapter that never answers and does not hear its signal", async () => {
    const clock = new ManualClock();
    const grading = desk.grade(
      adapterOf(() => new Promise(() => undefined)),
      { parts: { clock }, limits: { wallMs: 60_000 } },
    );
    await desk.sandbox();
    await settled();
    await clock.pass(60_000);
    expect(await grading).toMatchObject({ status: "error", problem: "no grade came within 60 s" });
    expect(clock.sleepers).toBe(0);
  });

  test("the budget of requests", async () => {
    const look = { tools: [{ name: "glob", input: { pattern: "**" } }] };
    const model = scriptedJudge(again(look));
    const grade = await desk.grade(model, { limits: { requests: 3 } });
    expect(grade).toMatchObject({ status: "error", requests: 3 });
    expect(grade.problem).toMatch(/budget of 3 requests/);
    expect(JSON.stringify(model.requests[2]?.messages.at(-1))).toContain("Your next answer is the last one");
  });

  test("the budget of tokens, before it is exceeded", async () => {
    const usage = { input_tokens: 1500, output_tokens: 100 };
    const model = scriptedJudge(again({ tools: [{ name: "glob", input: { pattern: "**" } }], usage }));
    const grade = await desk.grade(model, { limits: { tokens: 9000 } });
    expect(grade.problem).toMatch(/budget of 9000 tokens/);
    expect(model.requestCount).toBe(2);
  });
});

describe("besides", () => {
  test("failures that pass are tried again, and count", async () => {
    const { parts, slept } = impatient();
    const fail: ScriptTurn["fail"] = [
      { kind: "status", status: 529 },
      { kind: "status", status: 429, headers: { "retry-after": "7" } },
    ];
    const grade = await desk.grade(scriptedJudge([{ ...submitting(QUOTED), fail }]), { parts });
    expect(grade).toMatchObject({ status: "met", requests: 3 });
    expect(slept.filter((ms) => ms < 60_000)).toEqual([2000, 7000]);
  });

  test("there are no tools that change or run anything", async () => {
    const attempts = ["bash", "write", "edit"].map((name) => ({ name, input: { command: "touch x" } }));
    const model = scriptedJudge([{ tools: attempts }, submitting(QUOTED)]);
    expect((await desk.grade(model)).status).toBe("met");
    expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual([
      "read",
      "glob",
      "grep",
      "submit_grade",
    ]);
    const answers = model.requests[1]?.messages.slice(-3) ?? [];
    for (const [index, { name }] of attempts.entries())
      expect(answers[index]).toMatchObject({ role: "tool", isError: true, name });
  });

  test("a sandbox that is lost is for the referee to replace", async () => {
    const sandboxes = new MemorySandboxes(new ManualClock());
    const { signal } = new AbortController();
    const spec = { id: "sbox_a" as never, workspace: "/w", noContactMs: 1000, options: {} };
    const { handle } = await sandboxes.provision(spec, signal);
    const sandbox = await sandboxes.attach(handle, 1, signal);
    sandboxes.kill();
    const grading = desk.grade(scriptedJudge([submitting(QUOTED)]), { request: { sandbox } });
    await expect(grading).rejects.toMatchObject({ code: "E_SANDBOX_LOST" });
  });

  test("who gives up gets no grade, but the reason", async () => {
    const leaving = new AbortController();
    const reason = new Error("left");
    const adapter = adapterOf(async () => {
      leaving.abort(reason);
      return await new Promise(() => undefined);
    });
    await expect(desk.grade(adapter, { signal: leaving.signal })).rejects.toBe(reason);
  });

  test("a criterion without a rubric is a bug of the caller", async () => {
    await expect(desk.grade(scriptedJudge([]), { rubric: [] })).rejects.toMatchObject({ code: "E_INTERNAL" });
  });
});

function tools(turn: ScriptTurn): NonNullable<ScriptTurn["tools"]> {
  return turn.tools ?? [];
}

/** A model that is not there. */
function adapterOf(next: () => Promise<IteratorResult<ModelPart>>): ModelAdapter {
  return { provider: "broken", stream: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) };
}

/** Waits for nothing, and tells what was waited for. */
function impatient() {
  const slept: number[] = [];
  const clock = new ManualClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms, signal) => {
    slept.push(ms);
    if (ms >= 60_000) await sleep(ms, signal);
  };
  return { slept, parts: { clock } };
}
