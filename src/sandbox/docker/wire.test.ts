import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WireListener } from "./wire.ts";

const TOKEN = "0123456789abcdef";
const NEVER = new AbortController().signal;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-wire-"));
  mkdirSync(closed());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pod = (): string => join(folder, "pod");
const closed = (): string => join(folder, "closed");
const pipes = (): string => join(closed(), "pipes");

function dial(): Socket {
  return connect(join(pod(), "wire.sock")).on("error", () => undefined);
}

async function firstBytes(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.on("data", (chunk: Buffer) => resolve(chunk.toString())));
}

test("a runner that shows the token gets the wire, with what it has said already, and nothing stays to connect to", async () => {
  const listener = await WireListener.open(pod(), TOKEN);
  expect(readFileSync(join(pod(), "token"), "utf8")).toBe(TOKEN);
  expect(statSync(join(pod(), "token")).mode & 0o777).toBe(0o400);
  const runner = dial();
  runner.write(`${TOKEN}\nfirst words`);
  const wire = await listener.accept(TOKEN, closed(), NEVER);
  expect(await firstBytes(wire)).toBe("first words");
  expect(readdirSync(pod())).toEqual([]);
  expect(existsSync(pipes())).toBe(true);
  const late = dial();
  await new Promise((resolve) => late.once("close", resolve));
  const heard = firstBytes(runner);
  wire.write("answer");
  expect(await heard).toBe("answer");
  runner.destroy();
  wire.destroy();
});

test("a runner may come before anybody waits for it, and its token in pieces", async () => {
  const listener = await WireListener.open(pod(), TOKEN);
  const runner = dial();
  await new Promise((resolve) => runner.once("connect", resolve));
  runner.write(TOKEN.slice(0, 5));
  const accepted = listener.accept(TOKEN, closed(), NEVER);
  runner.write(`${TOKEN.slice(5)}\n`);
  (await accepted).destroy();
  runner.destroy();
});

test.each([
  ["another token", "0123456789abcdeX\n", "another token"],
  ["a part of it", `${TOKEN.slice(0, -1)}\n`, "another token"],
  ["too much", "x".repeat(500), "another token"],
])("what shows %s is refused", async (_what, shown, reason) => {
  const listener = await WireListener.open(pod(), TOKEN);
  const stranger = dial();
  stranger.write(shown);
  await expect(listener.accept(TOKEN, closed(), NEVER)).rejects.toThrow(reason);
  expect(existsSync(pipes())).toBe(false);
  listener.close();
  stranger.destroy();
});

test("what hangs up is refused, and waiting can be ended", async () => {
  const listener = await WireListener.open(pod(), TOKEN);
  const stranger = dial();
  stranger.end();
  await expect(listener.accept(TOKEN, closed(), NEVER)).rejects.toThrow("hung up");
  listener.close();
  const another = await WireListener.open(pod(), TOKEN);
  const reason = new Error("enough");
  await expect(another.accept(TOKEN, closed(), AbortSignal.abort(reason))).rejects.toBe(reason);
  another.close();
});
