import { closeSync, mkdtempSync, readdirSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePipeNames, PipePool } from "./pipes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-pipes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("names that somebody has made are used first, and more are made when they are all taken", async () => {
  await makePipeNames(folder, { program: "mkfifo" });
  const made = readdirSync(folder).length;
  // Nobody could make another one with this.
  const pool = new PipePool(folder, { program: "false" });
  await pool.fill();
  expect(readdirSync(folder)).toEqual([]);
  const pipes = [];
  for (let taken = 0; taken < made; taken++) pipes.push(await pool.take());
  await expect(pool.take()).rejects.toMatchObject({ code: "E_SANDBOX_UNAVAILABLE" });
  for (const { readEnd, writeEnd } of pipes) {
    writeSync(writeEnd, "x");
    expect(readSync(readEnd, Buffer.alloc(2))).toBe(1);
    closeSync(readEnd);
    closeSync(writeEnd);
  }
});
