import { describe, expect, test } from "vitest";
import {
  answered,
  asked,
  called,
  destroyed,
  destroyRequested,
  inDoubt,
  lost,
  prepared,
  result,
  running,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  started,
} from "../../test/support/events.ts";
import { asking, askingWithSandbox, calling, stateOf } from "../../test/support/logs.ts";
import {
  callOf,
  destroy,
  exec,
  type IntentOf,
  kill,
  model,
  prepare,
  provision,
} from "../../test/support/steps.ts";
import type { EventInput } from "./events/index.ts";
import { execIntent, inFlight, isOpen } from "./step.ts";

describe("what is in flight besides calls", () => {
  const rows: readonly (readonly [string, readonly EventInput[], readonly IntentOf[]])[] = [
    ["nothing", [], []],
    ["a request and the making of a sandbox", asking(), [model(), provision()]],
    ["a request", askingWithSandbox(), [model()]],
    [
      "the second making of a sandbox",
      [...asking(), answered(1), sandboxLost(), sandboxRequested()],
      [provision(1)],
    ],
    ["its removal", [...askingWithSandbox(), answered(1), destroyRequested()], [destroy()]],
    ["a lost sandbox is not", [...askingWithSandbox(), answered(1), sandboxLost()], []],
  ];
  test.each(rows)("%s", (_name, log, intents) => {
    const state = stateOf(...log);
    expect(inFlight(state)).toEqual(intents.map((make) => make(state)));
  });
});

describe("keys", () => {
  test("a run has another key in another incarnation, and the same execution id", () => {
    const log = [...calling(called(1, 0)), started("c1_0")];
    const before = stateOf(...log);
    const after = stateOf(...log, sandboxLost(), sandboxRequested(), sandboxReady("i2"));
    expect(execIntent(before, callOf(before, "c1_0"))).toEqual(exec("c1_0")(before));
    expect(execIntent(after, callOf(after, "c1_0"))).toEqual(exec("c1_0", 1, "i2")(after));
  });

  test("a request that is asked again has another key", () => {
    const again = stateOf(...askingWithSandbox(), lost(1), asked(2, { epoch: 2 }));
    expect(inFlight(again)).toEqual([model(2, 2)(again)]);
  });
});

/** An intent as it was named, and a later log: does that still wait for what comes of it? */
interface OpenRow {
  readonly name: string;
  readonly named: readonly EventInput[];
  readonly intent: IntentOf;
  readonly later: readonly EventInput[];
  readonly open: boolean;
}

const writing = calling(called(1, 0, "reconcilable"));
const runningCall = [...calling(called(1, 0)), started("c1_0")];

const openRows: readonly OpenRow[] = [
  { name: "a request", named: askingWithSandbox(), intent: model(), later: [running], open: true },
  {
    name: "a request that ended",
    named: askingWithSandbox(),
    intent: model(),
    later: [lost(1)],
    open: false,
  },
  {
    name: "a request that was asked again by another driver",
    named: askingWithSandbox(),
    intent: model(),
    later: [lost(1), asked(2, { epoch: 2 })],
    open: false,
  },
  { name: "a run", named: runningCall, intent: exec("c1_0"), later: [], open: true },
  {
    name: "a run whose sandbox is lost",
    named: runningCall,
    intent: exec("c1_0"),
    later: [sandboxLost()],
    open: true,
  },
  {
    name: "a run with a receipt",
    named: runningCall,
    intent: exec("c1_0"),
    later: [result("c1_0")],
    open: false,
  },
  { name: "a run in doubt", named: runningCall, intent: exec("c1_0"), later: [inDoubt("c1_0")], open: false },
  {
    name: "a run after which there is another",
    named: runningCall,
    intent: exec("c1_0"),
    later: [inDoubt("c1_0"), started("c1_0", 2)],
    open: false,
  },
  { name: "a look", named: writing, intent: prepare("c1_0"), later: [], open: true },
  {
    name: "a look that was had",
    named: writing,
    intent: prepare("c1_0"),
    later: [prepared("c1_0", null, "n")],
    open: false,
  },
  {
    name: "a look at a call that was answered",
    named: writing,
    intent: prepare("c1_0"),
    later: [result("c1_0", 0)],
    open: false,
  },
  {
    name: "a look from before a run",
    named: writing,
    intent: prepare("c1_0"),
    later: [prepared("c1_0", null, "n"), started("c1_0"), inDoubt("c1_0")],
    open: false,
  },
  { name: "a kill", named: runningCall, intent: kill("c1_0"), later: [result("c1_0")], open: true },
  { name: "a making", named: asking(), intent: provision(), later: [], open: true },
  {
    name: "a making that is done",
    named: asking(),
    intent: provision(),
    later: [sandboxReady()],
    open: false,
  },
  { name: "a making that failed", named: asking(), intent: provision(), later: [sandboxLost()], open: false },
  {
    name: "a making that failed and is tried again",
    named: asking(),
    intent: provision(),
    later: [sandboxLost(), sandboxRequested()],
    open: false,
  },
  {
    name: "a making that is no longer wanted",
    named: asking(),
    intent: provision(),
    later: [destroyRequested()],
    open: false,
  },
  {
    name: "a removal",
    named: [...askingWithSandbox(), destroyRequested()],
    intent: destroy(),
    later: [],
    open: true,
  },
  {
    name: "a removal that is done",
    named: [...askingWithSandbox(), destroyRequested()],
    intent: destroy(),
    later: [destroyed()],
    open: false,
  },
];

describe("what came of an intent is wanted as long as the log waits for it", () => {
  test.each(openRows)("$name: $open", ({ named, intent, later, open }) => {
    expect(isOpen(stateOf(...named, ...later), intent(stateOf(...named)))).toBe(open);
  });
});
