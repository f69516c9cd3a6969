import { describe, expect, test } from "vitest";
import { said } from "../../test/support/events.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { checkLog } from "../../test/support/promises.ts";
import { World } from "../../test/support/world.ts";
import type { SessionId } from "../core/ids.ts";
import { type EngineOptions, runEngine } from "./engine.ts";

const HOUR_MS = 3_600_000;

/** Its first request may be repeated in five minutes. */
const limited = (): World =>
  new World({
    script: {
      turns: [
        { fail: [{ kind: "status", status: 429, headers: { "retry-after": "300" } }], text: "at last" },
      ],
    },
  });

interface Running {
  readonly woken: SessionId[];
  end(): Promise<void>;
}

function start(world: World, options: Partial<EngineOptions> = {}): Running {
  const controller = new AbortController();
  const woken: SessionId[] = [];
  const onWoken = (id: SessionId) => woken.push(id);
  const done = runEngine(world.harness("engine"), { concurrency: 8, onWoken, ...options }, controller.signal);
  const end = async (): Promise<void> => {
    controller.abort();
    await world.clock.until(done);
  };
  return { woken, end };
}

describe("a calendar that is set back by hours does not delay by hours", () => {
  test.each([
    ["a back-off", undefined],
    ["one of the only session that is looked after", "only"],
  ])("%s", async (_name, only) => {
    const world = limited();
    const id = await world.create({ tools: [] });
    const engine = start(world, only === undefined ? {} : { only: new Set([id]) });
    await settled();
    expect(engine.woken).toEqual([id]);
    world.clock.jumpWall(-5 * HOUR_MS);
    await world.clock.pass(300_000);
    expect(world.scripted.requestCount).toBe(2);
    await world.clock.pass(2 * HOUR_MS);
    expect(engine.woken).toEqual([id, id]);
    await engine.end();
    checkLog(await world.log(id));
  });

  test("the end of a sandbox's grace", async () => {
    const world = new World({ script: { turns: [{ text: "Done." }] } });
    await world.create();
    const engine = start(world);
    await settled();
    expect(world.sandboxes.alive).toBe(1);
    world.clock.jumpWall(-5 * HOUR_MS);
    await world.clock.pass(61_000);
    expect(world.sandboxes.alive).toBe(0);
    await engine.end();
  });

  test("what was due when no engine ran", async () => {
    const world = limited();
    const backingOff = await world.create({ tools: [] });
    await world.clock.until(world.wake(backingOff));
    const sent = await world.create({ tools: [] }, said("hello"));
    world.clock.jumpWall(-5 * HOUR_MS);
    const engine = start(world);
    await world.clock.pass(1000);
    expect(engine.woken.toSorted()).toEqual([backingOff, sent].toSorted());
    await engine.end();
  });

  test("nor does it wake in a circle what still has to wait", async () => {
    const world = limited();
    const id = await world.create({ tools: [] });
    await world.clock.until(world.wake(id));
    await world.send(id, said("meanwhile"));
    world.clock.jumpWall(-1);
    const engine = start(world);
    world.clock.jumpWall(-2000);
    await world.clock.pass(120_000);
    expect(engine.woken.length).toBeLessThan(4);
    await engine.end();
  });

  test("a calendar that goes forward, or is corrected a little, wakes nothing", async () => {
    const world = limited();
    const id = await world.create({ tools: [] });
    const engine = start(world);
    await settled();
    world.clock.jumpWall(-500);
    await world.clock.pass(70_000);
    world.clock.jumpWall(10_000);
    await world.clock.pass(70_000);
    expect(engine.woken).toEqual([id]);
    await engine.end();
  });
});
