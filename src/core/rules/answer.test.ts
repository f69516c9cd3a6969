import { describe } from "vitest";
import {
  accepted,
  answered,
  asked,
  called,
  confirmed,
  created,
  destroyRequested,
  failedWith,
  idle,
  inDoubt,
  rescheduled,
  result,
  resume,
  running,
  SANDBOX,
  SESSION,
  START_MS,
  said,
  sandboxReady,
  sandboxRequested,
  setLimits,
  started,
  stop,
  THREAD,
  threadStart,
  type Variations,
  woke,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox, calling, PROFILE } from "../../../test/support/logs.ts";
import { decideTable } from "../../../test/support/steps.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

/** Messages accepted in an open thread: the next step is the request itself. */
const ready = (variations?: Variations): EventInput[] => [
  created(variations),
  said("go"),
  woke(),
  running,
  threadStart(),
  accepted(2),
];

const request = (more: Partial<EventBody<"span.model_request_start">> = {}): EventInput =>
  asked(1, {
    through_seq: 6,
    context_hash: "hash",
    reservation: { tokens: 1100, cost_micro_usd: 0 },
    ...more,
  });

const newThread = (more: Partial<EventBody<"session.thread_created">> = {}): EventInput =>
  event("session.thread_created", {
    session_thread_id: THREAD,
    agent_name: "tester",
    reason: "start",
    renderer: 1,
    system: "Be brief.",
    tools: ["shell", "write"].map((name) => ({ name, description: `runs ${name}`, input_schema: {} })),
    model: { provider: "scripted", id: "m", max_output_tokens: 1000 },
    from_seq: 2,
    ...more,
  });

describe("opening a turn, one decision at a time", () => {
  decideTable([
    { name: "an idle session says that it runs", log: [created(), said("go")], step: append(running) },
    {
      name: "then opens its first thread, from the oldest message that waits",
      log: [created(), said("go"), said("and on"), woke(), running],
      step: append(newThread()),
    },
    {
      name: "tools that this release lacks are left out of the thread",
      log: [created({ tools: ["shell", "unheard-of"] }), said("go"), woke(), running],
      step: append(newThread({ tools: [{ name: "shell", description: "runs shell", input_schema: {} }] })),
    },
    {
      name: "a thread whose renderer is gone is opened anew over the same events",
      log: [...ready()],
      now: { profile: { ...PROFILE, renderer: 2, renderers: [2] } },
      step: append(
        newThread({
          session_thread_id: `${THREAD.slice(0, -1)}1`,
          reason: "upgrade",
          renderer: 2,
        }),
      ),
    },
    {
      name: "then picks up all messages that wait",
      log: [created(), said("go"), said("and on"), woke(), running, threadStart()],
      step: append(accepted(2, 3)),
    },
    {
      name: "a thousand of them in one event",
      log: [created(), ...Array.from({ length: 1500 }, () => said("go")), woke(), running, threadStart()],
      step: append(accepted(...Array.from({ length: 1000 }, (_, index) => index + 2))),
    },
    {
      name: "then asks the model, and for a sandbox beside it",
      log: ready(),
      step: append(sandboxRequested(), request()),
    },
    {
      name: "no tools, no sandbox",
      log: ready({ tools: [] }),
      step: append(request()),
    },
    {
      name: "a sandbox that is there is not asked for again",
      log: [...askingWithSandbox(), answered(1), idle("end_turn"), said("more"), running, accepted(12)],
      step: append(asked(2, { through_seq: 14, context_hash: "hash" })),
    },
    {
      name: "a sandbox that is being removed is left to its end",
      log: [
        ...askingWithSandbox(),
        answered(1),
        idle("end_turn"),
        destroyRequested(),
        said("more"),
        running,
        accepted(13),
      ],
      step: append(asked(2, { through_seq: 15, context_hash: "hash" })),
    },
    {
      name: "all calls answered: the model gets the results",
      log: calling(called(1, 0), started("c1_0"), result("c1_0")),
      step: append(asked(2, { through_seq: 13, context_hash: "hash" })),
    },
    {
      name: "messages that came meanwhile go with them",
      log: calling(called(1, 0), said("faster"), started("c1_0"), result("c1_0")),
      step: append(accepted(12)),
    },
    {
      name: "the epoch of the lease is in the request",
      log: ready(),
      now: { epoch: 7 },
      step: append(sandboxRequested(), request({ epoch: 7 })),
    },
  ]);
});

const price = { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write: 3_750_000 };

describe("caps", () => {
  const exhausted = (body: EventBody<"budget.exhausted">): ReturnType<typeof append> =>
    append(
      event("budget.exhausted", body),
      event("session.status_idle", { stop_reason: { type: "budget_reached", cap: body.cap } }),
    );
  const spent = (variations: Variations): EventInput[] => [
    ...asking(variations),
    answered(1, { cost_micro_usd: 500 }),
    running,
    said("more"),
    accepted(11),
  ];
  decideTable([
    {
      name: "worst case: every input token at the dearest input price, every output token used",
      log: ready({ model: { price } }),
      step: append(
        sandboxRequested(),
        request({ reservation: { tokens: 1100, cost_micro_usd: 100 * 3.75 + 1000 * 15 } }),
      ),
    },
    {
      name: "fractions of a micro-dollar are rounded up",
      log: ready({ model: { price: { ...price, input: 0, cache_write: 0, output: 1500 } } }),
      step: append(sandboxRequested(), request({ reservation: { tokens: 1100, cost_micro_usd: 2 } })),
    },
    {
      name: "requests: the last one that is allowed starts",
      log: ready({ limits: { model_requests: 1 } }),
      step: append(sandboxRequested(), request()),
    },
    {
      name: "requests: the next one does not",
      log: spent({ limits: { model_requests: 1 } }),
      step: exhausted({ cap: "model_requests", limit: 1, used: 1, wanted: 1 }),
    },
    {
      name: "requests that failed count too",
      log: [...asking({ limits: { model_requests: 1 } }), failedWith(1, "network"), rescheduled(START_MS, 0)],
      step: exhausted({ cap: "model_requests", limit: 1, used: 1, wanted: 1 }),
    },
    {
      name: "tokens: exactly the cap is allowed",
      log: ready({ limits: { tokens: 1100 } }),
      step: append(sandboxRequested(), request()),
    },
    {
      name: "tokens: one more is not",
      log: ready({ limits: { tokens: 1099 } }),
      step: exhausted({ cap: "tokens", limit: 1099, used: 0, wanted: 1100 }),
    },
    {
      name: "tokens: the answer's usage has replaced its reservation",
      log: spent({ limits: { tokens: 1200 } }),
      step: exhausted({ cap: "tokens", limit: 1200, used: 110, wanted: 1100 }),
    },
    {
      name: "tokens: a request that never told its usage stays charged at its reservation",
      log: [...asking({ limits: { tokens: 2199 } }), failedWith(1, "network"), rescheduled(START_MS, 0)],
      step: exhausted({ cap: "tokens", limit: 2199, used: 1100, wanted: 1100 }),
    },
    {
      name: "cost",
      log: spent({ limits: { cost_micro_usd: 15_874 }, model: { price } }),
      step: exhausted({ cap: "cost_micro_usd", limit: 15_874, used: 500, wanted: 15_375 }),
    },
    {
      name: "cost: a cap that cannot be measured, for want of a price, counts as reached",
      log: ready({ limits: { cost_micro_usd: 5 } }),
      step: exhausted({ cap: "cost_micro_usd", limit: 5, used: 0, wanted: 6 }),
    },
    {
      name: "a session that reached a cap stays where it is",
      log: [...spent({ limits: { model_requests: 1 } }), idle("budget_reached")],
      now: { at: START_MS + 20_000 },
      step: { kind: "leave", due: START_MS + 12_000 + 60_000 },
    },
    {
      name: "raising the cap carries it on: running again",
      log: [
        ...spent({ limits: { model_requests: 1 } }),
        idle("budget_reached"),
        setLimits({ model_requests: 2 }),
      ],
      step: append(running),
    },
    {
      name: "and then asking",
      log: [
        ...spent({ limits: { model_requests: 1 } }),
        idle("budget_reached"),
        setLimits({ model_requests: 2 }),
        running,
      ],
      step: append(asked(2, { through_seq: 15, context_hash: "hash" })),
    },
    {
      name: "raising another cap does not help",
      log: [
        ...spent({ limits: { model_requests: 1 } }),
        idle("budget_reached"),
        setLimits({ tokens: 10_000 }),
        running,
      ],
      step: exhausted({ cap: "model_requests", limit: 1, used: 1, wanted: 1 }),
    },
  ]);
});

describe("what lifts a hold, and what goes on then", () => {
  const done = [...askingWithSandbox(), answered(1, { stop_reason: "tool_use" })];
  const heldBy = (reason: Parameters<typeof idle>[0], ...then: EventInput[]): EventInput[] => [
    ...askingWithSandbox(),
    failedWith(1, "network"),
    idle(reason),
    ...then,
  ];
  const leaves = { kind: "leave", due: START_MS + 10_000 + 60_000 } as const;
  decideTable([
    { name: "retries_exhausted holds", log: heldBy("retries_exhausted"), step: leaves },
    { name: "failed holds", log: heldBy("failed"), step: leaves },
    { name: "stalled holds", log: heldBy("stalled"), step: leaves },
    { name: "stopped holds", log: heldBy("stopped"), step: leaves },
    { name: "paused holds", log: heldBy("paused"), step: leaves },
    {
      name: "resume after retries_exhausted",
      log: heldBy("retries_exhausted", resume),
      step: append(running),
    },
    { name: "resume after failed", log: heldBy("failed", resume), step: append(running) },
    { name: "resume after stalled", log: heldBy("stalled", resume), step: append(running) },
    { name: "resume after stopped", log: heldBy("stopped", resume), step: append(running) },
    { name: "resume after paused", log: heldBy("paused", resume), step: append(running) },
    { name: "resume after budget_reached", log: heldBy("budget_reached", resume), step: append(running) },
    {
      name: "a message after retries_exhausted",
      log: heldBy("retries_exhausted", said("x")),
      step: append(running),
    },
    { name: "a message after failed", log: heldBy("failed", said("x")), step: append(running) },
    { name: "a message after stalled", log: heldBy("stalled", said("x")), step: append(running) },
    { name: "a message after stopped", log: heldBy("stopped", said("x")), step: append(running) },
    { name: "a message does not lift a pause", log: heldBy("paused", said("x")), step: leaves },
    {
      name: "raised caps do not lift a pause",
      log: heldBy("paused", setLimits({ tokens: 1 })),
      step: leaves,
    },
    {
      name: "a message does not answer an open question",
      log: [
        ...done,
        called(1, 0, "irreversible"),
        started("c1_0"),
        inDoubt("c1_0"),
        idle("requires_action"),
        said("x"),
      ],
      step: { kind: "leave", due: START_MS + 13_000 + 60_000 },
    },
    {
      name: "nor does resume",
      log: [
        ...done,
        called(1, 0, "irreversible"),
        started("c1_0"),
        inDoubt("c1_0"),
        idle("requires_action"),
        resume,
      ],
      step: { kind: "leave", due: START_MS + 13_000 + 60_000 },
    },
    {
      name: "a confirmation does, and the session runs again before the call does",
      log: [
        ...done,
        called(1, 0, "irreversible"),
        started("c1_0"),
        inDoubt("c1_0"),
        idle("requires_action"),
        confirmed("c1_0", "allow"),
      ],
      step: append(running),
    },
    {
      name: "calls that a pause left over run after the session runs again",
      log: [...done, called(1, 0), idle("paused"), resume],
      step: append(running),
    },
    {
      name: "a stop, then a message: the model hears both the results and the message",
      log: [...done, called(1, 0), stop, result("c1_0", 0), idle("stopped"), said("else"), running],
      step: append(accepted(15)),
    },
  ]);
});

describe("ids follow from the session", () => {
  decideTable([
    {
      name: "the second sandbox",
      log: [
        ...asking(),
        answered(1),
        idle("end_turn"),
        destroyRequested(),
        event("sandbox.destroyed", { sandbox: SANDBOX }),
        said("x"),
        running,
        accepted(13),
      ],
      step: append(
        sandboxRequested(`sbox_${SESSION.slice(5)}_1`),
        asked(2, { through_seq: 15, context_hash: "hash" }),
      ),
    },
    {
      name: "a sandbox that was got ready for another incarnation is the same",
      log: [...askingWithSandbox(), sandboxReady("i2"), answered(1), said("x"), accepted(12)],
      step: append(asked(2, { through_seq: 13, context_hash: "hash" })),
    },
  ]);
});
