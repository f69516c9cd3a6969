import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { Running } from "./place.ts";

/** What each example prints; one that is not listed fails. */
const PRINTS: { readonly [name: string]: RegExp } = {
  "hello-session.ts": /^sesn_\w+ left\nHello! Nothing to do here\.\n$/,
  "resume-after-kill.ts":
    /^killed a process in the middle of an answer\nidle after 2 requests, 1 of them lost\n$/,
  "follow-session.ts":
    /^ +1 session\.created\n +2 user\.message\n(.*\n)* +\d+ session\.status_idle\n(.*\n)* +\d+ agent\.message\n(.*\n)*.*session\.status_idle\n$/,
};

test.each(readdirSync("examples").filter((name) => name.endsWith(".ts")))("%s runs", async (name) => {
  const child = spawn(process.execPath, [`examples/${name}`], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  const { code, stdout, stderr } = await new Running(child).ended;
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(PRINTS[name] ?? /^$/);
});
