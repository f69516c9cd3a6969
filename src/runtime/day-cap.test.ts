/** A cap on what all sessions of a store spend in a day: the real driver, journal and store under a clock of ours. */
import { describe, expect, test } from "vitest";
import type { Variations } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, ownerOf, World, type WorldParts } from "../../test/support/world.ts";
import { dayOf, nextDayAfter } from "../core/budget/day.ts";
import { NightshiftError } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import { charged } from "../core/reduce/budget.ts";
import type { Exhausted, Wanted } from "../core/rules/budget.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import type { RequestWish } from "../gateway/model/contract.ts";
import type { AppendBatch } from "../store/contract.ts";
import type { DayCaps } from "./day-tally.ts";
import { createGatewayMeter } from "./gateway-meter.ts";
import { Journal, type Receipt } from "./journal.ts";
import { loadSession, loadState } from "./load.ts";

const PRICE = { input: 1_000_000, output: 1_000_000, cache_read: 1_000_000, cache_write: 1_000_000 };
const SESSION = { model: { price: PRICE }, tools: [] };
const SAYS_SO = { script: { turns: [{ text: "Done." }, { text: "Done again." }, { text: "And again." }] } };

/** Thinks for a minute. */
const SLOW = { script: { turns: [{ text: "Done.", delay_ms: 60_000 }] } };

/** What a session costs at the most while it works, and in the end. */
async function prices(): Promise<{ readonly reserved: number; readonly cost: number }> {
  const world = new World(SAYS_SO);
  const id = await world.create(SESSION);
  await world.clock.until(world.wake(id));
  const [start] = bodiesOf(await world.log(id), "span.model_request_start");
  const cost = charged(await loadState(world.store, id)).costMicroUsd;
  return { reserved: start?.reservation.cost_micro_usd ?? 0, cost };
}

function capped(limit: number, parts: WorldParts = {}): World {
  return new World({ ...SAYS_SO, ...parts, dayCaps: { cost_micro_usd: limit } });
}

async function costToday(world: World, at = world.clock.wallMs()): Promise<number> {
  return (await world.store.getDaySpending(dayOf(at))).costMicroUsd;
}

async function costOf(world: World, id: SessionId): Promise<number> {
  return charged(await loadState(world.store, id)).costMicroUsd;
}

describe("a cap on the cost of a day", () => {
  test("parks the session that it has no room for, until midnight, and counts the next day anew", async () => {
    const { reserved, cost } = await prices();
    expect(reserved).toBeGreaterThan(cost);
    const world = capped(reserved + cost - 1);
    const [first, second] = [await world.create(SESSION), await world.create(SESSION)];
    const today = world.clock.wallMs();
    expect(await world.clock.until(world.wake(first))).toMatchObject({ status: "left", due: null });
    expect(await costToday(world)).toBe(cost);
    const midnight = nextDayAfter(today);
    expect(await world.clock.until(world.wake(second))).toMatchObject({
      status: "left",
      due: midnight,
      state: { hold: "budget_reached", stopReason: { cap: "day.cost_micro_usd", resume_at: midnight } },
    });
    expect(bodiesOf(await world.log(second), "budget.exhausted")).toEqual([
      { cap: "day.cost_micro_usd", limit: reserved + cost - 1, used: cost, wanted: reserved },
    ]);
    expect(world.scripted.requestCount).toBe(1);
    world.clock.jumpWall(midnight - world.clock.wallMs());
    expect(await world.clock.until(world.wake(second))).toMatchObject({
      state: { hold: null, stopReason: { type: "end_turn" } },
    });
    expect([await costToday(world, today), await costToday(world)]).toEqual([cost, cost]);
    for (const id of [first, second]) checkLog(await world.log(id));
  });

  test("is exact when another session reserves between the look at the day and the append", async () => {
    const { reserved } = await prices();
    const limit = 2 * reserved - 1;
    let isOvertaken = false;
    const world: World = capped(limit, {
      store: (store) =>
        intercept(store, {
          append: (append) => async (lease, batch) => {
            const overtakes = !isOvertaken && batch.spending?.cap !== undefined;
            if (overtakes) {
              isOvertaken = true;
              await charge(world, other, reserved);
            }
            return append(lease, batch);
          },
        }),
    });
    const [id, other] = [await world.create(SESSION), await world.create(SESSION)];
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "budget_reached", cap: "day.cost_micro_usd" } },
    });
    expect([isOvertaken, world.scripted.requestCount, await costToday(world)]).toEqual([true, 0, reserved]);
    // What the other has not needed makes room again.
    await charge(world, other, -reserved);
    await world.send(id, event("control.resume", {}));
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    checkLog(await world.log(id));
  });

  test("counts a batch whose reply was lost once, and keeps what a dead driver has reserved", async () => {
    const { reserved, cost } = await prices();
    let losses = 0;
    const world = capped(10 * reserved, {
      ...SLOW,
      store: (store) =>
        intercept(store, {
          append: (append) => async (lease, batch) => {
            const result = await append(lease, batch);
            if (batch.spending !== undefined && losses++ === 0)
              throw new NightshiftError("E_STORE_IO", "lost", { retryable: true });
            return result;
          },
        }),
    });
    const id = await world.create(SESSION);
    const dying = world.wake(id);
    await world.clock.untilTrue(() => world.scripted.requestCount === 1);
    expect([losses, await costToday(world)]).toEqual([2, reserved]);
    world.dead.add("harness-1");
    const successor = world.wake(id, {}, world.harness("harness-2"));
    await world.clock.untilTrue(() => world.scripted.requestCount === 2);
    expect(await costToday(world)).toBe(2 * reserved);
    expect(await world.clock.until(successor)).toMatchObject({ state: { stopReason: { type: "end_turn" } } });
    expect(await world.clock.until(dying)).toMatchObject({ status: "fenced" });
    expect(await costToday(world)).toBe(reserved + cost);
    expect(await costOf(world, id)).toBe(reserved + cost);
  });

  test("a request that is answered after midnight stays charged to the day that let it through", async () => {
    const { reserved } = await prices();
    const world = capped(10 * reserved, SLOW);
    const [id, other] = [await world.create(SESSION), await world.create(SESSION)];
    const today = world.clock.wallMs();
    const waking = world.wake(id);
    await world.clock.untilTrue(() => world.scripted.requestCount === 1);
    expect(await costToday(world)).toBe(reserved);
    world.clock.jumpWall(nextDayAfter(today) - today);
    await charge(world, other, 50);
    await world.clock.until(waking);
    expect([await costToday(world, today), await costToday(world)]).toEqual([reserved, 50]);
  });

  test("without one no day is read or charged", async () => {
    const batches: AppendBatch[] = [];
    let reads = 0;
    const world = new World({
      ...SAYS_SO,
      store: (store) =>
        intercept(store, {
          append: (append) => (lease, batch) => {
            batches.push(batch);
            return append(lease, batch);
          },
          getDaySpending: (read) => (day) => {
            reads += 1;
            return read(day);
          },
        }),
    });
    const id = await world.create(SESSION);
    await world.clock.until(world.wake(id));
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.filter((batch) => "spending" in batch)).toEqual([]);
    expect(reads).toBe(0);
  });
});

/** Of 1,000 micro-dollars at the most. */
const WISH: RequestWish = {
  wire: "anthropic",
  model: "m",
  askedModel: "m",
  isStreaming: false,
  bodyBytes: 88,
  maxOutputTokens: 400,
};
const COMMAND: Variations["command"] = {
  argv: ["agent"],
  prompt: "stdin",
  wall_ms: 60_000,
  quiet_ms: 10_000,
  fruitless_max: 3,
  gateway: { anthropic: { provider: "anthropic" }, forced: true },
};

describe("what is reserved beside the agent's own requests", () => {
  test("a program's request that the day has no room for is refused, and the session is told once", async () => {
    const world = new World();
    const caps = { cost_micro_usd: 1600 };
    const [first, second] = [await meterOf(world, caps), await meterOf(world, caps)];
    expect(await first.meter.reserve(WISH)).toEqual({ status: "reserved", request: 1 });
    expect(await costToday(world)).toBe(1000);
    const refused = { status: "refused", message: expect.stringContaining("this day") };
    expect(await second.meter.reserve(WISH)).toEqual(refused);
    expect(await second.meter.reserve(WISH)).toEqual(refused);
    expect([first.exhausted, second.exhausted]).toEqual([0, 1]);
    const log = await world.log(second.id);
    expect(bodiesOf(log, "budget.exhausted")).toEqual([
      { cap: "day.cost_micro_usd", limit: 1600, used: 1000, wanted: 1000 },
    ]);
    expect(bodiesOf(log, "gateway.request_started")).toEqual([]);
    const usage = { inputTokens: 90, outputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0 };
    first.meter.settle({ request: 1, outcome: "answered", usage, durationMs: 1 });
    await first.journal.settle(0);
    expect([await costToday(world), await costOf(world, first.id)]).toEqual([100, 100]);
    expect(await second.meter.reserve(WISH)).toEqual({ status: "reserved", request: 1 });
  });

  test("a judge's request, too; facts that come with it are written all the same", async () => {
    const world = new World();
    const id = await world.create(SESSION);
    const { journal, commit } = await journalOf(world, id, { tokens: 1000 });
    const asking = (request: number, tokens: number) => {
      const reservation = { tokens, cost_micro_usd: 1 };
      const start = event("judge.request_start", {
        ...{ verdict: 1, criterion: "c", request, model: "m" },
        reservation,
      });
      return commit(start, { requests: 1, tokens, costMicroUsd: null });
    };
    await asking(1, 600);
    journal.note({ intent: null, events: [event("harness.suspended", { gap_ms: 7 })] });
    await expect(asking(2, 500)).rejects.toMatchObject({
      code: "E_CAP_REACHED",
      data: { exhausted: { cap: "day.tokens", limit: 1000, used: 600, wanted: 500 } },
    });
    const log = await world.log(id);
    expect(bodiesOf(log, "harness.suspended")).toEqual([{ gap_ms: 7 }]);
    expect(bodiesOf(log, "judge.request_start").map(({ request }) => request)).toEqual([1]);
    expect(await world.store.getDaySpending(dayOf(world.clock.wallMs()))).toMatchObject({ tokens: 600 });
  });
});

/** The meter of one attempt in a session of its own. */
async function meterOf(world: World, caps: DayCaps) {
  const id = await world.create({ ...SESSION, command: COMMAND });
  const { journal, commit, epoch } = await journalOf(world, id, caps);
  const parts = {
    ...{ id, journal, exhausted: 0 },
    meter: createGatewayMeter({
      ...{ attempt: 1, epoch, wallMs: () => world.clock.wallMs(), current: () => journal.state },
      ...{ onFact: commit, onReservation: commit },
      onFacts: (events) => journal.note({ intent: null, events }),
      onExhausted: () => {
        parts.exhausted += 1;
      },
    }),
  };
  return parts;
}

/** A journal by itself, with what a driver does for performers. */
async function journalOf(world: World, id: SessionId, dayCaps: DayCaps) {
  const { store, clock } = world;
  const claim = await store.claim(id, { owner: ownerOf("one"), ttlMs: 60_000, at: clock.wallMs() });
  if (claim.status !== "claimed") throw new Error("it is held");
  const { owner, redactor, version } = world.harness("one");
  const profile = { version, renderer: 1, renderers: [1], tools: new Map() };
  const parts = { store, lease: claim.lease, owner: owner.harness, clock, redactor, profile, dayCaps };
  const journal = new Journal(parts, await loadSession(store, id));
  const commit = async (fact: EventInput, wanted?: Wanted): Promise<Sequence> => {
    const { promise, resolve, reject } = Promise.withResolvers<Sequence>();
    const onRefused = (exhausted: Exhausted): void =>
      reject(new NightshiftError("E_CAP_REACHED", "no room", { data: { exhausted } }));
    const receipt: Receipt = { intent: null, events: [fact], onCommitted: ([seq = 0]) => resolve(seq) };
    journal.note(wanted === undefined ? receipt : { ...receipt, reserving: { wanted, onRefused } });
    await journal.settle(0);
    return promise;
  };
  return { journal, commit, epoch: claim.lease.epoch };
}

/** As a driver of that session would. */
async function charge(world: World, id: SessionId, costMicroUsd: number): Promise<void> {
  const claim = await world.store.claim(id, { owner: ownerOf("other"), ttlMs: 1, at: world.clock.wallMs() });
  if (claim.status !== "claimed") throw new Error("it is held");
  const at = world.clock.wallMs();
  const spending = { day: dayOf(at), delta: { requests: 1, tokens: 1, costMicroUsd } };
  const events = [seal(event("harness.suspended", { gap_ms: 1 }), NO_REDACTION)];
  const batch = { appendId: `charge ${costMicroUsd}`, at, events, spending };
  expect(await world.store.append(claim.lease, batch)).toMatchObject({ status: "appended" });
  await world.store.release(claim.lease, { seq: (await world.store.getSession(id))?.seq ?? 0, due: null });
}
