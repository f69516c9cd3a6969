import { expect, test } from "vitest";
import { said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import type { SessionId } from "../core/ids.ts";
import type { ModelAdapter, ModelPart } from "../model/contract.ts";

/** Asks for a command once `gate` opens, and has enough after that. */
function asking(gate: Promise<void>): ModelAdapter {
  let requests = 0;
  return {
    provider: "asking",
    async *stream(): AsyncGenerator<ModelPart> {
      if (requests++ === 0) {
        await gate;
        const input = { command: "true" };
        yield { type: "block", block: { type: "tool_call", providerCallId: "1", name: "bash", input } };
        yield { type: "finished", stopReason: "tool_use", usage: undefined };
        return;
      }
      yield { type: "block", block: { type: "text", text: "done" } };
      yield { type: "finished", stopReason: "end_turn", usage: undefined };
    },
  };
}

test("a sandbox that could not be had is tried for again, though people gave it new chances at the same time", async () => {
  const answer = Promise.withResolvers<void>();
  let id: SessionId | null = null;
  let hasInterfered = false;
  const world: World = new World({
    model: () => asking(answer.promise),
    store: (store) =>
      intercept(store, {
        append: (append) => async (lease, batch) => {
          if (hasInterfered || id === null || !batch.events.some(({ type }) => type === "sandbox.lost"))
            return append(lease, batch);
          hasInterfered = true;
          // Before it, so that the driver reads the log anew; after it, so that the next try has the first one's number.
          await world.send(id, said("one"));
          const result = await append(lease, batch);
          await world.send(id, said("two"));
          answer.resolve();
          for (let turn = 0; turn < 20; turn++) await Promise.resolve();
          return result;
        },
      }),
  });
  id = await world.create();
  world.sandboxes.failures = 1;
  const result = await world.clock.until(world.wake(id));
  expect(hasInterfered).toBe(true);
  expect(result).toMatchObject({ status: "left", state: { phase: "idle" } });
  expect(bodiesOf(await world.log(id), "agent.tool_result")).toMatchObject([{ ending: "exited" }]);
});
