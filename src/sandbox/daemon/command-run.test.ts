import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CommandRun } from "./command-run.ts";
import { PipePool } from "./pipes.ts";

/** Runs in a process that has no descriptors left. */
const PROGRAM = `
import { openSync } from "node:fs";
import { CommandRun } from "./src/sandbox/daemon/command-run.ts";
import { PipePool } from "./src/sandbox/daemon/pipes.ts";
const pipe = await new PipePool(process.env.FOLDER).take();
try { for (;;) openSync("/dev/null", "r"); } catch {}
const argv = ["/bin/true"];
const limits = { wallMs: 5000, outputBytes: 1000 };
const ignore = () => undefined;
const run = new CommandRun({
  argv, folder: "/", environment: {}, marker: "none", limits, pipe, reaper: "/bin/true", onSpawn: ignore, onOutput: ignore,
});
const { ending, output } = await run.done;
process._rawDebug(ending + ": " + output);
process.exit(0);
`;

test("a command for which there are no descriptors is refused", () => {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-command-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = 'ulimit -n 300; exec "$0" --input-type=module-typescript --eval "$1" 2>&1';
  const output = execFileSync("sh", ["-c", script, process.execPath, PROGRAM], {
    env: { ...process.env, FOLDER: folder },
    encoding: "utf8",
  });
  expect(output).toMatch(/^refused: .*EMFILE/m);
});

test("a command whose reaper was killed before it told anything says by which signal", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-command-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const run = new CommandRun({
    argv: ["-c", "kill -KILL $$"],
    folder: "/",
    environment: {},
    marker: "none",
    limits: { wallMs: 5000, outputBytes: 1000 },
    pipe: await new PipePool(folder).take(),
    reaper: "/bin/sh",
    onSpawn: () => undefined,
    onOutput: () => undefined,
  });
  const result = await run.done;
  expect(result).toMatchObject({ ending: "exited", exitCode: null, output: "[ended by signal SIGKILL]" });
});
