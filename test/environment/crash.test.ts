/** SIGKILL of whoever makes a layer, and of the proxy it fetches through: no half layer, nothing left alive, made anew. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensureLayer, type LayerPlan, LayerStore } from "../../src/environment/index.ts";
import { readDecisions } from "../../src/gateway/egress/decisions.ts";
import { readEgressRecord } from "../../src/gateway/egress/record.ts";
import { systemClock } from "../../src/runtime/system.ts";
import { isAlive } from "../../src/sandbox/daemon/processes.ts";
import { readRecord } from "../../src/sandbox/daemon/record.ts";
import { missing, openPlace, type Place, TOOLS } from "./place.ts";
import { REGISTRY_HOST } from "./registry.ts";

let place: Place;
let plan: LayerPlan;
let makers: ChildProcess[];

beforeEach(async (context) => {
  makers = [];
  const reason = missing("npm");
  if (reason !== undefined) context.skip(reason);
  place = await openPlace();
  const wait = "touch started; while [ ! -e /layer/go ]; do sleep 0.05; done; echo built > built";
  const { resolved, integrity } = place.packages.addNpm(
    { name: "greeter", version: "1.2.3", scripts: { postinstall: wait } },
    { "index.js": "module.exports = 'hello';" },
  );
  const manifest = { name: "project", version: "1.0.0", dependencies: { greeter: "1.2.3" } };
  const packages = {
    "": manifest,
    "node_modules/greeter": { version: "1.2.3", resolved, integrity, hasInstallScript: true },
  };
  place.write({
    "package.json": JSON.stringify(manifest),
    "package-lock.json": JSON.stringify({ name: "project", lockfileVersion: 3, packages }),
  });
  plan = await place.plan(["npm", "test"]);
});

afterEach(async () => {
  for (const maker of makers) maker.kill("SIGKILL");
  place?.close();
});

function startMaker(): ChildProcess {
  const maker = spawn(process.execPath, [join(import.meta.dirname, "maker.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  makers.push(maker);
  maker.stdin?.end(JSON.stringify({ plan, root: place.root, tools: TOOLS, host: REGISTRY_HOST }));
  return maker;
}

async function kill(maker: ChildProcess): Promise<void> {
  const ended = once(maker, "exit");
  maker.kill("SIGKILL");
  await ended;
}

const eventually = { timeout: 120_000, interval: 50 };
const layers = (): readonly string[] => readdirSync(join(place.root, "layers", "layers"));
const making = (): readonly string[] => readdirSync(join(place.root, "layers", "making"));
const started = (): readonly string[] =>
  globSync(join(place.root, "layers/making/*/work/node_modules/greeter/started"));

/** Lets the builds that have begun end. */
function letGo(): void {
  for (const path of started()) writeFileSync(join(dirname(path), "../../../layer/go"), "");
}

async function makeAnew(): Promise<void> {
  const before = new Set(started());
  const again = ensureLayer(plan, place.tools);
  await expect.poll(() => started().some((path) => !before.has(path)), eventually).toBe(true);
  expect(started()).toHaveLength(1);
  letGo();
  expect((await again).isReused).toBe(false);
  expect(layers()).toEqual([plan.key]);
  expect(making()).toEqual([]);
  const built = join(place.root, "layers", "layers", plan.key, "work/node_modules/greeter/built");
  expect(readFileSync(built, "utf8")).toBe("built\n");
}

describe("a maker that is killed", () => {
  test("while it fetches leaves no layer, its proxy and sandbox end, and what was decided stays on record", async () => {
    place.packages.hold(true);
    const maker = startMaker();
    await expect.poll(() => place.packages.requests.length, eventually).toBeGreaterThan(0);
    const identity = readEgressRecord(join(place.root, "egress"))?.process ?? expect.fail("no proxy");
    await kill(maker);
    expect(layers()).toEqual([]);
    const { lines: before, nextOffset } = readDecisions(join(place.root, "egress"), 0);
    expect(before.length).toBeGreaterThan(0);
    place.packages.hold(false);
    await makeAnew();
    await expect.poll(() => isAlive(identity), eventually).toBe(false);
    expect(readDecisions(join(place.root, "egress"), 0).lines.slice(0, before.length)).toEqual(before);
    expect(readDecisions(join(place.root, "egress"), nextOffset).lines.length).toBeGreaterThan(0);
  });

  test("while it builds leaves no layer, and the next one ends its sandbox", async () => {
    const maker = startMaker();
    await expect.poll(() => started().length, eventually).toBe(1);
    await kill(maker);
    expect(layers()).toEqual([]);
    const sandboxes = readdirSync(join(place.root, "sandboxes")).map((id) =>
      join(place.root, "sandboxes", id),
    );
    const alive = sandboxes.flatMap((folder) => readRecord(folder)?.process ?? []);
    expect(alive).toHaveLength(1);
    await makeAnew();
    expect(alive.filter(isAlive)).toEqual([]);
    expect(readdirSync(join(place.root, "sandboxes"))).toEqual([]);
  });

  test("while another waits for it lets that one make the layer", async () => {
    const maker = startMaker();
    await expect.poll(() => started().length, eventually).toBe(1);
    const waiting = startMaker();
    const made = once(waiting.stdout!, "data");
    await kill(maker);
    const [old] = started();
    await expect.poll(() => started().some((path) => path !== old), eventually).toBe(true);
    letGo();
    expect(String(await made)).toBe("made");
    expect(layers()).toEqual([plan.key]);
  });

  test("for good is cleaned up after by the next collection", async () => {
    place.packages.hold(true);
    const maker = startMaker();
    await expect.poll(() => place.packages.requests.length, eventually).toBeGreaterThan(0);
    await kill(maker);
    expect(making()).toHaveLength(1);
    const store = new LayerStore(join(place.root, "layers"));
    store.collect({ bytesMax: 0, graceMs: 0, clock: systemClock });
    expect(making()).toEqual([]);
    place.packages.hold(false);
  });
});

test("a proxy that is killed fails the fetch, with a reason, and the next attempt works", async () => {
  place.packages.hold(true);
  const attempt = ensureLayer({ ...plan, build: [] }, place.tools);
  const failure = attempt.then(
    () => expect.fail("it went on"),
    (error: unknown) => error,
  );
  await expect.poll(() => place.packages.requests.length, eventually).toBeGreaterThan(0);
  const record = readEgressRecord(join(place.root, "egress")) ?? expect.fail("no proxy");
  process.kill(record.process.pid, "SIGKILL");
  place.packages.hold(false);
  expect(await failure).toMatchObject({ code: "E_LAYER_FAILED" });
  expect(readEgressRecord(join(place.root, "egress"))).toBeUndefined();
  expect(layers()).toEqual([]);
  expect((await ensureLayer({ ...plan, build: [] }, place.tools)).isReused).toBe(false);
});
