import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ending, readEnding } from "../daemon/reaped.ts";
import { reaperProgram } from "./reaper.ts";

let folder: string;
let reaper: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-reaper-"));
  reaper = join(folder, "reaper");
  writeFileSync(reaper, reaperProgram(process.arch) ?? expect.fail("there is one for this architecture"), {
    mode: 0o700,
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(...argv: string[]): { child: ChildProcess; ending: Promise<Ending> } {
  const child = spawn(reaper, argv, {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
    detached: true,
    env: { WORD: "passed", PATH: "/usr/bin:/bin" },
  });
  return { child, ending: readEnding(child.stdio[3] as Readable) };
}

async function outputOf({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const part of (stdout ?? Readable.from([])).setEncoding("utf8") as AsyncIterable<string>)
    text += part;
  return text;
}

test("the command gets its arguments and environment, and its exit code is told", async () => {
  const { child, ending } = start("/bin/sh", "-c", 'echo "$WORD $0 $1"; exit 7', "zero", "one");
  expect(await outputOf(child)).toBe("passed zero one\n");
  expect(await ending).toEqual({ code: 7, signal: null });
});

test("a signal that ends the command is told, also one that its whole group gets", async () => {
  expect(await start("/bin/sh", "-c", "kill -KILL $$").ending).toEqual({ code: null, signal: "SIGKILL" });
  expect(await start("/bin/sh", "-c", "kill -TERM 0").ending).toEqual({ code: null, signal: "SIGTERM" });
});

test("a program that cannot be started ends with 127", async () => {
  expect(await start("/nowhere").ending).toEqual({ code: 127, signal: null });
});

test("it tells of the command at once, gets its orphans, buries them and goes with the last of them", async () => {
  const wait = join(folder, "wait");
  const orphan = `(setsid sh -c 'echo $$; until test -e ${wait}; do sleep 0.02; done' &)`;
  const { child, ending } = start("/bin/sh", "-c", `${orphan}; for i in 1 2 3; do (true &) ; done; exit 0`);
  const output = outputOf(child);
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(child.exitCode, "it lives on").toBeNull();
  const children = (): string[] =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ").filter(Boolean);
  while (children().length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const exit = once(child, "exit");
  writeFileSync(wait, "");
  expect(await exit).toEqual([0, null]);
  expect((await output).trim()).toMatch(/^\d+$/);
});

test("when it is killed, nothing is claimed", async () => {
  const { child, ending } = start("/bin/sh", "-c", "kill -KILL $PPID; exit 0");
  await once(child, "exit");
  expect(await ending).toEqual({ code: null, signal: null });
});

test("nobody else has its descriptor", async () => {
  const { child } = start("/bin/sh", "-c", "test -e /proc/self/fd/3 || echo none");
  expect(await outputOf(child)).toBe("none\n");
});

test("there is one for each architecture that there is a filter for, and none for others", () => {
  expect(reaperProgram("arm64")?.readUInt16LE(18)).toBe(183);
  expect(reaperProgram("x64")?.readUInt16LE(18)).toBe(62);
  expect(reaperProgram("mips")).toBeUndefined();
});
