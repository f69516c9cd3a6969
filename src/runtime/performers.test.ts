import { describe, expect, test } from "vitest";
import { confirmed, resume } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import type { SessionId } from "../core/ids.ts";

type Call = { readonly name: string; readonly input: { readonly [key: string]: string } };
const bash = (command: string): Call => ({ name: "bash", input: { command } });
const write = (file_path: string, content: string): Call => ({
  name: "write",
  input: { file_path, content },
});
const read = (file_path: string): Call => ({ name: "read", input: { file_path } });

/** A world in which the model makes these calls once, then is done; `wait door` waits. */
const calling = (...commands: readonly Call[]): World => {
  const world = new World({ script: { turns: [{ tools: [...commands] }, { text: "Done." }] } });
  world.sandboxes.hold("door");
  return world;
};

/** What the model is told about each call, in call order. */
async function told(world: World, id: SessionId): Promise<readonly string[]> {
  const log = await world.log(id);
  checkLog(log);
  const results = bodiesOf(log, "agent.tool_result").toSorted((a, b) => (a.call < b.call ? -1 : 1));
  return results.map(({ content }) => String(content[0]?.text));
}

const unknown = /^Outcome unknown: /;

describe("a sandbox that dies under its commands", () => {
  test("is made again once; what was done is told, what is harmless is repeated, the rest is unknown", async () => {
    const world = calling(bash("wait door"), bash("wait door"), bash("wait door"), read("a"));
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 4);
    world.sandboxes.kill();
    expect(await world.clock.until(driven)).toMatchObject({ state: { stopReason: { type: "end_turn" } } });
    expect(await told(world, id)).toEqual([
      expect.stringMatching(unknown),
      expect.stringMatching(unknown),
      expect.stringMatching(unknown),
      "(no such file)",
    ]);
    expect(bodiesOf(await world.log(id), "sandbox.requested")).toHaveLength(2);
    for (const [, count] of world.sandboxes.ran) expect(count).toBe(1);
  });

  test("is the same one when only the connection broke: nothing is in doubt", async () => {
    const world = calling(bash("wait door"), bash("wait door"));
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 2);
    world.sandboxes.cutConnections();
    await settled();
    world.sandboxes.release("door");
    expect(await world.clock.until(driven)).toMatchObject({ state: { stopReason: { type: "end_turn" } } });
    expect(await told(world, id)).toEqual(["door", "door"]);
    expect(bodiesOf(await world.log(id), "tool.in_doubt")).toEqual([]);
    expect([...world.sandboxes.ran.values()]).toEqual([1, 1]);
  });

  test("before it began with them: they run in the next one", async () => {
    let isKilled = false;
    const world: World = new World({
      script: { turns: [{ tools: [bash("echo one")] }, { text: "Done." }] },
      store: (store) =>
        intercept(store, {
          append: (append) => async (lease, batch) => {
            const result = await append(lease, batch);
            if (!isKilled && batch.events.some(({ type }) => type === "tool.started")) {
              isKilled = true;
              world.sandboxes.kill();
            }
            return result;
          },
        }),
    });
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(await told(world, id)).toEqual(["one"]);
    expect(bodiesOf(await world.log(id), "tool.in_doubt")).toMatchObject([
      { run: 1, finding: "not_started" },
    ]);
    expect([...world.sandboxes.ran.keys()]).toEqual([`${id}/c1_0/2`]);
  });

  test("in the middle of something irreversible: a person decides", async () => {
    const world = new World({
      script: { turns: [{ tools: [bash("wait door && git push")] }, { text: "Done." }] },
    });
    world.sandboxes.hold("door && git push");
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.sandboxes.kill();
    expect(await world.clock.until(driven)).toMatchObject({
      state: { stopReason: { type: "requires_action", calls: ["c1_0"] } },
    });
    await world.send(id, confirmed("c1_0", "allow"));
    world.sandboxes.release("door && git push");
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(await told(world, id)).toEqual(["door && git push"]);
    expect([...world.sandboxes.ran.keys()]).toEqual([`${id}/c1_0/1`, `${id}/c1_0/2`]);
  });
});

describe("a write", () => {
  test("looks first, and says what it will change", async () => {
    const world = calling(write("a.txt", "new"));
    const id = await world.create();
    await world.clock.until(world.wake(id));
    const [prepared] = bodiesOf(await world.log(id), "tool.prepared");
    expect(prepared).toMatchObject({ path: "a.txt", before: null });
    expect(bodiesOf(await world.log(id), "tool.started")).toMatchObject([
      { before: null, after: prepared?.after },
    ]);
    expect(world.sandboxes.files.get("a.txt")).toBe("new");
  });

  test("that was cut short after it wrote is settled by what the file holds", async () => {
    const world = calling(write("a.txt", "new"));
    world.sandboxes.hold("written");
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.files.get("a.txt") === "new");
    world.sandboxes.kill();
    expect(await world.clock.until(driven)).toMatchObject({ state: { stopReason: { type: "end_turn" } } });
    expect(await told(world, id)).toEqual([
      "Done. (Confirmed by the file's content hash after an interruption.)",
    ]);
    expect([...world.sandboxes.ran.values()]).toEqual([1]);
  });

  test("that was cut short while somebody else wrote is not repeated", async () => {
    const world = calling(write("a.txt", "new"));
    world.sandboxes.hold("written");
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.files.get("a.txt") === "new");
    world.sandboxes.files.set("a.txt", "somebody else's");
    world.sandboxes.kill();
    await world.clock.until(driven);
    expect(await told(world, id)).toEqual([expect.stringMatching(unknown)]);
    expect(world.sandboxes.files.get("a.txt")).toBe("somebody else's");
  });
});

describe("a sandbox that cannot be had", () => {
  test("is asked for three times, then the session waits for a person, who can try again", async () => {
    const world = calling(bash("echo one"));
    world.sandboxes.failures = 3;
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "failed", code: "E_SANDBOX_UNAVAILABLE" } },
    });
    expect(world.sandboxes.asked.filter((each) => each === "provision")).toHaveLength(3);
    await world.send(id, resume);
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(await told(world, id)).toEqual(["one"]);
  });

  test("and is given up meanwhile: what ran in it is unknown, not repeated", async () => {
    const world = calling(bash("wait door"));
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.sandboxes.failures = 2;
    world.sandboxes.kill();
    expect(await world.clock.until(driven)).toMatchObject({ state: { hold: "failed" } });
    await world.clock.pass(60_000);
    expect(await world.clock.until(world.wake(id))).toMatchObject({ state: { sandbox: null } });
    await world.send(id, resume);
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(await told(world, id)).toEqual([expect.stringMatching(unknown)]);
    expect([...world.sandboxes.ran.values()]).toEqual([1]);
  });

  test("to note an execution down does not begin it; it is tried a few times", async () => {
    const world = calling(bash("echo one"), bash("echo two"));
    world.sandboxes.journalFailures = 3;
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(await told(world, id)).toEqual(["one", "two"]);
    expect(bodiesOf(await world.log(id), "tool.in_doubt")).toHaveLength(3);
  });

  test("to note anything down is told in the end", async () => {
    const world = calling(bash("echo one"));
    world.sandboxes.journalFailures = 1000;
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
    expect(await told(world, id)).toEqual([expect.stringContaining("cut short 5 times")]);
    expect(world.sandboxes.ran.size).toBe(0);
  });

  test("keeps nobody from asking the model", async () => {
    const world = new World({ script: { turns: [{ text: "no tools needed" }] } });
    world.sandboxes.hold("provision");
    const id = await world.create();
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      state: { stopReason: { type: "end_turn" } },
    });
  });
});

describe("a tool that this release does not have", () => {
  /** Goes as far as the call, then hands the session to a release without `bash`. */
  async function handedOver(world: World, id: SessionId): Promise<void> {
    const driven = world.wake(id, {}, world.harness("old"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("old");
    const { tools, ...rest } = world.harness("new");
    const fewer = new Map([...tools].filter(([name]) => name !== "bash"));
    const upgraded = world.wake(id, {}, { ...rest, tools: fewer });
    expect(await world.clock.until(upgraded)).toMatchObject({ status: "left" });
    await world.clock.until(driven);
  }

  test("does not block the session: the model is told", async () => {
    const world = calling(bash("wait door"));
    const id = await world.create();
    await handedOver(world, id);
    expect(await told(world, id)).toEqual([expect.stringMatching(unknown)]);
  });

  test("nor when the call had not begun", async () => {
    const world = calling(bash("wait door"), write("a.txt", "x"));
    const id = await world.create();
    const driven = world.wake(id, {}, world.harness("old"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("old");
    const { tools, ...rest } = world.harness("new");
    const fewer = new Map([...tools].filter(([name]) => name !== "write"));
    const upgraded = world.wake(id, {}, { ...rest, tools: fewer });
    await settled();
    world.sandboxes.release("door");
    expect(await world.clock.until(upgraded)).toMatchObject({ status: "left" });
    await world.clock.until(driven);
    expect(await told(world, id)).toEqual(["door", 'This release has no tool "write".']);
  });
});

describe("a sandbox that does not answer", () => {
  test("when it is connected to: another one is made after a while", async () => {
    const world = calling(bash("echo one"));
    world.sandboxes.hold("attach");
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.pass(29_000);
    expect(bodiesOf(await world.log(id), "sandbox.lost")).toEqual([]);
    await world.clock.pass(1500);
    expect(bodiesOf(await world.log(id), "sandbox.lost")).toMatchObject([
      { reason: "the sandbox gave no answer for 30 s", incarnation: expect.stringMatching(/life-1$/) },
    ]);
    world.sandboxes.release("attach");
    expect(await world.clock.until(driven)).toMatchObject({ state: { stopReason: { type: "end_turn" } } });
    expect(await told(world, id)).toEqual(["one"]);
  });

  test("while a command runs: it counts as lost some time after the command's own limit", async () => {
    const world = calling(bash("wait door"));
    const id = await world.create();
    const driven = world.wake(id);
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    await world.clock.pass(149_000);
    expect(bodiesOf(await world.log(id), "sandbox.lost")).toEqual([]);
    await world.clock.pass(1500);
    expect(bodiesOf(await world.log(id), "sandbox.lost")).toHaveLength(1);
    world.sandboxes.release("door");
    await world.clock.until(driven);
    expect(await told(world, id)).toEqual(["door"]);
    expect([...world.sandboxes.ran.values()]).toEqual([1]);
  });

  test("when it is removed: it is left behind, and the log says so", async () => {
    const world = calling();
    world.sandboxes.hold("destroy");
    const id = await world.create();
    await world.clock.until(world.wake(id));
    await world.clock.pass(60_000);
    expect(await world.clock.until(world.wake(id))).toMatchObject({
      status: "left",
      state: { sandbox: null },
    });
    expect(bodiesOf(await world.log(id), "breaker.tripped")).toMatchObject([{ cause: "sandbox_leak" }]);
    expect(world.clock.sleepers).toBe(0);
  });
});

describe("what is no longer wanted", () => {
  test("is not begun after all, when it was aborted while it waited for the connection", async () => {
    const world = calling(bash("echo one"));
    world.sandboxes.hold("attach");
    const id = await world.create();
    const controller = new AbortController();
    const driven = world.wake(id, { signal: controller.signal });
    await world.clock.untilTrue(() => world.sandboxes.asked.includes("attach"));
    controller.abort();
    world.sandboxes.release("attach");
    expect(await world.clock.until(driven)).toMatchObject({ status: "stopped" });
    await world.clock.pass(1000);
    expect(world.sandboxes.ran.size).toBe(0);
    expect(world.clock.sleepers).toBe(0);
  });

  test("is not begun after all, when it was aborted while the log was checked", async () => {
    const world: World = new World({
      snapshotEvents: 1,
      script: { turns: [{ tools: [bash("wait door")] }, { text: "Done." }] },
      store: (store) =>
        intercept(store, {
          getEvents: (getEvents) => async (id, range) => {
            if (range.limit <= 500) await world.sandboxes.pass("checking", new AbortController().signal);
            return getEvents(id, range);
          },
        }),
    });
    world.sandboxes.hold("door");
    const id = await world.create();
    const first = world.wake(id, {}, world.harness("first"));
    await world.clock.untilTrue(() => world.sandboxes.ran.size === 1);
    world.dead.add("first");
    world.sandboxes.kill();
    world.sandboxes.hold("checking");
    const asked = world.sandboxes.asked.length;
    const controller = new AbortController();
    const second = world.wake(id, { signal: controller.signal }, world.harness("second"));
    await settled();
    controller.abort();
    world.sandboxes.release("checking");
    expect(await world.clock.until(second)).toMatchObject({ status: "stopped" });
    await world.clock.until(first);
    await world.clock.pass(1000);
    expect(world.sandboxes.asked.slice(asked).filter((each) => each !== "detach")).toEqual([]);
  });
});
