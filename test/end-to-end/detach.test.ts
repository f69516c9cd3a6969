import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, Place } from "./place.ts";

let place: Place;
let strays: number[] = [];
beforeEach(() => {
  place = new Place();
  strays = [];
});
afterEach(async () => {
  for (const pid of strays) end(pid);
  await eventually(() => !strays.some(isAlive), "the end of what was left in the background");
  await place[Symbol.asyncDispose]();
});

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** A process of ours that has ended is nobody's child here, so that only its absence tells. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const WORK = { turns: [{ tools: [{ name: "bash", input: { command: "touch worked" } }] }, { text: "done" }] };

async function detached(...flags: readonly string[]): Promise<{ session: string; pid: number; log: string }> {
  const words = ["run", "--detach", "--model", place.script(WORK), ...flags, "go"];
  const found = await place.json(words);
  const pid = Number(found.pid);
  strays.push(pid);
  return { session: String(found.session_id), pid, log: String(found.log) };
}

describe("in the background", { timeout: 120_000 }, () => {
  test("a session goes on without its terminal, and its process ends with it", async () => {
    const { session, pid, log } = await detached();
    await eventually(() => !isAlive(pid), "the end of the process");
    expect(existsSync(join(place.project, "worked"))).toBe(true);
    expect(await place.json(["status", session])).toMatchObject({
      stop_reason: { type: "end_turn" },
      watcher_pids: [],
    });
    expect(readFileSync(log, "utf8")).toContain("touch worked");
  });

  test("it stays while a person may lift what holds it, and then goes on by itself", async () => {
    const { session, pid } = await detached("--max-requests", "1");
    const standing = (): Promise<unknown> => place.json(["status", session]);
    await eventually(
      async () => JSON.stringify(await standing()).includes('"type":"budget_reached"'),
      "its cap is reached",
    );
    expect(await standing()).toMatchObject({ watcher_pids: [pid] });
    // A hang-up of a terminal reaches a whole group of processes; it is in none of ours.
    expect(isAlive(pid)).toBe(true);
    const more = [{ type: "control.set_limits", body: { limits: { model_requests: 5 } } }];
    const raise = [...more, { type: "control.resume", body: {} }];
    expect((await place.run(["submit", session], { input: JSON.stringify(raise) })).code).toBe(0);
    await eventually(() => !isAlive(pid), "the end of the process");
    expect(await standing()).toMatchObject({ stop_reason: { type: "end_turn" } });
  });

  test("what cannot begin is told at once, with what is in its log", async () => {
    const words = ["run", "--detach", "--model", place.script(WORK), "--title", "first", "go"];
    const env = { PATH: brokenInhibitor() };
    const { code, stderr } = await place.run(words, { env });
    expect(code).toBe(70);
    expect(stderr).toContain("could not start anything");
    expect(stderr).toContain("nightshift resume sesn_");
  });

  test("the machine is kept awake where that can be asked for", async () => {
    const env = {
      PATH: inhibitor(
        `echo "$@" >> ${place.folder}/asked; while [ "\${1#--}" != "$1" ]; do shift; done; exec "$@"`,
      ),
    };
    const words = ["run", "--detach", "--model", place.script(WORK), "go"];
    const found = await place.json(words, { env });
    strays.push(Number(found.pid));
    const asked = readFileSync(join(place.folder, "asked"), "utf8");
    expect(asked).toMatch(/--what=idle:sleep .*--mode=block true\n/);
    expect(asked).toMatch(/--mode=block \S*node.* resume sesn_/);
  });
});

/** A folder of programs in which `systemd-inhibit` is this script. */
function inhibitor(script: string): string {
  const file = place.write("../bin/systemd-inhibit", `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return `${join(place.folder, "bin")}:${process.env.PATH}`;
}

/** It says that it works and then does not. */
function brokenInhibitor(): string {
  return inhibitor('for last; do :; done; [ "$last" = true ] || { echo could not start anything; exit 3; }');
}

describe("who wakes what waits", { timeout: 120_000 }, () => {
  /** A session that is to be tried again in an hour, and whose process is gone. */
  async function waiting(): Promise<string> {
    const headers = { "retry-after": "3600" };
    const turns = [{ text: "done", fail: [{ kind: "status" as const, status: 429, headers }] }];
    const running = place.start(["run", "--model", place.script({ turns }), "go"]);
    const session = await running.says(/session {2}(\S+)/);
    await place.hasEvent(session, "session.status_rescheduled");
    running.child.kill("SIGKILL");
    await running.ended;
    return session;
  }

  test("status says that nobody does, and how to change that", async () => {
    const session = await waiting();
    const alone = await place.run(["status", session]);
    expect(alone.stderr).toContain("nobody is there to wake it: nightshift resume --all --stay");
    expect(alone.stderr).toContain("nightshift doctor --install-service");
    const engine = place.start(["resume", "--all", "--stay"]);
    const pid = engine.child.pid ?? 0;
    await eventually(
      async () => (await place.run(["status", session])).stderr.includes(`process ${pid} stays`),
      "somebody who stays is seen",
    );
    expect(await place.json(["status", session])).toMatchObject({ watcher_pids: [pid] });
    engine.child.kill("SIGKILL");
    await engine.ended;
    expect(await place.json(["status", session])).toMatchObject({ watcher_pids: [] });
  });

  test("doctor writes a service that stays, and starts nothing", async () => {
    const { path, commands } = await place.json(["doctor", "--install-service"]);
    const unit = readFileSync(String(path), "utf8");
    expect(unit).toContain(`"resume" "--all" "--stay" "--state" "${place.state}"`);
    expect(unit).toContain("Restart=always");
    expect(commands).toContain("systemctl --user daemon-reload");
    const [, line = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const [file = "", ...words] = [...line.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word);
    expect([file, words[0]]).toEqual([process.execPath, resolve("bin/nightshift")]);
    // As systemd would start it: without a shell, and with nothing of ours in its environment.
    const session = await waiting();
    const env = place.environment() as NodeJS.ProcessEnv;
    const service = spawn(file, words, { env: { HOME: env.HOME, PATH: env.PATH }, stdio: "ignore" });
    strays.push(service.pid ?? 0);
    await eventually(
      async () => JSON.stringify(await place.json(["status", session])).includes(`[${service.pid}]`),
      "the service stays",
    );
  });
});
