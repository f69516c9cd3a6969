import { describe, expect, test } from "vitest";
import { said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, ownerOf, World } from "../../test/support/world.ts";
import type { Script } from "../model/scripted.ts";

const bash = (command: string): { readonly name: string; readonly input: { readonly command: string } } => ({
  name: "bash",
  input: { command },
});

/** One command, then a word. */
const short: Script = { turns: [{ text: "Looking.", tools: [bash("echo hello")] }, { text: "Done." }] };

describe("a wake", () => {
  test("carries a session through its script and leaves", async () => {
    const world = new World({ script: short });
    const id = await world.create();
    const result = await world.clock.until(world.wake(id));
    expect(result).toMatchObject({
      status: "left",
      state: { phase: "idle", stopReason: { type: "end_turn" } },
    });
    expect(await world.types(id)).toEqual([
      "session.created",
      "user.message",
      "harness.woke",
      "session.status_running",
      "session.thread_created",
      "harness.input_accepted",
      "sandbox.requested",
      "span.model_request_start",
      "sandbox.ready",
      "span.model_request_end",
      "agent.message",
      "agent.tool_use",
      "tool.started",
      "agent.tool_result",
      "span.model_request_start",
      "span.model_request_end",
      "agent.message",
      "session.status_idle",
    ]);
    expect([...world.sandboxes.ran.values()]).toEqual([1]);
    expect(world.scripted.requestCount).toBe(2);
    checkLog(await world.log(id));
  });

  test("leaves no timer behind, and the lease free", async () => {
    const world = new World({ script: short });
    const id = await world.create();
    await world.clock.until(world.wake(id));
    await settled();
    expect(world.clock.sleepers).toBe(0);
    expect(await world.store.getSession(id)).toMatchObject({ owner: null, held: false });
  });

  test("comes due again when the grace of its sandbox ends, and then removes it", async () => {
    const world = new World({ script: short });
    const id = await world.create();
    const result = await world.clock.until(world.wake(id));
    const due = result.status === "left" ? result.due : null;
    expect(due).toBe((await world.log(id)).at(-1)!.at + 60_000);
    expect((await world.store.getSession(id))?.due).toBe(due);
    await world.clock.pass(60_000);
    expect(await world.clock.until(world.wake(id))).toMatchObject({ status: "left", due: null });
    expect(world.sandboxes.alive).toBe(0);
    expect((await world.types(id)).slice(-3)).toEqual([
      "harness.woke",
      "sandbox.destroy_requested",
      "sandbox.destroyed",
    ]);
  });

  test("with nothing to do leaves no trace", async () => {
    const world = new World({ script: short });
    const id = await world.create({ tools: [] });
    await world.clock.until(world.wake(id));
    const before = await world.types(id);
    expect(await world.clock.until(world.wake(id))).toMatchObject({ status: "left", due: null });
    expect(await world.types(id)).toEqual(before);
  });

  test("of an unknown session says so", async () => {
    const world = new World();
    await expect(world.wake("sesn_99999999" as never)).rejects.toMatchObject({ code: "E_SESSION_UNKNOWN" });
  });
});

describe("two wakes at once", () => {
  test("one drives, the other is told who does", async () => {
    const world = new World({ script: { turns: [{ tools: [bash("wait door")] }] } });
    world.sandboxes.hold("door");
    const id = await world.create();
    const first = world.wake(id, {}, world.harness("first"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    expect(await world.wake(id, {}, world.harness("second"))).toMatchObject({
      status: "held",
      owner: ownerOf("first"),
    });
    world.sandboxes.release("door");
    expect(await world.clock.until(first)).toMatchObject({ status: "left" });
    expect(world.scripted.requestCount).toBe(2);
  });

  test("the second takes over at once when the first one's process is dead", async () => {
    const world = new World({ script: { turns: [{ tools: [bash("wait door")] }] } });
    world.sandboxes.hold("door");
    const id = await world.create();
    const zombie = world.wake(id, {}, world.harness("first"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("first");
    const second = world.wake(id, {}, world.harness("second"));
    await settled();
    world.sandboxes.release("door");
    expect(await world.clock.until(second)).toMatchObject({ status: "left", state: { phase: "idle" } });
    expect(await world.clock.until(zombie)).toMatchObject({ status: "fenced" });
    expect([...world.sandboxes.ran.values()]).toEqual([1]);
    const log = await world.log(id);
    checkLog(log);
    expect(bodiesOf(log, "harness.woke").map(({ owner }) => owner)).toEqual(["first", "second"]);
    expect(bodiesOf(log, "agent.tool_result")).toHaveLength(1);
  });
});

describe("messages", () => {
  test("that come while the model answers are in the next request", async () => {
    const world = new World({ script: { turns: [{ text: "one", delay_ms: 5000 }, { text: "two" }] } });
    const id = await world.create({ tools: [] });
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.scripted.requestCount === 1);
    await world.send(id, said("and this"));
    expect(await world.clock.until(driven)).toMatchObject({ status: "left", state: { queue: [] } });
    expect(world.scripted.requests[1]?.messages).toEqual([
      { role: "user", text: "go" },
      { role: "assistant", blocks: [{ type: "text", text: "one" }] },
      { role: "user", text: "and this" },
    ]);
  });

  test("that come in the instant when the driver leaves are picked up by it", async () => {
    let send: () => Promise<unknown> = async () => undefined;
    let isSent = false;
    const world = new World({
      script: { turns: [{ text: "one" }, { text: "two" }] },
      store: (store) =>
        intercept(store, {
          release: (release) => async (lease, to) => {
            if (!isSent) {
              isSent = true;
              await send();
            }
            return release(lease, to);
          },
        }),
    });
    const id = await world.create({ tools: [] });
    send = () => world.send(id, said("wait!"));
    const result = await world.clock.until(world.wake(id));
    expect(result).toMatchObject({ status: "left", due: null, state: { queue: [] } });
    expect(world.scripted.requestCount).toBe(2);
    expect(bodiesOf(await world.log(id), "harness.input_accepted")).toEqual([{ seqs: [2] }, { seqs: [11] }]);
  });

  test("that come right after the driver has left make the session due", async () => {
    const world = new World({ script: { turns: [{ text: "one" }, { text: "two" }] } });
    const id = await world.create({ tools: [] });
    await world.clock.until(world.wake(id));
    expect((await world.store.getSession(id))?.due).toBeNull();
    await world.send(id, said("more"));
    expect((await world.store.getSession(id))?.due).toBe(world.clock.wallMs());
  });
});
