import { beforeEach, describe, expect, test } from "vitest";
import { sandboxReady } from "../../test/support/events.ts";
import { asking, stateOf } from "../../test/support/logs.ts";
import { ManualClock, settled } from "../../test/support/manual-clock.ts";
import { MemorySandboxes } from "../../test/support/memory-sandbox.ts";
import type { SandboxState } from "../core/state.ts";
import { SandboxConnections } from "./connections.ts";

const requested = stateOf(...asking()).sandbox as SandboxState;

let machine: MemorySandboxes;
let ready: SandboxState;
beforeEach(async () => {
  machine = new MemorySandboxes(new ManualClock());
  const spec = { id: requested.id, workspace: "/", noContactMs: 1000, options: {} };
  const made = await machine.provision(spec, new AbortController().signal);
  const { sandbox } = stateOf(...asking(), sandboxReady(made.incarnation));
  ready = { ...(sandbox as SandboxState), handle: made.handle };
});

const attached = (): number => machine.asked.filter((each) => each === "attach").length;

describe("connections to a sandbox", () => {
  test("are made once and shared", async () => {
    const connections = new SandboxConnections(machine, 1);
    const [first, second] = await Promise.all([connections.to(ready), connections.to(ready)]);
    expect(first).toBe(second);
    expect(await connections.to(ready)).toBe(first);
    expect(attached()).toBe(1);
  });

  test("are made anew after they were found dead, and only then", async () => {
    const connections = new SandboxConnections(machine, 1);
    const first = await connections.to(ready);
    connections.dropLost("another incarnation");
    expect(await connections.to(ready)).toBe(first);
    connections.dropLost(ready.incarnation);
    await settled();
    expect(await connections.to(ready)).not.toBe(first);
    expect(machine.asked).toEqual(["provision", "attach", "detach", "attach"]);
  });

  test("are let go of, also one that is still being made", async () => {
    machine.hold("attach");
    const connections = new SandboxConnections(machine, 1);
    const waiting = connections.to(ready);
    connections.drop();
    await expect(waiting).rejects.toMatchObject({ code: "E_SANDBOX_LOST" });
    machine.release("attach");
    await settled();
    expect(await connections.to(ready)).toBeDefined();
  });

  test("that failed are tried again", async () => {
    const connections = new SandboxConnections(machine, 1);
    machine.kill();
    await expect(connections.to(ready)).rejects.toMatchObject({ code: "E_SANDBOX_LOST" });
    await expect(connections.to(ready)).rejects.toMatchObject({ code: "E_SANDBOX_LOST" });
    expect(attached()).toBe(2);
  });

  test("to another incarnation than the log's are refused", async () => {
    const connections = new SandboxConnections(machine, 1);
    await expect(connections.to({ ...ready, incarnation: "life-0" })).rejects.toThrow(
      `${ready.id} lives on as another incarnation`,
    );
    expect(machine.asked.at(-1)).toBe("detach");
  });

  test("need a sandbox that was ready once", async () => {
    const connections = new SandboxConnections(machine, 1);
    await expect(connections.to(requested)).rejects.toThrow("was never ready");
  });

  test("under an older epoch are stale", async () => {
    await new SandboxConnections(machine, 2).to(ready);
    await expect(new SandboxConnections(machine, 1).to(ready)).rejects.toMatchObject({
      code: "E_SANDBOX_STALE",
    });
  });
});
