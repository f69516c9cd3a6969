import { expect, test } from "vitest";
import type { EventBody } from "../events/index.ts";
import { endingOf } from "./ending.ts";

const ended = (body: Partial<EventBody<"attempt.ended">>): EventBody<"attempt.ended"> => ({
  attempt: 1,
  ending: "exited",
  duration_ms: 5,
  ...body,
});

test.each([
  [
    "a program that failed",
    { exit_code: 2, output: "sh: cannot open it\n" },
    "exit status 2",
    "sh: cannot open it",
    true,
  ],
  ["one that did not", { exit_code: 0, output: "one\r\n\u001b[1mtwo\n\n" }, "exited", "[1mtwo", false],
  ["one that said nothing", { exit_code: 0, output: "" }, "exited", "", false],
  ["one killed by a signal", { ending: "killed", exit_code: null }, "killed", "", true],
  ["one that took too long", { ending: "timed_out", output: "still" }, "timed out", "still", true],
  ["one that could not begin", { ending: "refused" }, "refused", "", true],
  ["the built-in worker", { ending: "unmet" }, "unmet", "", false],
] as const)("%s", (_name, body, how, said, isFailure) => {
  expect(endingOf(ended(body))).toEqual({ how, said, isFailure });
});

test("what was printed is cut", () => {
  expect(endingOf(ended({ output: "x".repeat(5000) })).said).toHaveLength(500);
});
