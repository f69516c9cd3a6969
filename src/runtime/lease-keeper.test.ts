import { describe, expect, test } from "vitest";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { ownerOf, World } from "../../test/support/world.ts";
import { NightshiftError } from "../core/errors.ts";
import type { Store } from "../store/contract.ts";
import { LeaseKeeper } from "./lease-keeper.ts";

const TTL_MS = 10_000;

/** A keeper on a lease of its own, and what it told. */
async function keeping(world: World, store: Store = world.store) {
  const id = await world.create();
  const claim = await store.claim(id, { owner: ownerOf("h"), ttlMs: TTL_MS, at: world.clock.wallMs() });
  if (claim.status !== "claimed") throw new Error("held");
  const told: unknown[] = [];
  const keeper = new LeaseKeeper({ store, lease: claim.lease, clock: world.clock, ttlMs: TTL_MS });
  keeper.start();
  keeper.listen({
    onLost: () => told.push("lost"),
    onSuspended: (gapMs) => told.push(gapMs),
    onFailed: (error) => told.push(error),
  });
  return { id, keeper, told };
}

const steal = (world: World, id: Awaited<ReturnType<World["create"]>>) => {
  world.dead.add("h");
  return world.store.claim(id, { owner: ownerOf("thief"), ttlMs: TTL_MS, at: world.clock.wallMs() });
};

describe("a lease keeper", () => {
  test("keeps the lease for as long as it runs", async () => {
    const world = new World();
    const { id, keeper, told } = await keeping(world);
    await world.clock.pass(100_000);
    expect((await world.store.getSession(id))?.held).toBe(true);
    expect(keeper.isFresh()).toBe(true);
    await keeper.stop();
    expect(world.clock.sleepers).toBe(0);
    await world.clock.pass(TTL_MS + 1);
    expect((await world.store.getSession(id))?.held).toBe(false);
    expect(told).toEqual([]);
  });

  test("tells once that the lease is lost, and stops", async () => {
    const world = new World();
    const { id, keeper, told } = await keeping(world);
    await steal(world, id);
    await world.clock.pass(TTL_MS);
    expect(told).toEqual(["lost"]);
    expect(world.clock.sleepers).toBe(0);
    await keeper.stop();
  });

  test("tells a listener that comes late what it has missed", async () => {
    const world = new World();
    const { id } = await keeping(world);
    await steal(world, id);
    const claim = await world.store.getSession(id);
    const keeper = new LeaseKeeper({
      store: world.store,
      lease: { sessionId: id, epoch: (claim?.epoch ?? 0) - 1 },
      clock: world.clock,
      ttlMs: TTL_MS,
    });
    keeper.start();
    await world.clock.pass(TTL_MS);
    const told: string[] = [];
    keeper.listen({
      onLost: () => told.push("lost"),
      onSuspended: () => undefined,
      onFailed: () => undefined,
    });
    expect(told).toEqual(["lost"]);
    await keeper.stop();
  });

  test("is not fresh when a renewal is overdue, and is again after one", async () => {
    const world = new World({
      store: (store) =>
        intercept(store, {
          renew: (renew) => async (lease, ttlMs) => {
            if (world.clock.monotonicMs() < 9000)
              throw new NightshiftError("E_STORE_BUSY", "busy", { retryable: true });
            return renew(lease, ttlMs);
          },
        }),
    });
    const { keeper, told } = await keeping(world);
    await world.clock.pass(8500);
    expect(keeper.isFresh()).toBe(false);
    await world.clock.pass(500);
    expect(await keeper.renew()).toBe(true);
    expect(keeper.isFresh()).toBe(true);
    expect(told).toEqual([]);
    await keeper.stop();
  });

  test("counts freshness from before the lease was claimed", async () => {
    const world = new World();
    const { id } = await keeping(world);
    const keeper = new LeaseKeeper({
      store: world.store,
      lease: { sessionId: id, epoch: 1 },
      clock: world.clock,
      ttlMs: TTL_MS,
      claimedMs: world.clock.monotonicMs() - 9000,
    });
    expect(keeper.isFresh()).toBe(false);
  });

  test("tells when the store cannot renew at all", async () => {
    const failure = new NightshiftError("E_STORE_CLOSED", "closed");
    const world = new World({
      store: (store) => intercept(store, { renew: () => () => Promise.reject(failure) }),
    });
    const { keeper, told } = await keeping(world);
    await world.clock.pass(TTL_MS);
    expect(told).toEqual([failure]);
    await keeper.stop();
  });

  test("notices a sleep of the machine, not a busy one", async () => {
    const world = new World();
    const { keeper, told } = await keeping(world);
    world.clock.suspend(9000);
    await world.clock.pass(TTL_MS);
    expect(told).toEqual([]);
    world.clock.suspend(60_000);
    await world.clock.pass(TTL_MS);
    expect(told).toEqual([60_000]);
    await keeper.stop();
  });
});

describe("a log that takes long to read", () => {
  test("does not cost the lease: it is kept meanwhile", async () => {
    const world: World = new World({
      script: { turns: [{ text: "Done." }] },
      store: (store) =>
        intercept(store, {
          getEvents: (getEvents) => async (id, range) => {
            if (world.slow) await world.clock.sleep(30_000);
            return getEvents(id, range);
          },
        }),
    });
    const id = await world.create({ tools: [] });
    world.slow = true;
    const driven = world.wake(id);
    await world.clock.pass(25_000);
    expect(await world.wake(id, {}, world.harness("other"))).toMatchObject({ status: "held" });
    expect(await world.clock.until(driven)).toMatchObject({ status: "left", state: { phase: "idle" } });
    await settled();
    expect(world.clock.sleepers).toBe(0);
  });
});
