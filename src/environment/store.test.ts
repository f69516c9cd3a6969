import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { LayerStore, notedSandboxes, noteSandbox, removeTree, sizeOf } from "./store.ts";

let folder: string;
let store: LayerStore;
let clock: ManualClock;
const { signal } = new AbortController();

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "nightshift-store-")), "layers");
  store = new LayerStore(folder);
  clock = new ManualClock();
});

afterEach(() => removeTree(join(folder, "..")));

const keyOf = (digit: string): string => digit.repeat(64);

async function publish(digit: string, bytes: number): Promise<void> {
  const key = keyOf(digit);
  const place = store.begin(key, "one");
  writeFileSync(join(place, "layer", "file"), "x");
  await store.publish(place, { key, ecosystem: "npm", outputs: [], bytes });
  store.find(key, clock);
}

const collect = (bytesMax: number, isNeeded?: (key: string) => boolean): readonly string[] =>
  store.collect({ bytesMax, graceMs: 1000, clock, ...(isNeeded === undefined ? {} : { isNeeded }) });

describe("a layer", () => {
  test("is found when it is published and not before", async () => {
    const place = store.begin(keyOf("a"), "one");
    expect(store.find(keyOf("a"), clock)).toBeUndefined();
    await store.publish(place, { key: keyOf("a"), ecosystem: "npm", outputs: [], bytes: 1 });
    expect(store.find(keyOf("a"), clock)).toMatchObject({ key: keyOf("a") });
    expect(store.leftovers(keyOf("a"))).toEqual([]);
  });

  test("is made by one at a time", async () => {
    const first = await store.lock(keyOf("a"), clock, signal);
    const second = store.lock(keyOf("a"), clock, signal);
    await clock.pass(200);
    let isFree = false;
    void second.then(() => {
      isFree = true;
    });
    await clock.pass(200);
    expect(isFree).toBe(false);
    first.close();
    (await clock.until(second)).close();
  });

  test("waiting for it can be given up", async () => {
    const lock = await store.lock(keyOf("a"), clock, signal);
    const controller = new AbortController();
    const waiting = store.lock(keyOf("a"), clock, controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    lock.close();
  });

  test("key that is none is refused: it would be a path", () => {
    expect(() => store.placeOf("../../elsewhere")).toThrow("no key");
  });
});

describe("collection", () => {
  test("removes the layers that were not used for the longest time, down to the bound", async () => {
    for (const digit of ["a", "b", "c"]) {
      await publish(digit, 10);
      await clock.pass(10_000);
    }
    store.find(keyOf("a"), clock);
    await clock.pass(10_000);
    expect(collect(30)).toEqual([]);
    expect(collect(20)).toEqual([keyOf("b")]);
    expect(store.find(keyOf("b"), clock)).toBeUndefined();
    expect(readdirSync(join(folder, "making"))).toEqual([]);
    expect(existsSync(join(store.placeOf(keyOf("a")), "layer", "file"))).toBe(true);
  });

  test("leaves what was used a moment ago, what is needed, and what is being made", async () => {
    await publish("a", 10);
    expect(collect(0)).toEqual([]);
    await clock.pass(10_000);
    expect(collect(0, (key) => key === keyOf("a"))).toEqual([]);
    const place = store.begin(keyOf("b"), "two");
    const lock = await store.lock(keyOf("b"), clock, signal);
    collect(100);
    expect(existsSync(place)).toBe(true);
    lock.close();
    collect(100);
    expect(existsSync(place)).toBe(false);
  });

  test("leaves what is mounted somewhere", async (context) => {
    await publish("a", 10);
    await clock.pass(10_000);
    const script = `mkdir ${folder}/mountpoint && mount --bind ${store.placeOf(keyOf("a"))} ${folder}/mountpoint && echo ready && exec cat`;
    const child = spawn("unshare", ["-Urm", "sh", "-c", script], { stdio: ["pipe", "pipe", "ignore"] });
    const answer = await new Promise<string>((resolve) => {
      child.once("error", () => resolve("failed"));
      child.once("close", () => resolve("failed"));
      child.stdout.once("data", (data) => resolve(String(data).trim()));
    });
    if (answer !== "ready") context.skip("user namespaces cannot be made here");
    expect(collect(0)).toEqual([]);
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.stdin.end();
    await ended;
    expect(collect(0)).toEqual([keyOf("a")]);
  });
});

test("trees are measured and removed without following links, also when they are read-only", () => {
  const outside = join(folder, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "kept"), "x".repeat(1000));
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "below"), { recursive: true });
  writeFileSync(join(tree, "below", "file"), "12345");
  symlinkSync(outside, join(tree, "link"));
  chmodSync(join(tree, "below"), 0o500);
  expect(sizeOf(tree)).toBe(5);
  removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(outside, "kept"))).toBe(true);
  rmSync(outside, { recursive: true });
});

test("sandboxes of a place are found after a crash", () => {
  const place = store.begin(keyOf("a"), "one");
  expect(notedSandboxes(place)).toEqual([]);
  noteSandbox(place, "sbox_1");
  noteSandbox(place, "sbox_2");
  expect(notedSandboxes(place)).toEqual(["sbox_1", "sbox_2"]);
});
