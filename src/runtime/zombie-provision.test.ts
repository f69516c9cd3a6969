import { expect, test } from "vitest";
import { said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { World } from "../../test/support/world.ts";

test("a driver that stood still before it provisioned asks first whether it still may", async () => {
  const world = new World({
    script: { turns: [{ text: "one" }, { text: "two" }, { text: "three" }] },
    snapshotEvents: 1,
  });
  const checked = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  // Frozen: it hears nothing of the log and of its lease, until long after the check of the log has ended.
  const frozen = intercept(world.store, {
    getEvents: (getEvents) => async (id, range) => {
      if (range.limit === 1000) await thawed.promise;
      else if (range.limit < 100 && range.types === undefined) await checked.promise;
      return getEvents(id, range);
    },
    renew: (renew) => async (lease, ttlMs) => {
      await thawed.promise;
      return renew(lease, ttlMs);
    },
  });
  const id = await world.create({ policy: { sandbox_grace_ms: 0 } });
  await world.clock.until(world.wake(id));
  await world.send(id, said("more"));
  const zombie = world.wake(id, {}, world.harness("zombie", frozen));
  await settled();
  world.dead.add("zombie");
  await world.clock.until(world.wake(id, {}, world.harness("heir")));
  await world.clock.pass(9000);
  expect(world.sandboxes.alive).toBe(0);
  const before = world.sandboxes.asked.length;
  checked.resolve();
  await settled();
  expect(world.sandboxes.asked.slice(before)).toEqual([]);
  thawed.resolve();
  expect(await world.clock.until(zombie)).toMatchObject({ status: "fenced" });
  expect(world.sandboxes.alive).toBe(0);
});
