import { describe, expect, test } from "vitest";
import {
  answered,
  BASE,
  called,
  checkpointCreated,
  checkpointRequested,
  commitOf,
  destroyed,
  destroyRequested,
  idle,
  LAYER,
  layerAnswered,
  layerDecided,
  result,
  rewoundTo,
  running,
  SANDBOX,
  START_MS,
  sandboxReady,
  started,
} from "../../../test/support/events.ts";
import { askingWithSandbox, contextOf, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable, exec, performs } from "../../../test/support/steps.ts";
import { decide } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";
import { sandboxId } from "../ids.ts";
import { append, leave } from "../step.ts";

const checkout = { checkout: { base: BASE } };
const opened = askingWithSandbox(checkout);
const calling = [...opened, answered(1, { stop_reason: "tool_use" }), called(1, 0), called(1, 1)];
const saved = [checkpointRequested(), checkpointCreated()];
const make = [...saved, layerDecided("make")];
const soon = { at: START_MS + 20_000 };
const SECOND = sandboxId(stateOf(...opened).sessionId, 1);
const layer = { key: LAYER, commit: commitOf(1) };

const withLayer = (sandbox: string, environment?: typeof layer): EventInput =>
  event("sandbox.requested", {
    sandbox,
    backend: "test",
    restore: { checkpoint: 1, commit: commitOf(1) },
    ...(environment && { environment }),
  });

describe("a layer that may be made", () => {
  decideTable([
    {
      name: "needs another sandbox, before the next command",
      log: [...calling, ...make],
      now: soon,
      step: append(destroyRequested()),
    },
    {
      name: "waits for what runs",
      log: [...calling, started("c1_0"), ...make],
      now: soon,
      step: performs(null, exec("c1_0")),
    },
    {
      name: "waits until the work is saved",
      log: [...calling, started("c1_0"), layerDecided("make"), result("c1_0")],
      now: soon,
      step: append(checkpointRequested(1, "rest")),
    },
    {
      name: "is named by the intent of the next sandbox",
      log: [...calling, ...make, destroyRequested(), destroyed()],
      now: soon,
      step: append(withLayer(SECOND, layer)),
    },
    {
      name: "is there: commands run",
      log: [
        ...calling,
        ...make,
        destroyRequested(),
        destroyed(),
        withLayer(SECOND, layer),
        sandboxReady("i2", SECOND),
      ],
      now: soon,
      step: append(
        event("tool.started", { call: "c1_0", run: 1, sandbox: SECOND, incarnation: "i2", at: soon.at }),
        event("tool.started", { call: "c1_1", run: 1, sandbox: SECOND, incarnation: "i2", at: soon.at }),
      ),
    },
    {
      name: "cannot be had: commands run without it",
      log: [
        ...[...calling, ...make, destroyRequested(), destroyed(), withLayer(SECOND, layer)],
        ...[layerDecided("failed"), sandboxReady("i2", SECOND)],
      ],
      now: soon,
      step: append(
        event("tool.started", { call: "c1_0", run: 1, sandbox: SECOND, incarnation: "i2", at: soon.at }),
        event("tool.started", { call: "c1_1", run: 1, sandbox: SECOND, incarnation: "i2", at: soon.at }),
      ),
    },
    {
      name: "is given up when the files are taken back",
      log: [...calling, ...make, rewoundTo(0), destroyRequested(), destroyed()],
      now: soon,
      step: append(
        event("sandbox.requested", {
          sandbox: SECOND,
          backend: "test",
          restore: { checkpoint: 0, commit: commitOf(0) },
        }),
      ),
    },
    {
      name: "is no reason to make a sandbox when nothing is to run",
      log: [...opened, answered(1), ...make, idle("end_turn")],
      now: soon,
      step: leave(START_MS + 13_000 + 60_000),
    },
  ]);
});

describe("a layer that a person is asked about", () => {
  const ask = [...saved, layerDecided("ask")];
  const needsPerson = event("session.status_idle", {
    stop_reason: { type: "requires_action", calls: [], environment: LAYER },
  });
  const resting = [...opened, answered(1), ...ask];
  decideTable([
    {
      name: "does not keep commands from running with what there is",
      log: [...calling, ...ask],
      now: soon,
      step: append(
        event("tool.started", { call: "c1_0", run: 1, sandbox: SANDBOX, incarnation: "i1", at: soon.at }),
        event("tool.started", { call: "c1_1", run: 1, sandbox: SANDBOX, incarnation: "i1", at: soon.at }),
      ),
    },
    { name: "is why it rests", log: resting, now: soon, step: append(needsPerson) },
    {
      name: "is why it rests, also when the last checkpoint showed it",
      log: [...opened, answered(1), idle("end_turn"), ...ask],
      now: soon,
      step: append(needsPerson),
    },
    {
      name: "waits, without a sandbox in the end",
      log: [...resting, needsPerson],
      now: { at: START_MS + 600_000 },
      step: append(destroyRequested()),
    },
    {
      name: "is allowed: the agent goes on",
      log: [...resting, needsPerson, layerAnswered("approve")],
      now: soon,
      step: append(running),
    },
    {
      name: "another layer than the one that was asked about is not allowed by it",
      log: [
        ...resting,
        needsPerson,
        destroyRequested(),
        destroyed(),
        layerAnswered("approve", "8".repeat(64)),
      ],
      now: soon,
      step: leave(null),
    },
  ]);

  test.each([
    ["approve", "make", "they are installed"],
    ["deny", "deny", "did not allow"],
  ] as const)("%s: the model is told and owes an answer", (answer, decision, words) => {
    const log = [...resting, needsPerson, layerAnswered(answer), running];
    const state = stateOf(...log);
    const step = decide(state, nowOf(state));
    if (step.kind !== "append") throw new Error(step.kind);
    const after = stateOf(...log, ...step.events);
    expect(after).toMatchObject({ answerOwed: true, environment: { key: LAYER, decision, answer: null } });
    expect(contextOf(...log, ...step.events).turn.input.at(-1)).toContain(words);
  });
});

test("files that ask for the layer of the base again have no other", () => {
  expect(stateOf(...calling, ...make, layerDecided("base", 2)).environment).toBeNull();
});
