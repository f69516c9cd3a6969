import { symlinkSync } from "node:fs";
import { describe, expect, type TestContext, test } from "vitest";
import { readPodRecord } from "../../../src/sandbox/bubblewrap/pod-record.ts";
import { podSweeper } from "../../../src/sandbox/bubblewrap/sweeper.ts";
import { createDiagnosisHost } from "../../../src/sandbox/diagnosis/host.ts";
import { diagnose } from "../../../src/sandbox/diagnosis/pick.ts";
import { readDockerRecord } from "../../../src/sandbox/docker/docker-record.ts";
import { containerSweeper } from "../../../src/sandbox/docker/sweeper.ts";
import { createReaper } from "../../../src/sandbox/reaper/reaper.ts";
import { type Kind, killHard, killHarness, Scene } from "./scene.ts";

/** How a run ends whose process was killed. */
const KILLED: object = expect.objectContaining({
  ending: "exited",
  exitCode: null,
  output: expect.stringContaining("ended by signal SIGKILL"),
});

const { PATH: path, DOCKER_HOST: dockerHost } = process.env;
const host = createDiagnosisHost({ path, dockerHost });
const reasons: Readonly<Record<Kind, string | undefined>> = {
  process: undefined,
  bubblewrap: await reasonAgainst("bubblewrap"),
  docker: await reasonAgainst("docker"),
};

async function reasonAgainst(backend: "bubblewrap" | "docker"): Promise<string | undefined> {
  const { code, text } = await diagnose(backend, host);
  return code === "ready" ? undefined : `${backend} cannot be used here: ${text}`;
}

function open(kind: Kind, context: TestContext): Scene {
  const reason = reasons[kind];
  if (reason !== undefined) context.skip(reason);
  return new Scene(kind, { overlay: kind !== "process" });
}

type Step = readonly [step: string, isReached: (scene: Scene) => boolean];

/** When to strike while a sandbox is being made. */
const STEPS: Readonly<Record<Kind, readonly Step[]>> = {
  process: [
    ["its folder is there", (scene) => scene.has("lock")],
    ["its daemon is published", (scene) => scene.has("daemon.json")],
  ],
  bubblewrap: [
    ["its folder is there", (scene) => scene.has("lock")],
    ["its limits are noted down", (scene) => scene.has("limits.json")],
    ["its pod is noted down", (scene) => scene.has("pod.json")],
    ["process 1 of its pod is known", (scene) => innerOf(readPodRecord(scene.folder)) !== undefined],
    ["its daemon is published", (scene) => scene.has("daemon.json")],
  ],
  docker: [
    ["its folder is there", (scene) => scene.has("lock")],
    ["its container is noted down", (scene) => scene.has("docker.json")],
    ["process 1 of its container is known", (scene) => innerOf(readDockerRecord(scene.folder)) !== undefined],
    ["its runner is connected", (scene) => scene.has("closed") && !scene.has("pod/token")],
    ["its daemon is published", (scene) => scene.has("daemon.json")],
  ],
};

interface Inner {
  readonly inner: { readonly pid: number } | null;
}

function innerOf(record: Inner | undefined): number | undefined {
  return record?.inner?.pid;
}

/** Which processes of a running pod can be killed from outside. */
const VICTIMS: readonly (readonly [Kind, string, (scene: Scene) => number | undefined])[] = [
  ["bubblewrap", "process 1 of the pod", (scene) => innerOf(readPodRecord(scene.folder))],
  ["bubblewrap", "bubblewrap itself", (scene) => readPodRecord(scene.folder)?.outer.pid],
  ["docker", "process 1 of the container", (scene) => innerOf(readDockerRecord(scene.folder))],
];

const WORK = "(setsid sh -c 'touch background; exec sleep 600' &) ; touch begun; sleep 600";

describe.each(["process", "bubblewrap", "docker"] as const)("%s", (kind) => {
  test.for(STEPS[kind])("harness and daemon are killed when %s", async ([step, isReached], context) => {
    await using scene = open(kind, context);
    const harness = scene.start("provision");
    await scene.until(step, () => isReached(scene));
    await killHarness(harness);
    scene.killDaemons();
    await scene.reap(false);
    // What was on its way to an engine when its maker died comes into being afterwards.
    await scene.reap(false);
    expect(await scene.remains()).toEqual([]);
    expect(scene.others()).toEqual([]);
  });

  test("a daemon that is killed while a command runs leaves an orphan; its folder, and with it the journal, stay", async (context) => {
    await using scene = open(kind, context);
    const sandbox = await scene.provision();
    const lost = scene.run(sandbox, WORK).catch(() => "lost");
    await scene.until("the command", () => scene.hasWritten("begun") && scene.hasWritten("background"));
    expect(await scene.reaper.findLeftovers(() => true), "it is in use").toEqual([]);
    scene.killDaemons();
    expect(await lost).toBe("lost");
    const reaped = await scene.reap(true);
    expect(reaped.map(({ state }) => state)).toEqual(["orphaned"]);
    expect(await scene.remains()).toEqual([scene.folder]);
    expect(await scene.reaper.findLeftovers(() => true)).toEqual([]);
    const again = await scene.provision();
    const reply = await scene.run(again, "echo again");
    expect(reply).toMatchObject({ status: "finished", result: { output: "again\n" } });
  });

  test("what is not wanted any more ends although it runs, and nothing beside it", async (context) => {
    await using scene = open(kind, context);
    await using other = new Scene(kind);
    const [sandbox, bystander] = [await scene.provision(), await other.provision()];
    const lost = scene.run(sandbox, WORK).catch(() => "lost");
    await scene.until("the command", () => scene.hasWritten("background"));
    const [leftover] = await scene.reaper.findLeftovers(() => false);
    expect(leftover?.state).toBe("unwanted");
    expect(leftover?.found.length).toBeGreaterThan(2);
    await scene.reap(false);
    // Its processes may die before its daemon, which then still tells how.
    expect(["lost", { status: "finished", result: KILLED }]).toContainEqual(await lost);
    expect(await scene.remains()).toEqual([]);
    expect(await other.run(bystander, "echo fine")).toMatchObject({ result: { output: "fine\n" } });
  });

  test("a state folder that is reached through a link is the same one", async (context) => {
    await using scene = open(kind, context);
    const sandbox = await scene.provision();
    sandbox.detach();
    const link = `${scene.place}/link`;
    symlinkSync(scene.root, link);
    const reaper = createReaper(link, [podSweeper, containerSweeper]);
    expect(await reaper.findLeftovers(() => true)).toEqual([]);
    for (const leftover of await reaper.findLeftovers(() => false)) await reaper.removeLeftover(leftover);
    expect(await scene.remains()).toEqual([]);
  });

  test("a harness that is killed while it destroys leaves what a second one finds", async (context) => {
    await using scene = open(kind, context);
    const sandbox = await scene.provision();
    sandbox.detach();
    const harness = scene.start("destroy");
    await scene.until("the end of the daemon", () => !scene.has("daemon.json"));
    await killHarness(harness);
    await scene.reap(false);
    expect(await scene.remains()).toEqual([]);
  });
});

test.for(VICTIMS)("%s: when %s is killed all of the pod ends", async ([kind, , victimOf], context) => {
  await using scene = open(kind, context);
  const sandbox = await scene.provision();
  const lost = scene.run(sandbox, WORK).catch(() => "lost");
  await scene.until("the command", () => scene.hasWritten("background"));
  killHard(victimOf(scene));
  expect(await lost).toBe("lost");
  await scene.until("the end of the daemon", () => scene.daemons().length === 0);
  await scene.reap(true);
  expect(await scene.remains()).toEqual([scene.folder]);
});
