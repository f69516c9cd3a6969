import { describe, expect, test } from "vitest";
import { said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { checkLog } from "../../test/support/promises.ts";
import { ownerOf, World } from "../../test/support/world.ts";
import { NightshiftError } from "../core/errors.ts";
import type { ClientEventInput } from "../core/events/index.ts";
import type { Store } from "../store/contract.ts";
import { sendEvents } from "./client.ts";

const lost = (): NightshiftError => new NightshiftError("E_STORE_IO", "lost", { retryable: true });

/** The first replies to `release` get lost, before or after it has happened. */
function losing(
  when: "before" | "after",
  meanwhile?: (store: Store, world: World) => Promise<unknown>,
): World {
  let losses = 0;
  const world: World = new World({
    script: { turns: [{ text: "Done." }, { text: "Done again." }] },
    store: (store) =>
      intercept(store, {
        release: (release) => async (lease, to) => {
          if (losses++ > 0) return release(lease, to);
          if (when === "after") await release(lease, to);
          await meanwhile?.(store, world);
          throw lost();
        },
      }),
  });
  return world;
}

describe("a reply to the release that gets lost", () => {
  test.each(["before", "after"] as const)(
    "%s it has happened: the wake has left all the same",
    async (when) => {
      const world = losing(when);
      const id = await world.create({ tools: [] });
      expect(await world.clock.until(world.wake(id))).toMatchObject({
        status: "left",
        due: null,
        state: { stopReason: { type: "end_turn" } },
      });
      expect(await world.store.getSession(id)).toMatchObject({ owner: null, due: null });
    },
  );

  test("when told to stop, too", async () => {
    const world = losing("after");
    const id = await world.create({ tools: [] });
    const stopped = world.clock.until(world.wake(id, { signal: AbortSignal.abort() }));
    expect(await stopped).toMatchObject({ status: "stopped" });
  });

  test("keeps a message of that moment due", async () => {
    const world = losing("after", async (store, { client }) => {
      const [record] = await store.listSessions({ limit: 1 });
      await sendEvents({ ...client, store }, record!.sessionId, [said("and this") as ClientEventInput]);
    });
    const id = await world.create({ tools: [] });
    const since = world.clock.wallMs();
    expect(await world.clock.until(world.wake(id))).toMatchObject({ status: "left" });
    expect(await world.store.getSession(id)).toMatchObject({ owner: null, due: since });
  });

  test("is told from a lease that an heir has taken since", async () => {
    const world = losing("after", (store) =>
      store
        .listSessions({ limit: 1 })
        .then(([record]) =>
          store.claim(record!.sessionId, { owner: ownerOf("heir"), ttlMs: 10_000, at: world.clock.wallMs() }),
        ),
    );
    const id = await world.create({ tools: [] });
    expect(await world.clock.until(world.wake(id))).toMatchObject({ status: "fenced" });
    expect(await world.store.getSession(id)).toMatchObject({ epoch: 2, owner: { harness: "heir" } });
  });
});

describe("a sandbox that knows a higher epoch, while the lease is held", () => {
  const script = { turns: [{ tools: [{ name: "bash", input: { command: "echo x" } }] }, { text: "Done." }] };

  /** The sandbox has been attached to under an epoch that this log never gave: a copy of the folder, perhaps. */
  async function raised(world: World): Promise<Awaited<ReturnType<World["create"]>>> {
    world.sandboxes.hold("attach");
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.asked.includes("attach"));
    world.sandboxes.release("attach");
    await world.sandboxes.attach({ id: `sbox_${id.slice(5)}_0` }, 3, new AbortController().signal);
    expect(await world.clock.until(driven)).toMatchObject({ status: "stopped" });
    return id;
  }

  test("gives the lease back, and tries again a little later", async () => {
    const world = new World({ script });
    const id = await raised(world);
    expect(await world.store.getSession(id)).toMatchObject({
      owner: null,
      due: world.clock.wallMs() + 1000,
    });
  });

  test("goes on as soon as its own epoch is as high", async () => {
    const world = new World({ script });
    const id = await raised(world);
    expect(await world.clock.until(world.wake(id))).toMatchObject({ status: "stopped" });
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      status: "left",
      state: { stopReason: { type: "end_turn" } },
    });
    checkLog(await world.log(id));
  });
});
