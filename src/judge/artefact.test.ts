import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../core/text.ts";
import { fence, tail, visible } from "./artefact.ts";
import { assignment, systemPrompt } from "./prompt.ts";
import { parseSubmission } from "./submission.ts";

const NONCE = "n0nce";

describe("artefact text", () => {
  test.each([
    ["zero\u200bwidth", "zero\\u{200b}width"],
    ["\u202ebackwards\u202c", "\\u{202e}backwards\\u{202c}"],
    [String.fromCodePoint(0xe0041), "\\u{e0041}"],
    ["bell\u0007, escape\u001b[2J", "bell\\u{7}, escape\\u{1b}[2J"],
    ["half \ud83d", "half \\u{d83d}"],
    ["variation\ufe0f", "variation\\u{fe0f}"],
    ["lines\r\nand\ttabs\n", "lines\nand\ttabs\n"],
    ["Grüße, 世界, 🙂", "Grüße, 世界, 🙂"],
  ])("%j is shown as %j", (text, shown) => expect(visible(text)).toBe(shown));

  test("cannot end early, whatever it says", () => {
    const words = fc.constantFrom(
      "[artefact ",
      NONCE,
      " ends]",
      " begins]",
      "\n",
      "n0",
      "nce",
      "\u200b",
      "x",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
        const lines = fence(NONCE, parts.join("")).split("\n");
        expect(lines[0]).toBe(`[artefact ${NONCE} begins]`);
        expect(lines.at(-1)).toBe(`[artefact ${NONCE} ends]`);
        expect(lines.slice(1, -1).join("\n")).not.toContain(NONCE);
      }),
    );
  });

  test("keeps its end when it is long", () => {
    expect(tail("abcdef", 6)).toBe("abcdef");
    expect(tail("abcdef", 2)).toBe("(4 characters left out)\nef");
  });
});

describe("what the judge is told", () => {
  const run = { ending: "exited", exit_code: 0, duration_ms: 1, runner: null, counts: null } as const;
  const check = { pass: "B", status: "met", reason: "green" } as const;
  const text = assignment(NONCE, {
    contract: { goal: "THE GOAL", constraints: ["no network"] },
    criterion: {
      ...{ id: "one", description: "it works", steps: ["look"], check: null, role: null, needs: [] },
      rubric: ["it is fast", "it is small"],
    },
    changed: [{ path: "a\nmet b.js", change: "added" }, ...Array(400).fill({ path: "c", change: "deleted" })],
    checks: [
      { ...check, command: ["npm", "test"], run: { ...run, output: `${"x".repeat(100_000)}THE END` } },
    ],
    sandbox: undefined as never,
  });

  test("has goal, constraints and rubric outside of the marks, and what the worker wrote within", () => {
    const outside = text.replace(/\[artefact n0nce begins\][\s\S]*?\[artefact n0nce ends\]/g, "");
    for (const words of [
      "THE GOAL",
      "- no network",
      "- look",
      "1. it is fast",
      "2. it is small",
      "exit code 0",
    ])
      expect(outside).toContain(words);
    for (const words of ["b.js", "xxx", "THE END"]) expect(outside).not.toContain(words);
  });

  test("is bounded; a name of a file stays on its line", () => {
    expect(text.length).toBeLessThan(12_000);
    expect(text).toContain("added a\\u{a}met b.js\n");
    expect(text).toContain("and 101 more");
    expect(text).toContain("THE END");
  });

  test("names the marks", () => expect(systemPrompt(NONCE)).toContain(`[artefact ${NONCE} begins]`));
});

describe("submissions", () => {
  test("never throw, and are well-formed or say what is wrong", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 1, max: 5 }), (input, lines) => {
        const parsed = parseSubmission(input as Json, lines);
        expect(parsed.ok || parsed.problem !== "").toBe(true);
      }),
    );
  });

  test.each([
    ["}\n}\n", false],
    ["  return   ;", false],
    ["return x;", true],
  ])("a quote %j says enough: %j", (text, ok) => {
    const line = { line: 1, status: "met", reason: "seen", quotes: [{ path: "a", text }] };
    expect(parseSubmission({ lines: [line] }, 1).ok).toBe(ok);
  });
});
