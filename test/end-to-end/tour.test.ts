/** The README's tour, command by command, as somebody would type it. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { type Ending, Place, Running } from "./place.ts";

/** The tour says 20 seconds, so that a person has the time to find the process. */
const NAP = ["sleep 20", "sleep 4"] as const;

const tour =
  readFileSync("README.md", "utf8").split("\n## A tour of five minutes\n")[1]?.split("\n## ")[0] ?? "";
const [scripted = "", afterwards = "", verified = "", ...others] = [
  ...tour.matchAll(/```sh\n(.*?)```/gs),
].map(([, commands = ""]) => commands);

let place: Place;
beforeEach(async (context) => {
  const sandbox = await chooseSandbox(process.env).catch(() => "process");
  if (sandbox === "process") context.skip("checks need a sandbox that isolates");
  place = new Place();
  const programs = join(place.folder, "bin");
  mkdirSync(programs);
  const program = join(programs, "nightshift");
  writeFileSync(
    program,
    `#!/bin/sh\necho $$ > ${place.folder}/pid\nexec ${process.execPath} ${resolve("bin/nightshift")} "$@"\n`,
  );
  chmodSync(program, 0o755);
});
afterEach(() => place[Symbol.asyncDispose]());

function type(commands: string): Running {
  const who = { GIT_AUTHOR_NAME: "me", GIT_AUTHOR_EMAIL: "me@example.org" };
  const env = {
    ...place.environment({ NIGHTSHIFT_SANDBOX: undefined }),
    ...{ ...who, GIT_COMMITTER_NAME: "me", GIT_COMMITTER_EMAIL: "me@example.org" },
    PATH: [join(place.folder, "bin"), process.env.PATH].join(delimiter),
  };
  const child: ChildProcess = spawn("bash", ["-ec", commands], {
    cwd: place.project,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Running(child);
}

async function typed(commands: string): Promise<Ending> {
  const ending = await type(commands).ended;
  expect(ending.code, ending.stdout + ending.stderr).toBe(0);
  return ending;
}

test("a kill in the middle of a command, and what is said afterwards", { timeout: 120_000 }, async () => {
  expect(others).toEqual([]);
  const first = type(scripted.replace(...NAP));
  await place.hasEvent(await first.says(/session {2}(\S+)/), "tool.started");
  process.kill(Number(readFileSync(join(place.folder, "pid"), "utf8")), "SIGKILL");
  expect((await first.ended).code).not.toBe(0);

  const { stdout } = await typed(afterwards);
  expect(stdout).toMatch(/due/);
  expect(stdout).toContain("looked");
  expect(stdout.match(/"tool\.started"/g)).toHaveLength(1);
  expect(stdout).toContain("Done.");
});

test("verified, reported, applied, exported, verified again", { timeout: 240_000 }, async () => {
  const [until = "", afterRun = ""] = verified.split(/(?<=nightshift run .*\n)/);
  const run = await typed(until);
  const session = /session {2}(\S+)/.exec(run.stdout)?.[1] ?? "none";
  const rest = await typed(`cd sum\n${afterRun.replaceAll("<session>", session)}git show HEAD:add.js`);
  expect(run.stdout).toContain("verified");
  expect(rest.stdout).toContain("a + b");
});
