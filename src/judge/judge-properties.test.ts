import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JudgeDesk, scriptedJudge } from "../../test/support/judge-desk.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Json } from "../core/text.ts";
import type { ScriptTurn } from "../model/script-schema.ts";

const CODE = "export function add(a, b) {\n  return a + b;\n}\n";
const RUBRIC = ["It adds.", "It takes two numbers."];
const REQUESTS_MAX = 6;

let desk: JudgeDesk;
beforeAll(() => {
  desk = new JudgeDesk({ "src/add.js": CODE });
});
afterAll(() => desk[Symbol.asyncDispose]());

const quote = fc.constantFrom<Json>(
  { path: "src/add.js", text: "return a + b;" },
  { path: "src/add.js", text: "return a - b;" },
  { path: "src/none.js", text: "return a + b;" },
  { path: "src/add.js", text: "}" },
);
const line = fc.record({
  line: fc.constantFrom(1, 2, 3),
  status: fc.constantFrom("met", "met", "unmet", "approved"),
  reason: fc.constantFrom("seen", ""),
  quotes: fc.array(quote, { maxLength: 2 }),
});
const whole = fc.tuple(line, line).map(([one, two]) => [
  { ...one, line: 1 },
  { ...two, line: 2 },
]);
const right = RUBRIC.map((_, index) => ({
  ...{ line: index + 1, status: "met", reason: "seen" },
  quotes: [{ path: "src/add.js", text: "return a + b;" }],
}));
const call = fc.oneof(
  fc.constant({ name: "submit_grade", input: { lines: right } }),
  fc.constant({
    name: "submit_grade",
    input: { lines: right.map((each) => ({ ...each, status: "unmet" })) },
  }),
  fc.record({
    name: fc.constant("submit_grade"),
    input: fc.record({ lines: fc.oneof(whole, fc.array(line, { maxLength: 3 })) }),
  }),
  fc.constant({ name: "submit_grade", raw: '{"lines": [{' }),
  fc.constantFrom(
    { name: "read", input: { file_path: "src/add.js" } },
    { name: "bash", input: { command: "echo met" } },
    { name: "grep", input: { pattern: "(" } },
  ),
);
const turn = fc.record(
  {
    text: fc.constantFrom("All lines are met.", ""),
    tools: fc.array(call, { maxLength: 2 }),
    stop: fc.constantFrom("end_turn", "tool_use", "tool_use", "max_tokens", "refusal", "other"),
    fail: fc.constantFrom([], [], [{ kind: "cut" }], [{ kind: "status", status: 400 }]),
  },
  { requiredKeys: ["tools"] },
);

test("whatever a model does: met only with quotes that exist on every line, else unmet or a problem", async () => {
  const clock = new ManualClock();
  const { sleep } = clock;
  clock.sleep = async (ms, signal) => (ms < 100_000 ? undefined : await sleep.call(clock, ms, signal));
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 6 }), async (turns) => {
      const model = scriptedJudge(turns as unknown as readonly ScriptTurn[]);
      const grade = await desk.grade(model, {
        rubric: RUBRIC,
        limits: { requests: REQUESTS_MAX },
        parts: { clock },
      });
      seen.add(grade.status);
      expect(grade.requests).toBeLessThanOrEqual(REQUESTS_MAX);
      expect(grade.requests).toBe(model.requestCount);
      if (grade.status === "error") {
        expect(grade).toMatchObject({ items: [], problem: expect.stringMatching(/./) });
        return;
      }
      expect(grade.items.map(({ rubric }) => rubric)).toEqual(RUBRIC);
      expect(grade.status === "met").toBe(grade.items.every(({ status }) => status === "met"));
      for (const { status, quotes } of grade.items) {
        for (const { path, text, found } of quotes)
          expect(found).toBe(path === "src/add.js" && CODE.includes(text));
        if (status === "met") expect(quotes.some(({ found }) => found)).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
  expect([...seen].sort()).toEqual(["error", "met", "unmet"]);
});
