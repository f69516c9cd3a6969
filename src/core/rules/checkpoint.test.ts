import { describe, expect, test } from "vitest";
import {
  answered,
  asked,
  BASE,
  called,
  checkpointCreated,
  checkpointFailed,
  checkpointRequested,
  commitOf,
  destroyed,
  destroyRequested,
  idle,
  replied,
  restoredTo,
  result,
  resume,
  rewind,
  rewoundTo,
  SANDBOX,
  START_MS,
  sandboxLost,
  sandboxReady,
  saveNow,
  started,
} from "../../../test/support/events.ts";
import { askingWithSandbox, stateOf } from "../../../test/support/logs.ts";
import { decideTable, type IntentOf, model, performs } from "../../../test/support/steps.ts";
import { event } from "../events/index.ts";
import { append, leave } from "../step.ts";

const checkout = { checkout: { base: BASE }, policy: { checkpoint_calls: 2, checkpoint_ms: 60_000 } };
const calls = [called(1, 0), called(1, 1)];
const calling = [...askingWithSandbox(checkout), answered(1, { stop_reason: "tool_use" }), ...calls];
const oneRan = [...calling, started("c1_0"), result("c1_0"), result("c1_1", 0, { ending: "refused" })];
const twoRan = [...calling, started("c1_0"), started("c1_1"), result("c1_0"), result("c1_1")];
/** Nothing else is due before the checkpoint. */
const soon = { at: START_MS + 20_000 };

const changesDependencies = (options: { setup?: string[] }) => [
  ...askingWithSandbox({ ...checkout, options }),
  answered(1, { stop_reason: "tool_use" }),
  called(1, 0, "side_effect", { input: { command: "npm install left-pad" } }),
  ...[started("c1_0"), result("c1_0")],
];

const request = (seq: number, number = 2) =>
  asked(number, { through_seq: seq, context_hash: "hash", reservation: { tokens: 1100, cost_micro_usd: 0 } });

const checkpoint =
  (number = 1, failures = 0): IntentOf =>
  () => ({ kind: "checkpoint", key: `checkpoint/${number}/${failures}`, number });

const requested = (restore: { checkpoint: number; commit: string }) =>
  event("sandbox.requested", { sandbox: SANDBOX, backend: "test", restore });

describe("between two turns", () => {
  decideTable([
    { name: "few runs are not saved yet", log: oneRan, now: soon, step: append(request(15)) },
    {
      name: "after so many runs it is saved, and the next request does not wait",
      log: twoRan,
      now: soon,
      step: append(checkpointRequested(), request(16)),
    },
    {
      name: "after so long, too",
      log: oneRan,
      now: { at: START_MS + 60_000 },
      step: append(checkpointRequested(), request(15)),
    },
    {
      name: "somebody asks for it",
      log: [...calling, result("c1_0", 0), result("c1_1", 0), saveNow],
      now: soon,
      step: append(checkpointRequested(1, "asked"), request(15)),
    },
    {
      name: "request and checkpoint run beside each other",
      log: [...twoRan, checkpointRequested(), asked(2)],
      now: soon,
      step: performs(600_000, model(2), checkpoint()),
    },
    {
      name: "a call may have changed the dependencies",
      log: changesDependencies({ setup: ["npm", "test"] }),
      now: soon,
      step: append(checkpointRequested(), request(13)),
    },
    {
      name: "but where nobody provides any, it does not matter",
      log: changesDependencies({}),
      now: soon,
      step: append(request(13)),
    },
    {
      name: "what is saved is not saved again",
      log: [...twoRan, checkpointRequested(), checkpointCreated()],
      now: { at: START_MS + 700_000 },
      step: append(request(18)),
    },
  ]);
});

describe("while the files are read", () => {
  const reading = [
    ...twoRan,
    checkpointRequested(),
    asked(2),
    answered(2, { stop_reason: "tool_use" }),
    called(2, 0),
  ];
  decideTable([
    { name: "no run begins", log: reading, step: performs(null, checkpoint()) },
    {
      name: "nor is a sandbox made",
      log: [...reading, sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1")],
      step: performs(null, checkpoint()),
    },
    {
      name: "a rewind waits",
      log: [...reading, rewind(0), result("c2_0", 0)],
      step: performs(null, checkpoint()),
    },
  ]);
});

describe("the sandbox of a checkout", () => {
  decideTable([
    {
      name: "begins with the base",
      log: [
        ...askingWithSandbox(checkout),
        sandboxLost(),
        answered(1, { stop_reason: "tool_use" }),
        called(1, 0),
      ],
      step: append(requested({ checkpoint: 0, commit: BASE })),
    },
    {
      name: "begins with the newest checkpoint",
      log: [
        ...[...twoRan, checkpointRequested(), checkpointCreated(), asked(2)],
        ...[answered(2, { stop_reason: "tool_use" }), called(2, 0), sandboxLost()],
      ],
      step: append(requested({ checkpoint: 1, commit: commitOf(1) })),
    },
  ]);
});

describe("at rest", () => {
  const done = [...oneRan, asked(2), answered(2), replied(2, "done"), idle("end_turn")];
  const saving = [...done, checkpointRequested(1, "rest")];
  const failedOnce = [...saving, checkpointFailed()];
  const failedThrice = [
    ...[...failedOnce, checkpointRequested(2, "rest"), checkpointFailed(2)],
    ...[checkpointRequested(3, "rest"), checkpointFailed(3)],
  ];
  const stuck = event("session.status_idle", { stop_reason: { type: "failed", code: "E_WORKSPACE" } });
  decideTable([
    { name: "work is saved at once", log: done, step: append(checkpointRequested(1, "rest")) },
    { name: "and that is waited for", log: saving, step: performs(null, checkpoint()) },
    {
      name: "a failure is followed by another try",
      log: failedOnce,
      step: append(checkpointRequested(2, "rest")),
    },
    {
      name: "three of them are for a person to look at, and the sandbox stays",
      log: failedThrice,
      now: { at: START_MS + 7_000_000 },
      step: append(stuck),
    },
    {
      name: "who is waited for",
      log: [...failedThrice, stuck],
      now: { at: START_MS + 7_000_000 },
      step: leave(null),
    },
    {
      name: "and who gives it new chances",
      log: [...failedThrice, stuck, resume],
      step: append(checkpointRequested(4, "rest")),
    },
    {
      name: "then the sandbox may go",
      log: [...saving, checkpointCreated()],
      now: { at: START_MS + 7_000_000 },
      step: append(destroyRequested()),
    },
  ]);
});

describe("files that are not those of a sandbox that worked", () => {
  const done = [...oneRan, asked(2), answered(2), replied(2, "done")];
  const later = { at: START_MS + 7_000_000 };
  const forked = event("session.forked", { from: "sesn_original", at_seq: 12, head_hash: "0".repeat(64) });
  const rewoundAtRest = [...done, rewind(0), rewoundTo(0), destroyRequested(), idle("stopped"), destroyed()];
  const notMadeAgain = [
    ...[...done, sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1")],
    ...[requested({ checkpoint: 0, commit: BASE }), sandboxLost(), idle("end_turn")],
  ];
  decideTable([
    { name: "a copy has none of its own yet", log: [...done, idle("end_turn"), forked], step: leave(null) },
    {
      name: "a rewind is not undone by saving what was there before it",
      log: [...rewoundAtRest, saveNow],
      step: leave(null),
    },
    {
      name: "what a sandbox that could not be made again has begun with is no work: the next one tells what is gone",
      log: notMadeAgain,
      now: later,
      step: append(destroyRequested()),
    },
    {
      name: "what a sandbox that worked has left is saved, though it is lost",
      log: [...done, sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1"), idle("end_turn")],
      step: append(checkpointRequested(1, "rest")),
    },
  ]);
});

describe("a rewind", () => {
  const resting = [
    ...oneRan,
    asked(2),
    answered(2),
    idle("end_turn"),
    checkpointRequested(),
    checkpointCreated(),
  ];
  test("is a fact before the files change, and ends the sandbox", () => {
    const state = stateOf(...resting, rewind(0), rewoundTo(0));
    expect(state.workspace).toMatchObject({
      saved: { number: 0, commit: BASE },
      isStale: true,
      rewind: null,
    });
  });
  test("is done when the next sandbox has begun with its files", () => {
    const state = stateOf(...resting, rewind(0), rewoundTo(0), sandboxReady("i2"), restoredTo(0));
    expect(state.workspace).toMatchObject({ isStale: false, unsaved: 0 });
  });
  test("of a session that works in a folder as it is changes nothing", () => {
    const before = stateOf(...askingWithSandbox());
    expect(stateOf(...askingWithSandbox(), rewind(0))).toMatchObject({ halt: before.halt, workspace: null });
  });
});
