import { expect, test } from "vitest";
import {
  answered,
  called,
  created,
  failedWith,
  idle,
  rescheduled,
  result,
  started,
} from "../../test/support/events.ts";
import { asking, calling, stateOf } from "../../test/support/logs.ts";
import type { EventInput } from "./events/index.ts";
import { summarize } from "./summary.ts";

const rows: readonly (readonly [string, readonly EventInput[], object])[] = [
  [
    "a new session",
    [created()],
    { phase: "idle", stopReason: null, activity: "waiting", requests: 0, tokens: 0 },
  ],
  [
    "a request in flight",
    asking(),
    { phase: "running", stopReason: null, activity: "model", requests: 1, tokens: 1100 },
  ],
  [
    "a back-off",
    [...asking(), failedWith(1, "network"), rescheduled(1, 1)],
    { phase: "running", stopReason: null, activity: "backing-off", requests: 1, tokens: 1100 },
  ],
  [
    "a tool",
    [...calling(called(1, 0)), started("c1_0")],
    { phase: "running", stopReason: null, activity: "tools", requests: 1, tokens: 110 },
  ],
  [
    "between a result and the next request",
    [...calling(called(1, 0)), started("c1_0"), result("c1_0")],
    { phase: "running", stopReason: null, activity: "waiting", requests: 1, tokens: 110 },
  ],
  [
    "the end of a turn",
    [...asking(), answered(1), idle("end_turn")],
    { phase: "idle", stopReason: "end_turn", activity: "waiting", requests: 1, tokens: 110 },
  ],
];

test.each(rows)("the summary of %s", (_name, log, summary) => {
  expect(JSON.parse(summarize(stateOf(...log)))).toEqual({ title: "test", ...summary });
});
