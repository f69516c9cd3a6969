import { describe, expect, test } from "vitest";
import { setLimits } from "../../test/support/events.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import type { ModelAdapter, ModelPart } from "../model/contract.ts";

/** Says nothing the first time, and answers the second. */
function silentOnce(): ModelAdapter {
  let requests = 0;
  return {
    provider: "silent",
    async *stream(_request, signal): AsyncGenerator<ModelPart> {
      if (requests++ === 0)
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      yield { type: "block", block: { type: "text", text: "at last" } };
      yield { type: "finished", stopReason: "end_turn", usage: undefined };
    },
  };
}

/** Drives until the request was given up, with something going on beside it. @returns how long that took */
async function patience(tools: readonly string[], beside: (world: World, id: string) => Promise<unknown>) {
  const world = new World({ model: silentOnce });
  world.sandboxes.hold("provision");
  const id = await world.create({ tools: [...tools], policy: { idle_timeout_ms: 60_000 } });
  const driven = world.wake(id);
  await world.clock.until(Promise.all([driven, beside(world, id)]));
  const log = await world.log(id);
  expect(bodiesOf(log, "breaker.tripped")).toMatchObject([{ cause: "idle" }]);
  const [start] = log.filter(({ type }) => type === "span.model_request_start");
  const [end] = log.filter(({ type }) => type === "span.model_request_end");
  return end!.at - start!.at;
}

describe("a model that says nothing is given up in time", () => {
  test("though people and programs send events all the while", async () => {
    const ms = await patience([], async (world, id) => {
      for (let sent = 0; sent < 10; sent++) {
        await world.clock.sleep(20_000);
        await world.send(id as never, setLimits({ tokens: 1_000_000 + sent }));
      }
    });
    expect(ms).toBeGreaterThan(59_900);
    expect(ms).toBeLessThan(60_100);
  });

  test("though its sandbox becomes ready meanwhile", async () => {
    const ms = await patience(["bash"], async (world) => {
      await world.clock.sleep(50_000);
      world.sandboxes.release("provision");
    });
    expect(ms).toBeGreaterThan(59_900);
    expect(ms).toBeLessThan(60_100);
  });
});
