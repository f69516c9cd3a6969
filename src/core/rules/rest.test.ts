import { describe } from "vitest";
import {
  accepted,
  answered,
  asked,
  called,
  cancel,
  created,
  destroyed,
  destroyRequested,
  idle,
  replied,
  result,
  running,
  START_MS,
  said,
  sandboxLost,
  started,
  terminated,
  woke,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox, calling } from "../../../test/support/logs.ts";
import { decideTable, destroy, performs } from "../../../test/support/steps.ts";
import { append, leave } from "../step.ts";

const done = [...askingWithSandbox(), answered(1), replied(1, "done")];
const rested = [...done, idle("end_turn")];
/** The time of `idle` in {@link rested}. */
const idleAt = START_MS + 11_000;

describe("nothing to do", () => {
  decideTable([
    { name: "an empty log", log: [], step: leave(null) },
    { name: "a session without a message", log: [created()], step: leave(null) },
    { name: "a wake leaves no trace", log: [created(), woke()], now: { epoch: 2 }, step: leave(null) },
    { name: "the turn is over: idle", log: done, step: append(idle("end_turn")) },
    {
      name: "the model refused: idle, and it says so",
      log: [...askingWithSandbox(), answered(1, { stop_reason: "refusal" })],
      step: append(idle("refusal")),
    },
    {
      name: "a refusal is forgotten with the next answer",
      log: [
        ...askingWithSandbox(),
        answered(1, { stop_reason: "refusal" }),
        idle("refusal"),
        said("please"),
        running,
        accepted(12),
        asked(2),
        answered(2),
      ],
      step: append(idle("end_turn")),
    },
    {
      name: "the answer was cut off: idle, and it says so",
      log: [...askingWithSandbox(), answered(1, { stop_reason: "max_tokens" })],
      step: append(idle("max_tokens")),
    },
    {
      name: "a cut is forgotten with the next answer",
      log: [
        ...askingWithSandbox(),
        answered(1, { stop_reason: "max_tokens" }),
        idle("max_tokens"),
        said("go on"),
        running,
        accepted(12),
        asked(2),
        answered(2),
      ],
      step: append(idle("end_turn")),
    },
  ]);
});

describe("the sandbox of a session that waits", () => {
  decideTable([
    { name: "is kept for a while", log: rested, now: { at: idleAt + 59_999 }, step: leave(idleAt + 60_000) },
    {
      name: "then goes",
      log: rested,
      now: { at: idleAt + 60_000 },
      step: append(destroyRequested()),
    },
    {
      name: "goes at once when the clock went back, because the grace cannot be measured",
      log: rested,
      now: { at: idleAt - 1 },
      step: append(destroyRequested()),
    },
    {
      name: "the removal is carried out",
      log: [...rested, destroyRequested()],
      step: performs(null, destroy()),
    },
    { name: "and that was all", log: [...rested, destroyRequested(), destroyed()], step: leave(null) },
    {
      name: "a lost one is removed as well",
      log: [...rested, sandboxLost()],
      now: { at: idleAt + 60_000 },
      step: append(destroyRequested()),
    },
    {
      name: "one that was never ready is removed as well",
      log: [...asking(), answered(1), idle("end_turn")],
      now: { at: idleAt + 60_000 },
      step: append(destroyRequested()),
    },
    {
      name: "goes also while a person is waited for",
      log: [...calling(called(1, 0), started("c1_0"), result("c1_0")), idle("paused")],
      now: { at: START_MS + 13_000 + 60_000 },
      step: append(destroyRequested()),
    },
    {
      name: "goes at once when the session is over",
      log: [...rested, cancel, terminated],
      now: { at: idleAt + 3000 },
      step: append(destroyRequested()),
    },
    {
      name: "a session that is over takes no messages",
      log: [...rested, cancel, terminated, destroyRequested(), destroyed(), said("hello?")],
      step: leave(null),
    },
  ]);
});
