import { existsSync, rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isNightshiftError } from "../../../src/core/errors.ts";
import { readDockerRecord } from "../../../src/sandbox/docker/docker-record.ts";
import { OwnEngine } from "./own-engine.ts";
import { killHarness, Scene } from "./scene.ts";

describe("the engine is killed", { timeout: 240_000 }, () => {
  let engine: OwnEngine | undefined;
  const before = process.env.DOCKER_HOST;
  beforeAll(() => {
    engine = OwnEngine.isPossible ? new OwnEngine() : undefined;
  });
  beforeEach(async (context) => {
    if (engine === undefined) return context.skip("an engine of its own needs root and dockerd");
    await engine.start();
  });
  afterEach(() => engine?.start());
  afterAll(() => {
    engine?.stop();
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });

  test("while a command runs: the pod goes on, and answers, with and without the engine", async () => {
    await using scene = new Scene("docker", { overlay: true });
    const sandbox = await scene.provision();
    const running = scene.run(sandbox, "touch begun; until [ -e go ]; do sleep 0.05; done; echo went on");
    await scene.until("the command", () => scene.hasWritten("begun"));
    await engine?.kill();
    expect(await scene.run(sandbox, "touch go; echo beside")).toMatchObject({
      result: { output: "beside\n" },
    });
    expect(await running).toMatchObject({ status: "finished", result: { output: "went on\n" } });
    await engine?.start();
    expect(await scene.run(sandbox, "echo after")).toMatchObject({ result: { output: "after\n" } });
    sandbox.detach();
    await scene.backend.destroy(sandbox.id, undefined);
    // Some engines keep the name of a volume until they are started anew.
    const strays = await scene.reaper.findLeftovers(() => true);
    if (strays.length > 0) {
      await expect(scene.reap(true)).rejects.toMatchObject({ retryable: true });
      await engine?.kill();
      await engine?.start();
      await scene.reap(true);
    }
    expect(await scene.remains()).toEqual([]);
  });

  test("before the end: everything that runs ends, what the engine holds is noted, and goes when it is back", async () => {
    await using scene = new Scene("docker", { overlay: true });
    const sandbox = await scene.provision();
    sandbox.detach();
    const inner = readDockerRecord(scene.folder)?.inner?.pid;
    await engine?.kill();
    const failure = await scene.backend.destroy(sandbox.id, undefined).catch((error: unknown) => error);
    expect(isNightshiftError(failure, "E_SANDBOX_UNAVAILABLE") && failure.retryable).toBe(true);
    expect(existsSync(`/proc/${inner}/exe`)).toBe(false);
    expect(scene.has("docker.json")).toBe(true);
    await engine?.start();
    expect((await scene.reap(false)).map(({ state }) => state)).toEqual(["unwanted"]);
    expect(await scene.remains()).toEqual([]);
  });

  test("while a container is being made, with harness and daemon: nothing stays", async () => {
    await using scene = new Scene("docker", { overlay: true });
    const harness = scene.start("provision");
    await scene.until("the record", () => scene.has("docker.json"));
    await engine?.kill();
    await killHarness(harness);
    scene.killDaemons();
    await expect(scene.reap(false)).rejects.toMatchObject({ code: "E_SANDBOX_UNAVAILABLE" });
    await engine?.start();
    await scene.reap(false);
    await scene.reap(false);
    expect(await scene.remains()).toEqual([]);
  });

  test("a container whose folder was removed by hand is found by its label", async () => {
    await using scene = new Scene("docker", { overlay: true });
    await using other = new Scene("docker");
    await scene.provision();
    const bystander = await other.provision();
    scene.killDaemons();
    rmSync(scene.folder, { recursive: true, force: true });
    const found = await scene.reaper.findLeftovers(() => true);
    expect(found.map(({ state, folder }) => [state, folder])).toEqual([["stray", scene.folder]]);
    await scene.reap(true);
    await scene.until("the end of the pod", () => scene.daemons().length === 0);
    expect(await scene.remains()).toEqual([]);
    expect(await other.run(bystander, "echo fine")).toMatchObject({ result: { output: "fine\n" } });
  });
});
