import { describe, expect, test } from "vitest";
import { formatTime } from "./format.ts";
import { type Frame, type ScreenFacts, screen } from "./screen.ts";
import { stripControl, textWidth } from "./text.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

const plainFacts: ScreenFacts = {
  session: "sesn_01abcdef",
  title: "fix the failing tests",
  stands: "waits for the model (request 4)",
  last: { type: "span.model_request_start", at: NOW - 12_400 },
  criteria: [],
  verdicts: [],
  caps: [
    { cap: "model_requests", used: 4, limit: null },
    { cap: "tokens", used: 12_345, limit: null },
    { cap: "cost_micro_usd", used: 420_000, limit: 5_000_000 },
  ],
  asks: [],
  wakes: null,
  next: null,
  keys: "Ctrl-C pauses; nothing is lost",
};

const fullFacts: ScreenFacts = {
  ...plainFacts,
  criteria: [
    { criterion: "tests", description: "npm test passes", status: "met" },
    {
      criterion: "lint",
      description: "npm run lint passes without a single warning in any file",
      status: "unmet",
    },
    { criterion: "docs", description: "the README shows the new flag", status: "open" },
  ],
  verdicts: [
    { number: 1, outcome: "unmet", met: 0, of: 3 },
    { number: 2, outcome: "unmet", met: 1, of: 3 },
  ],
  asks: [{ name: "q2_0", text: "Which database?" }],
  wakes: { at: NOW + 3 * HOUR, by: "this process" },
};

const wide: Frame = { columns: 80, rows: 24, now: NOW, colour: false };
const narrow: Frame = { columns: 40, rows: 24, now: NOW, colour: false };

test("at 80 columns a session without a contract", () => {
  expect(screen(plainFacts, wide)).toEqual([
    "── fix the failing tests ───────────────────────────────────── sesn_01abcdef ──",
    "now      waits for the model (request 4)",
    "spent    $0.4200 of $5.00 · 4 requests · 12,345 tokens",
    "last     12 s ago: span.model_request_start",
    "Ctrl-C pauses; nothing is lost",
  ]);
});

test("at 80 columns all that there is to say", () => {
  expect(screen(fullFacts, { ...wide, rows: 30 })).toEqual([
    "── fix the failing tests ───────────────────────────────────── sesn_01abcdef ──",
    "now      waits for the model (request 4)",
    "asks     q2_0: Which database?",
    `wakes    ${formatTime(NOW + 3 * HOUR)}, in 3 h 00 min; this process`,
    "spent    $0.4200 of $5.00 · 4 requests · 12,345 tokens",
    "last     12 s ago: span.model_request_start",
    "verdicts 1 unmet (0 of 3) · 2 unmet (1 of 3)",
    "criteria 1 of 3 met",
    "         met        tests: npm test passes",
    "         unmet      lint: npm run lint passes without a single warning in any …",
    "         open       docs: the README shows the new flag",
    "Ctrl-C pauses; nothing is lost",
  ]);
});

test("at 40 columns lines are cut, and the newest verdict is seen", () => {
  expect(screen(fullFacts, narrow)).toEqual([
    "── fix the failing… ── sesn_01abcdef ──",
    "now      waits for the model (request …",
    "asks     q2_0: Which database?",
    `wakes    ${formatTime(NOW + 3 * HOUR)}, in 3 h 00 min; this…`,
    "spent    $0.4200 of $5.00 · 4 requests",
    "         12,345 tokens",
    "last     12 s ago: span.model_request_…",
    "verdicts … · 2 unmet (1 of 3)",
    "criteria 1 of 3 met",
    "         unmet      lint: npm run lint…",
    "         and 1 more that are not met",
    "Ctrl-C pauses; nothing is lost",
  ]);
});

describe("every frame", () => {
  const facts = { ...fullFacts, next: "nightshift resume sesn_01abcdef" };
  const sizes = [1, 2, 8, 20, 40, 80, 200].flatMap((columns) =>
    [1, 4, 6, 10, 16, 24, 60].map((rows) => [columns, rows] as const),
  );

  test.each(sizes)("of %i columns and %i rows is kept, and says what it does now", (columns, rows) => {
    const lines = screen(facts, { columns, rows, now: NOW, colour: false });
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, Math.floor(rows / 2)));
    for (const line of lines) expect(textWidth(line)).toBeLessThan(Math.max(2, columns));
    if (columns >= 20) expect(lines.some((line) => line.startsWith("now "))).toBe(true);
  });
});

test("many criteria: those that are not met come first, and the others are counted", () => {
  const criteria = Array.from({ length: 40 }, (_, index) => ({
    criterion: `c${index}`,
    description: "something",
    status: index < 30 ? "met" : "unmet",
  }));
  const lines = screen({ ...plainFacts, criteria }, wide);
  expect(lines).toHaveLength(12);
  expect(lines.slice(4, -1)).toEqual([
    "criteria 30 of 40 met",
    "         unmet      c30: something",
    "         unmet      c31: something",
    "         unmet      c32: something",
    "         unmet      c33: something",
    "         unmet      c34: something",
    "         and 5 more that are not met",
  ]);
});

test("colours are only added where they are wanted: without them the words are the same", () => {
  const coloured = screen(fullFacts, { ...wide, colour: true });
  expect(coloured.join("\n")).toContain("\u001b[31munmet");
  const words = coloured.map((line) => stripControl(line).trimEnd());
  expect(words).toEqual(screen(fullFacts, wide));
  expect(screen(fullFacts, wide).join("")).not.toContain("\u001b");
});

test("nothing in a fact moves the cursor", () => {
  const hostile = "\u001b[2J\u001b[1;1Hgone\r\nnew line\u0007\u009b5A";
  const facts: ScreenFacts = {
    ...fullFacts,
    ...{ title: hostile, stands: hostile, session: hostile, next: hostile, keys: hostile },
    last: { type: hostile, at: NOW },
    criteria: [{ criterion: hostile, description: hostile, status: hostile }],
    verdicts: [{ number: 1, outcome: hostile, met: 0, of: 1 }],
    asks: [{ name: hostile, text: hostile }],
    wakes: { at: NOW + 1000, by: hostile },
  };
  for (const line of screen(facts, { ...wide, rows: 60 })) expect(line).toMatch(/^[\x20-\x7e─·…]*$/);
});
