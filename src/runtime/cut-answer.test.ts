import { expect, test } from "vitest";
import { resume } from "../../test/support/events.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import type { ScriptTurn } from "../model/script.ts";

const cutCall: ScriptTurn = {
  tools: [{ name: "bash", input: { command: "echo half" } }],
  stop: "max_tokens",
};

test("a text that was cut off is no end of the turn", async () => {
  const world = new World({ script: { turns: [{ text: "Here is the pla", stop: "max_tokens" }] } });
  const id = await world.create({ tools: [] });
  expect(await world.clock.until(world.wake(id))).toMatchObject({
    status: "left",
    state: { phase: "idle", stopReason: { type: "max_tokens" } },
  });
  expect(bodiesOf(await world.log(id), "session.status_idle")).toEqual([
    { stop_reason: { type: "max_tokens" } },
  ]);
});

test("a call that was cut off never runs, and the model hears why", async () => {
  const world = new World({ script: { turns: [cutCall, { text: "Done." }] } });
  const id = await world.create();
  expect(await world.clock.until(world.wake(id))).toMatchObject({
    state: { stopReason: { type: "end_turn" } },
  });
  expect(world.sandboxes.ran.size).toBe(0);
  expect(world.scripted.requests[1]?.messages.at(-1)).toMatchObject({ role: "tool", isError: true });
  checkLog(await world.log(id));
});

test("a model that is cut off again and again is left to a person; resume asks it again", async () => {
  const world = new World({ script: { turns: [cutCall, cutCall, cutCall, { text: "Done." }] } });
  const id = await world.create();
  expect(await world.clock.until(world.wake(id))).toMatchObject({
    state: { stopReason: { type: "max_tokens" }, hold: "max_tokens" },
  });
  expect(world.scripted.requestCount).toBe(3);
  await world.send(id, resume);
  expect(await world.clock.until(world.wake(id))).toMatchObject({
    state: { stopReason: { type: "end_turn" } },
  });
  expect(world.sandboxes.ran.size).toBe(0);
  checkLog(await world.log(id));
});
