import { describe, expect, test } from "vitest";
import { said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, ownerOf, World } from "../../test/support/world.ts";
import { NightshiftError } from "../core/errors.ts";
import type { SessionId } from "../core/ids.ts";
import { type EngineOptions, runEngine } from "./engine.ts";
import type { WakeResult } from "./wake.ts";

/** An engine that is running, and what it told. */
interface Running {
  readonly woken: (readonly [SessionId, WakeResult["status"]])[];
  readonly failures: unknown[];
  end(): Promise<void>;
}

function start(world: World, options: Partial<EngineOptions> = {}): Running {
  const controller = new AbortController();
  const woken: Running["woken"] = [];
  const failures: unknown[] = [];
  const done = runEngine(
    world.harness("engine"),
    {
      concurrency: 8,
      onWoken: (id, { status }) => woken.push([id, status]),
      onFailure: (_id, error) => failures.push(error),
      ...options,
    },
    controller.signal,
  );
  return {
    woken,
    failures,
    end: async () => {
      controller.abort();
      await world.clock.until(done);
    },
  };
}

const isIdle = async (world: World, id: SessionId): Promise<boolean> =>
  bodiesOf(await world.log(id), "session.status_idle").length > 0;

describe("an engine", () => {
  test("wakes what is due, and what becomes due by a message", async () => {
    const world = new World({ script: { turns: [{ text: "one" }, { text: "two" }] } });
    const id = await world.create({ tools: [] });
    const engine = start(world);
    await settled();
    expect(engine.woken).toEqual([[id, "left"]]);
    await world.send(id, said("more"));
    await settled();
    expect(engine.woken).toEqual([
      [id, "left"],
      [id, "left"],
    ]);
    expect(world.scripted.requestCount).toBe(2);
    await engine.end();
    expect(world.clock.sleepers).toBe(0);
  });

  test("leaves a session in a long back-off alone, and comes back when it is due", async () => {
    const world = new World({
      script: {
        turns: [
          { fail: [{ kind: "status", status: 429, headers: { "retry-after": "3600" } }], text: "at last" },
        ],
      },
    });
    const id = await world.create({ tools: [] });
    const engine = start(world);
    await settled();
    expect(engine.woken).toEqual([[id, "left"]]);
    expect(await world.store.getSession(id)).toMatchObject({
      owner: null,
      due: world.clock.wallMs() + 3_600_000,
    });
    await world.clock.pass(3_599_000);
    expect(world.scripted.requestCount).toBe(1);
    await world.clock.pass(1000);
    expect(world.scripted.requestCount).toBe(2);
    expect(await isIdle(world, id)).toBe(true);
    await engine.end();
    checkLog(await world.log(id));
  });

  test("waits in place through a short back-off", async () => {
    const world = new World({ script: { turns: [{ fail: [{ kind: "reset" }], text: "at last" }] } });
    const id = await world.create({ tools: [] });
    const engine = start(world);
    await world.clock.untilTrue(() => world.scripted.requestCount === 2);
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(750);
    await settled();
    expect(engine.woken).toEqual([[id, "left"]]);
    await engine.end();
  });

  test("removes the sandbox of a session that rests, when its grace ends", async () => {
    const world = new World({ script: { turns: [{ text: "done" }] } });
    await world.create();
    const engine = start(world);
    await world.clock.pass(59_000);
    expect(world.sandboxes.alive).toBe(1);
    await world.clock.pass(2000);
    expect(world.sandboxes.alive).toBe(0);
    await engine.end();
  });

  test("takes over from a harness that died without a word, once its lease has expired", async () => {
    const world = new World({ script: { turns: [{ text: "done" }] } });
    const id = await world.create({ tools: [] });
    await world.store.claim(id, { owner: ownerOf("dead"), ttlMs: 10_000, at: world.clock.wallMs() });
    const engine = start(world);
    await world.clock.pass(9000);
    expect(engine.woken).toEqual([]);
    await world.clock.pass(1500);
    expect(engine.woken).toEqual([[id, "left"]]);
    await engine.end();
  });

  test("gives all leases back when it ends, and the sessions stay due", async () => {
    const world = new World({ script: { turns: [{ text: "slow", delay_ms: 60_000 }] } });
    const ids = await Promise.all([1, 2, 3].map(() => world.create({ tools: [] })));
    const engine = start(world);
    await settled();
    await engine.end();
    expect(engine.woken.map(([, status]) => status)).toEqual(["stopped", "stopped", "stopped"]);
    for (const id of ids)
      expect(await world.store.getSession(id)).toMatchObject({ owner: null, due: world.clock.wallMs() });
    expect(world.clock.sleepers).toBe(0);
  });
});

describe("many sessions", () => {
  test("64 sessions end, each with its own answers", async () => {
    const world = new World({
      script: ({ messages }) =>
        messages.length < 4
          ? {
              tools: [{ name: "bash", input: { command: `echo ${JSON.stringify(messages[0])}` } }],
              delay_ms: 10,
            }
          : { text: "Done." },
    });
    const ids = await Promise.all(
      Array.from({ length: 64 }, (_, index) => world.create({}, said(`task-${index}`))),
    );
    const engine = start(world, { concurrency: 64 });
    await world.clock.untilTrue(() => engine.woken.length >= 64);
    for (const [index, id] of ids.entries()) {
      const log = await world.log(id);
      checkLog(log);
      expect(bodiesOf(log, "session.status_idle")).toEqual([{ stop_reason: { type: "end_turn" } }]);
      for (const { content } of bodiesOf(log, "agent.tool_result"))
        expect(content[0]?.text).toContain(`task-${index}"`);
    }
    await engine.end();
  });

  test("no more at once than it may", async () => {
    const world = new World({ script: { turns: [{ text: "slow", delay_ms: 1000 }] } });
    await Promise.all(Array.from({ length: 10 }, () => world.create({ tools: [] })));
    const engine = start(world, { concurrency: 3 });
    await settled();
    expect(world.scripted.requestCount).toBe(3);
    await world.clock.pass(1500);
    expect(world.scripted.requestCount).toBe(6);
    await world.clock.untilTrue(() => engine.woken.length === 10);
    await engine.end();
  });

  test("its own are found among hundreds that are due and nobody drives", async () => {
    const world = new World({ script: { turns: [{ text: "mine" }] } });
    for (let index = 0; index < 300; index++) await world.create({ tools: [] });
    const mine = await world.create({ tools: [] });
    const engine = start(world, { only: new Set([mine]) });
    await world.clock.pass(1000);
    expect(engine.woken).toEqual([[mine, "left"]]);
    await engine.end();
  });
});

describe("trouble", () => {
  test("a session that cannot be woken is not tried in a circle, and the others go on", async () => {
    let claims = 0;
    let poisoned = "";
    const world = new World({
      script: { turns: [{ text: "done" }] },
      store: (store) =>
        intercept(store, {
          claim: (claim) => async (id, request) => {
            if (id !== poisoned) return claim(id, request);
            claims += 1;
            throw new NightshiftError("E_LOG_LOST", "acknowledged events are missing");
          },
        }),
    });
    poisoned = await world.create({ tools: [] });
    const well = await world.create({ tools: [] });
    const engine = start(world, { concurrency: 1 });
    await world.clock.pass(10_000);
    expect(engine.woken).toEqual([[well, "left"]]);
    expect(claims).toBeGreaterThan(0);
    expect(claims).toBeLessThan(20);
    expect(engine.failures).toHaveLength(claims);
    await engine.end();
  });

  test("a store that is busy for a moment does not end it", async () => {
    let busy = 3;
    const world = new World({
      script: { turns: [{ text: "done" }] },
      store: (store) =>
        intercept(store, {
          listDue: (listDue) => async (query) => {
            if (busy-- > 0) throw new NightshiftError("E_STORE_BUSY", "busy", { retryable: true });
            return listDue(query);
          },
        }),
    });
    await world.create({ tools: [] });
    const engine = start(world);
    await world.clock.pass(10_000);
    expect(engine.woken).toHaveLength(1);
    await engine.end();
  });

  test("a store that is broken does", async () => {
    const world = new World({
      store: (store) =>
        intercept(store, {
          listDue: () => async () => {
            throw new NightshiftError("E_STORE_CLOSED", "closed");
          },
        }),
    });
    const signal = new AbortController().signal;
    const engine = runEngine(world.harness(), { concurrency: 1 }, signal);
    await expect(world.clock.until(engine)).rejects.toMatchObject({ code: "E_STORE_CLOSED" });
  });
});
