import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { readEnvironment } from "./processes.ts";

const MEBIBYTE = 2 ** 20;

/** A process can say that any amount of its memory is its environment, and whoever reads that waits for minutes. */
test("of an environment without end, only a part is read", async () => {
  const names = Array.from({ length: 15 }, (_, index) => `LARGE_${index}`);
  const environment = Object.fromEntries(names.map((name) => [name, "x".repeat(100_000)]));
  const child = spawn("/bin/cat", {
    env: { FIRST: "here", ...environment },
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(child, "spawn");
  child.stdin.write("x");
  await once(child.stdout, "data");
  const found = readEnvironment(child.pid ?? 0);
  child.kill("SIGKILL");
  expect(found.includes("FIRST=here")).toBe(true);
  expect(found.length).toBe(MEBIBYTE);
});

test("a process that is gone has no environment", () => {
  expect(readEnvironment(2 ** 22 + 1).length).toBe(0);
});
