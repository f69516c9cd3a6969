import { describe, expect, test } from "vitest";
import { interrupt, pause, resume, said, stop } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import { NightshiftError } from "../core/errors.ts";
import type { ClientEventInput } from "../core/events/index.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import type { ModelAdapter, ModelPart } from "../model/contract.ts";
import { ANSWER_BLOCKS_MAX } from "../worker/loop.ts";

type Call = { readonly name: string; readonly input: { readonly [key: string]: string } };
const bash = (command: string): Call => ({ name: "bash", input: { command } });
const write = (file_path: string, content: string): Call => ({
  name: "write",
  input: { file_path, content },
});

const held = (...commands: readonly Call[]): World => {
  const world = new World({ script: { turns: [{ tools: [...commands] }, { text: "Done." }] } });
  world.sandboxes.hold("door");
  return world;
};

describe("a person's word", () => {
  test("interrupt aborts the model's stream, in the log and in fact", async () => {
    let aborted = false;
    const silent: ModelAdapter = {
      provider: "silent",
      async *stream(_request, signal): AsyncGenerator<ModelPart> {
        yield { type: "started" };
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        aborted = true;
      },
    };
    const world = new World({ model: () => silent });
    const id = await world.create({ tools: [] });
    const driven = world.wake(id);
    await settled();
    await world.send(id, interrupt);
    const result = await world.clock.until(driven);
    expect(result).toMatchObject({
      status: "left",
      state: { phase: "idle", stopReason: { type: "end_turn" } },
    });
    expect(aborted).toBe(true);
    expect(bodiesOf(await world.log(id), "span.model_request_end")).toMatchObject([
      { outcome: "interrupted" },
    ]);
  });

  test("stop kills the tools that run and writes their receipts", async () => {
    const world = held(bash("wait door"), bash("wait door"), write("a", "x"));
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 2);
    await world.send(id, stop);
    const result = await world.clock.until(driven);
    expect(result).toMatchObject({ status: "left", state: { stopReason: { type: "stopped" } } });
    const log = await world.log(id);
    checkLog(log);
    expect(bodiesOf(log, "agent.tool_result").map(({ call, ending }) => [call, ending])).toEqual([
      ["c1_2", "cancelled"],
      ["c1_0", "cancelled"],
      ["c1_1", "cancelled"],
    ]);
    expect(world.sandboxes.files.size).toBe(0);
  });

  test("pause lets the tools finish; resume goes on with their results", async () => {
    const world = held(bash("wait door"));
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    await world.send(id, pause);
    await settled();
    world.sandboxes.release("door");
    expect(await world.clock.until(driven)).toMatchObject({ state: { hold: "paused" } });
    expect(world.scripted.requestCount).toBe(1);
    await world.send(id, resume);
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(world.scripted.requestCount).toBe(2);
    checkLog(await world.log(id));
  });

  test("a message that interrupts replaces the turn", async () => {
    const world = new World({
      script: ({ messages }) => ({ text: `answer to ${messages.length}`, delay_ms: 5000 }),
    });
    const id = await world.create({ tools: [], policy: { steering: "interrupt" } });
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.scripted.requestCount === 1);
    await world.send(id, said("no, that"));
    expect(await world.clock.until(driven)).toMatchObject({ status: "left" });
    expect(world.scripted.requests[1]?.messages).toEqual([
      { role: "user", text: "go" },
      { role: "user", text: "no, that" },
    ]);
  });
});

describe("the list of messages", () => {
  const answer = (text: string): readonly ModelPart[] => [
    { type: "block", block: { type: "text", text } },
    { type: "finished", stopReason: "end_turn", usage: undefined },
  ];

  test("is that of its request, also for an adapter that reads it late", async () => {
    const read: number[] = [];
    const late: ModelAdapter = {
      provider: "late",
      async *stream({ messages }, signal): AsyncGenerator<ModelPart> {
        const isFirst = messages.length === 1;
        if (isFirst) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        read.push(messages.length);
        yield* answer("done");
      },
    };
    const world = new World({ model: () => late });
    const id = await world.create({ tools: [], policy: { steering: "interrupt" } });
    const driven = world.wake(id);
    await settled();
    await world.send(id, said("no, that"));
    await world.clock.until(driven);
    expect(read.toSorted()).toEqual([1, 2]);
  });

  test("is not copied from turn to turn", async () => {
    const lists = new Set<unknown>();
    const keeping: ModelAdapter = {
      provider: "keeping",
      async *stream({ messages }): AsyncGenerator<ModelPart> {
        lists.add(messages);
        const call = { providerCallId: "p", ...bash("echo") };
        if (messages.length < 10) yield { type: "block", block: { type: "tool_call", ...call } };
        yield* answer("");
      },
    };
    const world = new World({ model: () => keeping });
    const id = await world.create();
    await world.clock.until(world.wake(id));
    expect(bodiesOf(await world.log(id), "span.model_request_start").length).toBeGreaterThan(4);
    // One more since the sandbox became ready while the model was being asked.
    expect(lists.size).toBeLessThan(3);
  });
});

describe("the caller's signal", () => {
  test("gives the lease back, and another wake goes on", async () => {
    const world = held(bash("wait door"));
    const id = await world.create();
    const controller = new AbortController();
    const driven = world.wake(id, { signal: controller.signal });
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    controller.abort();
    expect(await world.clock.until(driven)).toMatchObject({ status: "stopped" });
    expect(await world.store.getSession(id)).toMatchObject({ owner: null, due: world.clock.wallMs() });
    expect(world.clock.sleepers).toBe(0);
    world.sandboxes.release("door");
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      status: "left",
      state: { phase: "idle" },
    });
    expect([...world.sandboxes.ran.values()]).toEqual([1]);
  });

  test("that was aborted before does nothing", async () => {
    const world = held();
    const id = await world.create();
    expect(await world.wake(id, { signal: AbortSignal.abort() })).toMatchObject({ status: "stopped" });
    expect(await world.types(id)).toEqual(["session.created", "user.message"]);
  });

  test("keeps what was found in the same moment", async () => {
    const controller = new AbortController();
    const world: World = new World({
      script: { turns: [{ text: "costly" }, { text: "more" }] },
      store: (store) =>
        intercept(store, {
          append: (append) => async (lease, batch) => {
            const result = await append(lease, batch);
            // The answer comes while this append is on its way, and the caller stops before it is settled.
            if (batch.events.some(({ type }) => type === "sandbox.ready")) {
              world.sandboxes.release("answer");
              await settled();
              controller.abort();
            }
            return result;
          },
        }),
      model: ({ scripted, sandboxes }) => ({
        provider: "held",
        async *stream(request, signal) {
          await sandboxes.pass("answer", signal);
          yield* scripted.stream(request, signal);
        },
      }),
    });
    world.sandboxes.hold("answer");
    const id = await world.create();
    expect(await world.clock.until(world.wake(id, { signal: controller.signal }))).toMatchObject({
      status: "stopped",
    });
    expect(bodiesOf(await world.log(id), "span.model_request_end")).toMatchObject([{ outcome: "answered" }]);
    await world.clock.until(world.wake(id));
    expect(world.scripted.requestCount).toBe(1);
  });
});

describe("a failure of the harness itself", () => {
  test("gives the lease back, and is tried again later", async () => {
    const broken: ModelAdapter = {
      provider: "broken",
      // biome-ignore lint/correctness/useYield: it breaks the contract by throwing
      async *stream() {
        throw new Error("a bug");
      },
    };
    const world = new World({ model: () => broken });
    const id = await world.create({ tools: [] });
    await expect(world.clock.until(world.wake(id))).rejects.toThrow("a bug");
    expect(await world.store.getSession(id)).toMatchObject({
      owner: null,
      due: world.clock.wallMs() + 60_000,
    });
    expect(world.clock.sleepers).toBe(0);
  });

  test("an append whose reply is lost is resolved, and nothing is written twice", async () => {
    let losses = 0;
    const world = new World({
      script: { turns: [{ tools: [bash("echo hello")] }, { text: "Done." }] },
      store: (store) =>
        intercept(store, {
          append: (append) => async (lease, batch) => {
            const result = await append(lease, batch);
            if (losses++ % 2 === 0) throw new NightshiftError("E_STORE_IO", "lost", { retryable: true });
            return result;
          },
        }),
    });
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      status: "left",
      state: { phase: "idle" },
    });
    expect(losses).toBeGreaterThan(4);
    checkLog(await world.log(id));
    expect(world.scripted.requestCount).toBe(2);
  });

  test("a store that stays away ends the wake", async () => {
    const world = new World({
      script: { turns: [{ text: "Done." }] },
      store: (store) =>
        intercept(store, {
          append: () => async () => {
            throw new NightshiftError("E_STORE_BUSY", "busy", { retryable: true });
          },
        }),
    });
    const id = await world.create({ tools: [] });
    await expect(world.clock.until(world.wake(id))).rejects.toMatchObject({ code: "E_STORE_BUSY" });
    expect(await world.types(id)).toEqual(["session.created", "user.message"]);
  });
});

describe("time", () => {
  test("a sleep of the machine is noted, and is no stall", async () => {
    const world = new World({ script: { turns: [{ text: "one", delay_ms: 100_000 }] } });
    const id = await world.create({ tools: [] });
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.scripted.requestCount === 1);
    world.clock.suspend(3_600_000);
    expect(await world.clock.until(driven)).toMatchObject({ state: { stopReason: { type: "end_turn" } } });
    expect(bodiesOf(await world.log(id), "harness.suspended")).toEqual([{ gap_ms: 3_600_000 }]);
    expect(world.scripted.requestCount).toBe(1);
  });

  test("a model without a sign of life is given up and asked again", async () => {
    const world = new World({ script: { turns: [{ fail: [{ kind: "silence" }], text: "at last" }] } });
    const id = await world.create({ tools: [], policy: { idle_timeout_ms: 60_000 } });
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    const log = await world.log(id);
    expect(bodiesOf(log, "breaker.tripped")).toMatchObject([{ cause: "idle" }]);
    expect(bodiesOf(log, "span.model_request_end")).toMatchObject([
      { outcome: "failed", error: { class: "stalled" } },
      { outcome: "answered" },
    ]);
  });

  test("a stream that trickles is no stall", async () => {
    const world = new World({
      script: { turns: [{ text: "x".repeat(480), chunk_chars: 48, chunk_delay_ms: 50_000 }] },
    });
    const id = await world.create({ tools: [], policy: { idle_timeout_ms: 60_000 } });
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(world.clock.monotonicMs()).toBeGreaterThan(400_000);
    expect(world.scripted.requestCount).toBe(1);
  });
});

describe("much at once", () => {
  test("as many calls as one answer may have", async () => {
    const world = new World({
      script: ({ messages }) =>
        messages.length === 1
          ? { tools: Array.from({ length: ANSWER_BLOCKS_MAX }, (_, index) => bash(`echo ${index}`)) }
          : { text: "Done." },
    });
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(world.sandboxes.ran.size).toBe(ANSWER_BLOCKS_MAX);
    checkLog(await world.log(id));
  });

  test("a flood of messages past the courtesy of clients", async () => {
    const world = new World({ script: { turns: [{ text: "Done." }] } });
    const id = await world.create({ tools: [] });
    const event = seal(said("hello?") as ClientEventInput, NO_REDACTION);
    for (let sent = 0; sent < 2500; sent += 500)
      await world.store.submit(id, { appendId: `flood-${sent}`, at: 1, events: Array(500).fill(event) });
    expect(await world.clock.until(world.wake(id))).toMatchObject({ state: { queue: [] } });
    expect(world.scripted.requests[0]?.messages).toHaveLength(2501);
  });
});
