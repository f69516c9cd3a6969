import { expect, test } from "vitest";
import { sealed } from "../../test/support/contract-events.ts";
import { said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import type { SessionId } from "../core/ids.ts";
import type { ModelAdapter, ModelPart } from "../model/contract.ts";
import type { SessionReferee } from "./session-referee.ts";

const BASE = "b".repeat(40);

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

test("checks on the base that cannot run are run again for a message that comes in the moment of their end", async () => {
  let id: SessionId | null = null;
  let runs = 0;
  const world: World = new World({
    store: (store) =>
      intercept(store, {
        append: (append) => async (lease, batch) => {
          const result = await append(lease, batch);
          if (id !== null && runs === 1 && batch.events.some(({ type }) => type === "preflight.finished"))
            await world.send(id, said("now it is there"));
          return result;
        },
      }),
  });
  const referee: SessionReferee = {
    preflight: async () => {
      runs++;
      const problems = [{ code: "toolchain_missing" as const, message: "there is no such program" }];
      return { commit: BASE, criteria: [], problems, duration_ms: 1 };
    },
    renewCopy: async () => undefined,
    verdict: () => Promise.reject(new Error("nothing is judged before the base is")),
  };
  const harness = world.harness();
  const resolve: typeof harness.resolve = async (config, lease) => ({
    ...(await harness.resolve(config, lease)),
    referee,
  });
  id = await world.create({ tools: [], checkout: { base: BASE } }, sealed(), said("go"));
  const result = await world.clock.until(world.wake(id, {}, { ...harness, resolve }));
  expect(runs).toBe(2);
  expect(result).toMatchObject({
    status: "left",
    state: { phase: "idle", stopReason: { code: "E_PREFLIGHT" } },
  });
  expect(bodiesOf(await world.log(id), "preflight.finished")).toHaveLength(2);
});
