import { describe, expect, test } from "vitest";
import { called, started } from "../../test/support/events.ts";
import { calling, stateOf } from "../../test/support/logs.ts";
import { callOf } from "../../test/support/steps.ts";
import { CATALOGUE } from "../core/events/catalogue.ts";
import type { ExecResult } from "../sandbox/contract.ts";
import { answerFrom, doubtFrom, refusedAnswer } from "./receipts.ts";

const call = callOf(stateOf(...calling(called(1, 0)), started("c1_0", 2)), "c1_0");

const result = (more: Partial<ExecResult>): ExecResult => ({
  ending: "exited",
  exitCode: 0,
  output: "out\n",
  droppedBytes: 0,
  durationMs: 12.4,
  ...more,
});

describe("what the model reads of an execution", () => {
  const rows: readonly (readonly [string, Partial<ExecResult>, string, boolean])[] = [
    ["its output", {}, "out\n", false],
    ["that there was none", { output: "" }, "(no output)", false],
    ["its exit code, if it failed", { exitCode: 2 }, "out\n[exit code 2]", true],
    ["its exit code on a line of its own", { exitCode: 2, output: "out" }, "out\n[exit code 2]", true],
    ["its exit code alone", { exitCode: 2, output: "" }, "[exit code 2]", true],
    [
      "that it was too slow",
      { ending: "timed_out", exitCode: null, durationMs: 120_400 },
      "out\n[killed: it ran longer than its limit, 120 s]",
      true,
    ],
    [
      "that it was cancelled",
      { ending: "cancelled", exitCode: null },
      "out\n[killed: cancelled by a person]",
      true,
    ],
    [
      "that it took too much memory",
      { ending: "out_of_memory", exitCode: null },
      "out\n[killed: out of memory]",
      true,
    ],
    [
      "why it was refused",
      { ending: "refused", exitCode: null, output: "it has changed" },
      "it has changed",
      true,
    ],
  ];
  test.each(rows)("%s", (_name, more, text, is_error) => {
    const receipt = answerFrom(call, result(more));
    expect(CATALOGUE[receipt.type].safeParse(receipt.body).error).toBeUndefined();
    expect(receipt).toMatchObject({
      type: "agent.tool_result",
      body: { call: "c1_0", run: 2, content: [{ type: "text", text }], is_error, in_doubt: false },
    });
  });

  test("how long it took, in whole milliseconds, and what was dropped", () => {
    expect(answerFrom(call, result({ droppedBytes: 7 })).body).toMatchObject({
      duration_ms: 12,
      dropped_bytes: 7,
    });
    expect(answerFrom(call, result({ durationMs: -1 })).body).toMatchObject({ duration_ms: 0 });
  });
});

test("a refusal before anything was touched says so", () => {
  expect(refusedAnswer(call, "no such file").body).toMatchObject({
    run: 2,
    ending: "refused",
    is_error: true,
    content: [{ type: "text", text: "no such file" }],
  });
});

test("a doubt names the run and what is known", () => {
  expect(doubtFrom(call, "not_started", "it was replaced")).toEqual({
    type: "tool.in_doubt",
    body: { call: "c1_0", run: 2, finding: "not_started", reason: "it was replaced" },
  });
});
