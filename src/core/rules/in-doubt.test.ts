import { describe } from "vitest";
import {
  approvalAsked,
  called,
  confirmed,
  idle,
  inDoubt,
  prepared,
  result,
  running,
  START_MS,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  sandboxRescheduled,
  started,
} from "../../../test/support/events.ts";
import { calling } from "../../../test/support/logs.ts";
import { decideTable, performs, prepare } from "../../../test/support/steps.ts";
import { type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

type Effect = Parameters<typeof called>[2];

/** 14 events: one call in doubt; the sandbox lives on in another incarnation from event 16 on. */
const doubtful = (effect: Effect, finding: "unknown" | "not_started" = "unknown"): EventInput[] => [
  ...calling(called(1, 0, effect)),
  started("c1_0"),
  sandboxLost(),
  sandboxRequested(),
  sandboxReady("i2"),
  inDoubt("c1_0", 1, finding),
];

/** A write that was to turn "old" into "new", and is in doubt now. */
const doubtfulWrite = (
  before: string | null = "old",
  finding: "unknown" | "not_started" = "unknown",
): EventInput[] => [
  ...calling(called(1, 0, "reconcilable")),
  prepared("c1_0", before, "new"),
  started("c1_0", 1, { before, after: "new" }),
  sandboxLost(),
  sandboxRequested(),
  sandboxReady("i2"),
  inDoubt("c1_0", 1, finding),
];

const again = (at: number, more: Parameters<typeof started>[2] = {}): EventInput =>
  started("c1_0", 2, { incarnation: "i2", at: START_MS + at * 1000, ...more });

const unknown = (reason: string, run = 1): EventInput =>
  result("c1_0", run, {
    content: [
      {
        type: "text",
        text: `Outcome unknown: ${reason}. The command may have run wholly, in part, or not at all. It was not repeated. Look at the actual state before you decide what to do.`,
      },
    ],
    is_error: true,
    ending: "sandbox_lost",
    exit_code: null,
    duration_ms: 0,
    in_doubt: true,
  });

const confirmedByHash: EventInput = result("c1_0", 1, {
  content: [{ type: "text", text: "Done. (Confirmed by the file's content hash after an interruption.)" }],
  exit_code: null,
  duration_ms: 0,
});

const cutShort = (
  effect: Effect,
  runs: number,
  finding: "unknown" | "not_started" = "unknown",
): EventInput[] => [
  ...calling(called(1, 0, effect)),
  ...Array.from({ length: runs }, (_, index) => [
    started("c1_0", index + 1),
    inDoubt("c1_0", index + 1, finding),
  ]).flat(),
];

const died = "the sandbox or its daemon died while the command ran";

describe("by effect class, when nobody knows", () => {
  decideTable([
    { name: "read_only runs again", log: doubtful("read_only"), step: append(again(16)) },
    { name: "idempotent runs again", log: doubtful("idempotent"), step: append(again(16)) },
    { name: "side_effect is told", log: doubtful("side_effect"), step: append(unknown(died)) },
    {
      name: "irreversible asks a person",
      log: doubtful("irreversible"),
      step: append(
        approvalAsked(doubtful("irreversible"), "c1_0", { run: 2, why: "in_doubt" }),
        event("session.status_idle", { stop_reason: { type: "requires_action", calls: ["c1_0"] } }),
      ),
    },
    {
      name: "reconcilable looks at the file",
      log: doubtfulWrite(),
      step: performs(null, prepare("c1_0", 1, "i2")),
    },
  ]);
});

describe("when it certainly did not start, everything runs again", () => {
  decideTable([
    { name: "read_only", log: doubtful("read_only", "not_started"), step: append(again(16)) },
    { name: "idempotent", log: doubtful("idempotent", "not_started"), step: append(again(16)) },
    { name: "side_effect", log: doubtful("side_effect", "not_started"), step: append(again(16)) },
    { name: "irreversible", log: doubtful("irreversible", "not_started"), step: append(again(16)) },
    {
      name: "reconcilable, after another look",
      log: doubtfulWrite("old", "not_started"),
      step: performs(null, prepare("c1_0", 1, "i2")),
    },
    {
      name: "reconcilable, with what that look saw",
      log: [...doubtfulWrite("old", "not_started"), prepared("c1_0", "old", "new")],
      step: append(again(18, { before: "old", after: "new" })),
    },
  ]);
});

describe("a write is settled by content hashes", () => {
  decideTable([
    {
      name: "the file is as it was to become: done",
      log: [...doubtfulWrite(), prepared("c1_0", "new", "new")],
      step: append(confirmedByHash),
    },
    {
      name: "the file is as it was before: run again",
      log: [...doubtfulWrite(), prepared("c1_0", "old", "new")],
      step: append(again(18, { before: "old", after: "new" })),
    },
    {
      name: "there was no file, and there is none: run again",
      log: [...doubtfulWrite(null), prepared("c1_0", null, "new")],
      step: append(again(18, { before: null, after: "new" })),
    },
    {
      name: "there was no file, and there is the new one: done",
      log: [...doubtfulWrite(null), prepared("c1_0", "new", "new")],
      step: append(confirmedByHash),
    },
    {
      name: "the file is neither: told",
      log: [...doubtfulWrite(), prepared("c1_0", "third", "new")],
      step: append(unknown("the file has neither its old nor its new content")),
    },
    {
      name: "a look from before the doubt does not count",
      log: doubtfulWrite(),
      step: performs(null, prepare("c1_0", 1, "i2")),
    },
  ]);
});

describe("by a person", () => {
  const asked = [...doubtful("irreversible"), idle("requires_action")];
  decideTable([
    {
      name: "allowed: runs again",
      log: [...asked, confirmed("c1_0", "allow"), running],
      step: append(again(19)),
    },
    {
      name: "denied: told, in the person's words",
      log: [...asked, confirmed("c1_0", "deny", "I did it by hand"), running],
      step: append(unknown("I did it by hand")),
    },
    {
      name: "denied without a word",
      log: [...asked, confirmed("c1_0", "deny"), running],
      step: append(unknown("a person decided not to run it again")),
    },
    {
      name: "an answer to another call asks again",
      log: [...asked, confirmed("c1_7", "allow"), running],
      step: append(
        approvalAsked([], "c1_0", { run: 2, why: "in_doubt", through_seq: asked.length + 2 }),
        event("session.status_idle", { stop_reason: { type: "requires_action", calls: ["c1_0"] } }),
      ),
    },
    {
      name: "one permission is for one run",
      log: [...asked, confirmed("c1_0", "allow"), running, started("c1_0", 2), inDoubt("c1_0", 2)],
      step: append(
        approvalAsked([], "c1_0", { run: 3, why: "in_doubt", through_seq: asked.length + 4 }),
        event("session.status_idle", { stop_reason: { type: "requires_action", calls: ["c1_0"] } }),
      ),
    },
    {
      name: "allowed without a sandbox: one is made first",
      log: [...asked, sandboxLost(), confirmed("c1_0", "allow"), running, sandboxRescheduled(0, 0)],
      step: append(sandboxRequested()),
    },
  ]);
});

describe("runs are bounded", () => {
  decideTable([
    {
      name: "four cut short: a fifth",
      log: cutShort("read_only", 4),
      step: append(started("c1_0", 5, { at: START_MS + 19_000 })),
    },
    {
      name: "five cut short: told",
      log: cutShort("read_only", 5),
      step: append(unknown("it was cut short 5 times", 5)),
    },
    {
      name: "also when the last one did not even start",
      log: cutShort("side_effect", 5, "not_started"),
      step: append(unknown("it was cut short 5 times", 5)),
    },
  ]);
});

describe("the sandbox comes first", () => {
  decideTable([
    {
      name: "to run again",
      log: [...doubtful("read_only"), sandboxLost(), sandboxRescheduled(0, 0)],
      step: append(sandboxRequested()),
    },
    {
      name: "to look at a file",
      log: [...doubtfulWrite(), sandboxLost(), sandboxRescheduled(0, 0)],
      step: append(sandboxRequested()),
    },
    {
      name: "but not to tell",
      log: [...doubtful("side_effect"), sandboxLost()],
      step: append(unknown(died)),
    },
  ]);
});
