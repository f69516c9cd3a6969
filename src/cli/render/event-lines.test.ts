import fc from "fast-check";
import { expect, test } from "vitest";
import { anyLog } from "../../../test/support/arbitrary-events.ts";
import {
  answered,
  BASE,
  called,
  created,
  failedWith,
  idle,
  inDoubt,
  lost,
  replied,
  rescheduled,
  result,
  said,
  started,
  woke,
} from "../../../test/support/events.ts";
import { place } from "../../../test/support/logs.ts";
import { type EventInput, event } from "../../core/events/index.ts";
import { EventView } from "./event-lines.ts";
import { textWidth } from "./text.ts";

function linesOf(inputs: readonly EventInput[], options = { width: 80, verbose: false }): string[] {
  const view = new EventView(options);
  return place(inputs)
    .flatMap((item) => view.lines(item))
    .map((line) => line.slice("00:00:00 ".length));
}

test("any log can be shown, in lines that fit and cannot move the cursor", () => {
  fc.assert(
    fc.property(anyLog, fc.integer({ min: 40, max: 120 }), fc.boolean(), (log, width, verbose) => {
      const view = new EventView({ width, verbose });
      for (const line of place(log).flatMap((item) => view.lines(item))) {
        expect(textWidth(line)).toBeLessThanOrEqual(width);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }),
    { numRuns: 50 },
  );
});

test("a receipt is shown under the name of its tool", () => {
  const lines = linesOf([
    created(),
    said("do it"),
    woke(),
    answered(1),
    replied(1, "I run it."),
    called(1, 0),
    started("c1_0"),
    result("c1_0", 1, {
      content: [{ type: "text", text: "first\nlast\n[exit code 3]" }],
      exit_code: 3,
      duration_ms: 2100,
    }),
    idle("end_turn"),
  ]);
  expect(lines.slice(1)).toEqual([
    "you      do it",
    "agent    I run it.",
    "shell    true",
    "shell    exit 3, 2.1 s | last",
    "idle     done; waits for the next message",
  ]);
});

test("how checks stand on the base, and why they cannot run there, to the last word", () => {
  const seen = { passing: "", failing: "", exempt: "", unstable: 0, runs: [], wall_ms: 1 };
  const criteria = (
    [
      ["kept", "passed", "keep"],
      ["shaky", "flaky", "keep"],
      ["red", "failed", "earn"],
      ["broken", "error", "earn"],
    ] as const
  ).map(([criterion, status, role]) => ({ criterion, status, role, ...seen }));
  const message = `criterion broken: ${"a long way to say it, ".repeat(8)}and its end`;
  const lines = linesOf([
    event("preflight.finished", {
      ...{ commit: BASE, criteria, duration_ms: 5, content: [] },
      problems: [{ criterion: "broken", code: "not_found", message }],
    }),
  ]);
  expect(lines.slice(0, 4)).toEqual([
    "base     kept: passed, has to stay so",
    "base     shaky: flaky; what passes each time has to go on passing",
    "base     red: failed, has to become green",
    "base     broken: cannot be run",
  ]);
  expect(lines.join("\n")).not.toContain("…");
  expect(lines.join(" ").replace(/\s+/g, " ")).toContain(message);
});

test("what went wrong and what came of it is shown", () => {
  const lines = linesOf([
    failedWith(1, "overloaded"),
    rescheduled(1_700_000_005_000, 1_700_000_000_000),
    woke(2),
    lost(2),
    called(3, 0),
    started("c3_0"),
    inDoubt("c3_0"),
    started("c3_0", 2),
    idle("budget_reached"),
  ]);
  expect(lines).toEqual([
    expect.stringMatching(/^model {4}request 1 failed \(overloaded\)/),
    expect.stringMatching(/^model {4}failed once \(overloaded\); next try at \d\d:\d\d:\d\d$/),
    "harness  carries on (epoch 2)",
    expect.stringMatching(/^model {4}request 2 was lost with its process/),
    expect.stringMatching(/^shell {4}/),
    expect.stringMatching(/^shell {4}in doubt: /),
    "shell    runs again (run 2)",
    expect.stringMatching(/^idle {5}a cap was reached/),
  ]);
});

test("long answers hang behind their label, and very long ones are cut", () => {
  const lines = linesOf([replied(1, "word ".repeat(1000))], { width: 60, verbose: false });
  expect(lines).toHaveLength(41);
  expect(lines[1]).toMatch(/^ {9}word/);
  expect(lines.at(-1)).toMatch(/… \d+ more lines$/);
});

test("calls from before the view began have their names too", () => {
  const view = new EventView({ width: 80, verbose: false }, [{ call: "c1_0", name: "bash" }]);
  const [item] = place([result("c1_0")]);
  expect(view.lines(item!)[0]).toMatch(/ bash {5}ok/);
});
