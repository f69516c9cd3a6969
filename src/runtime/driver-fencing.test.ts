import { describe, expect, test } from "vitest";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { checkLog } from "../../test/support/promises.ts";
import { World } from "../../test/support/world.ts";
import { NightshiftError } from "../core/errors.ts";
import type { Sandbox, SandboxBackend } from "../sandbox/contract.ts";
import type { Harness } from "./wake.ts";

type Call = { readonly name: string; readonly input: { readonly [key: string]: string } };
const bash = (command: string): Call => ({ name: "bash", input: { command } });

const held = (...commands: readonly Call[]): World => {
  const world = new World({ script: { turns: [{ tools: [...commands] }, { text: "Done." }] } });
  world.sandboxes.hold("door");
  return world;
};

describe("a lease that is lost", () => {
  test("ends the driver, which writes nothing more", async () => {
    const world = held(bash("wait door"));
    const id = await world.create();
    const zombie = world.wake(id, {}, world.harness("zombie"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("zombie");
    const claim = await world.store.claim(id, {
      owner: world.harness("heir").owner,
      ttlMs: 10_000,
      at: world.clock.wallMs(),
    });
    expect(claim.status).toBe("claimed");
    const before = await world.types(id);
    world.sandboxes.release("door");
    expect(await world.clock.until(zombie)).toMatchObject({ status: "fenced" });
    expect(await world.types(id)).toEqual(before);
    expect(world.clock.sleepers).toBe(0);
  });

  test("is noticed by the heartbeat, also when nothing happens", async () => {
    const world = held(bash("wait door"));
    const id = await world.create();
    const zombie = world.wake(id, {}, world.harness("zombie"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("zombie");
    await world.store.claim(id, {
      owner: world.harness("heir").owner,
      ttlMs: 10_000,
      at: world.clock.wallMs(),
    });
    const result = world.clock.until(zombie);
    expect(await result).toMatchObject({ status: "fenced" });
    expect(world.clock.monotonicMs()).toBeLessThan(10_000);
  });

  test("makes a zombie's commands stale once the heir has attached", async () => {
    const world = held(bash("wait door"));
    const id = await world.create();
    const zombie = world.wake(id, {}, world.harness("zombie"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("zombie");
    const heir = world.wake(id, {}, world.harness("heir"));
    await settled();
    world.sandboxes.release("door");
    expect(await world.clock.until(heir)).toMatchObject({ status: "left" });
    expect(await world.clock.until(zombie)).toMatchObject({ status: "fenced" });
    checkLog(await world.log(id));
  });
});

/** Two calls that end in the same moment: one with a result, the other because its sandbox has a newer driver. */
function endingTogether(world: World, gate: Promise<void>, onRun: () => void): Harness {
  const harness = world.harness("zombie");
  const attach: SandboxBackend["attach"] = async (handle, epoch, signal) => {
    const sandbox = await world.sandboxes.attach(handle, epoch, signal);
    const execute: Sandbox["execute"] = async ({ execId }) => {
      onRun();
      await gate;
      if (execId.includes("c1_1"))
        throw new NightshiftError("E_SANDBOX_STALE", "a newer harness has attached");
      const result = { ending: "exited", exitCode: 0, output: "", droppedBytes: 0, durationMs: 0 } as const;
      return { status: "finished", result };
    };
    return intercept(sandbox, { execute: () => execute });
  };
  const resolve: Harness["resolve"] = async (...asked) => ({
    ...(await harness.resolve(...asked)),
    backend: intercept<SandboxBackend>(world.sandboxes, { attach: () => attach }),
  });
  return { ...harness, resolve };
}

describe("a zombie with something to say", () => {
  test("is fenced as well when its sandbox tells it first", async () => {
    const world = held(bash("wait door"), bash("wait door"));
    const id = await world.create();
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const zombie = world.wake(
      id,
      {},
      endingTogether(world, gate.promise, () => (runs += 1)),
    );
    await world.clock.untilTrue(() => runs === 2);
    world.dead.add("zombie");
    const { owner } = world.harness("heir");
    await world.store.claim(id, { owner, ttlMs: 10_000, at: world.clock.wallMs() });
    const before = await world.types(id);
    gate.resolve();
    expect(await world.clock.until(zombie)).toMatchObject({ status: "fenced" });
    expect(await world.types(id)).toEqual(before);
  });
});
