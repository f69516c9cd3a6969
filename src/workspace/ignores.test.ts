/** What is ignored is what hostile files say, and git repeats some of it. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collectGarbage } from "../../test/support/garbage.ts";
import { git, temporaryFolder } from "../../test/support/repositories.ts";
import { IGNORE_QUESTION, Ignores } from "./ignores.ts";
import { bytePath } from "./paths.ts";

const PATIENCE_MS = 1_000;

function ignoresOf(
  patterns: string,
  signal: AbortSignal = new AbortController().signal,
  patienceMs = PATIENCE_MS,
): Ignores {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "project"));
  git(join(folder, "project"), "init", "-q");
  writeFileSync(join(folder, "project", ".gitignore"), patterns);
  const child = spawn("git", [...IGNORE_QUESTION], { cwd: join(folder, "project"), stdio: "pipe" });
  return new Ignores(child, signal, patienceMs);
}

/** Takes git longer than anybody lives. */
const ENDLESS = { patterns: `${"**/a/".repeat(16)}b\n`, path: bytePath(`${"a/".repeat(60)}c`) };

test("says which paths are ignored", async () => {
  const ignores = ignoresOf("*.log\n!kept.log\n# :(top)\n");
  const paths = ["a.log", "kept.log", "b", "d/c.log", ":odd.log", "new\nline.log"].map(bytePath);
  const ignored = await ignores.select(paths);
  expect([...ignored]).toEqual(["a.log", "d/c.log", ":odd.log", "new\nline.log"]);
  expect([...(await ignores.select([bytePath("x.log")]))]).toEqual(["x.log"]);
  ignores.close();
});

test("keeps nothing of patterns, however long they are", async () => {
  const ignores = ignoresOf(`${"*".repeat(2 ** 20)}\n`, undefined, 15_000);
  await collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const ignored = await ignores.select(Array.from({ length: 300 }, (_, index) => bytePath(`f${index}`)));
  expect(ignored.size).toBe(300);
  await collectGarbage();
  expect(process.memoryUsage().heapUsed - before, "bytes more than before").toBeLessThan(100 * 2 ** 20);
  ignores.close();
});

test("a pattern that takes for ever ends the conversation", async () => {
  const ignores = ignoresOf(ENDLESS.patterns);
  await expect(ignores.select([ENDLESS.path])).rejects.toMatchObject({ code: "E_WORKSPACE_BUSY" });
});

test("whoever waits for an answer can stop waiting", async () => {
  const stop = new AbortController();
  const ignores = ignoresOf(ENDLESS.patterns, stop.signal);
  const answer = ignores.select([ENDLESS.path]);
  stop.abort(new Error("enough"));
  await expect(answer).rejects.toThrow("enough");
});
