import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Terminal } from "../support/terminal.ts";
import { bodiesOf, Place, Running } from "./place.ts";

let place: Place;
const typists: Running[] = [];

beforeEach(() => {
  place = new Place();
});

afterEach(async () => {
  for (const { child, hasEnded } of typists.splice(0)) if (!hasEnded) child.kill("SIGTERM");
  await place[Symbol.asyncDispose]();
});

/** Starts a command in a terminal of its own, 80 columns wide. */
function atTerminal(...words: readonly string[]): Running {
  const command = [process.execPath, resolve("bin/nightshift"), ...words]
    .map((word) => `'${word}'`)
    .join(" ");
  const child = spawn("script", ["-qec", `stty cols 80 rows 24; exec ${command}`, "/dev/null"], {
    cwd: place.project,
    env: place.environment({ TERM: "xterm" }),
    stdio: "pipe",
  });
  const running = new Running(child);
  typists.push(running);
  return running;
}

function seen({ output }: Running): Terminal {
  const terminal = new Terminal(80);
  terminal.write(output);
  return terminal;
}

test("at a terminal: the live view, attach beside it, Ctrl-C that pauses, and resume that asks", async () => {
  const slow = { tools: [{ name: "bash", input: { command: "while [ ! -e go ]; do sleep 0.1; done" } }] };
  const model = place.script({ turns: [slow, { text: "The end." }] });
  const run = atTerminal("run", "wait for me", "--model", model, "--max-requests", "9");
  const session = await run.says(/session {2}(sesn_\w+)/);
  await run.says(/last {5}.*tool\.started/);
  expect(seen(run).text).toMatch(
    /session {2}sesn_\w+[\s\S]* bash {5}while[\s\S]*\n── wait for me ─+ sesn_\w+ ──\nnow {6}runs bash\nspent {4}1 of 9 requests · .*\nlast {5}\d+ s ago: tool\.started\nCtrl-C pauses; nothing is lost$/,
  );

  const attached = atTerminal("attach", session);
  await attached.says(/q leaves; the session goes on/);
  expect(seen(attached).text).toMatch(/now {6}runs bash; process \d+ drives it/);
  attached.child.stdin?.write("q");
  expect((await attached.ended).code).toBe(130);
  expect(seen(attached).text).toMatch(
    /left; runs bash; process \d+ drives it\nnext: nightshift attach sesn_\w+$/,
  );

  run.child.stdin?.write("\u0003");
  await run.says(/pausing/);
  place.write("go", "");
  expect((await run.ended).code).toBe(130);
  expect(seen(run).text).toMatch(new RegExp(`paused, nothing lost\\nnext: nightshift resume ${session}\\n`));
  expect(seen(run).text).not.toContain("Ctrl-C pauses");

  const declined = atTerminal("resume", session);
  await declined.says(/go on\? \[Y\/n\]/);
  declined.child.stdin?.write("n\n");
  expect((await declined.ended).code).toBe(4);
  expect(seen(declined).text).toMatch(
    /stands {3}paused\nspent {4}1 request.*\nnext {5}lifts the pause, then asks the model/,
  );
  expect(bodiesOf(await place.events(session), "control.resume")).toEqual([]);
});

test("attach without a terminal prints lines, and ends as the session does", async () => {
  const run = place.start([
    "run",
    "go",
    "--model",
    place.script({ turns: [{ text: "Yes." }] }),
    "--tools",
    "none",
  ]);
  const session = await run.says(/session {2}(sesn_\w+)/);
  const { code, stdout } = await place.run(["attach", session]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/agent {4}Yes\.\n[\s\S]*spent {4}1 request/);
  expect(stdout).not.toContain("\u001b");
});
