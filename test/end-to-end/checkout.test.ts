import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { bodiesOf, eventually, type JsonObject, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
  git("init", "-q");
  place.write("a.txt", "hello\n");
  git("add", ".");
  git("commit", "-qm", "one");
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

function git(...words: readonly string[]): string {
  const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  return execFileSync("git", [...who, ...words], { cwd: place.project, encoding: "utf8" });
}

async function needsIsolation(context: TestContext): Promise<void> {
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== "bubblewrap") context.skip("bubblewrap does not work on this machine");
}

function bash(command: string): ScriptTurn {
  return { tools: [{ name: "bash", input: { command } }] };
}

function run(turns: readonly ScriptTurn[], ...flags: readonly string[]): readonly string[] {
  // The script is no part of the project: it would make it dirty.
  const model = place.script({ turns: [...turns] }, "../script.json");
  return ["run", "go", "--sandbox", "bubblewrap", "--model", model, ...flags];
}

async function newest(): Promise<string> {
  const { sessions } = (await place.json(["list"])) as { sessions: { session_id: string }[] };
  return sessions[0]?.session_id ?? "";
}

/** Everything in the user's folder, its repository and index among it. */
function fingerprint(folder: string): string {
  const digest = createHash("sha256");
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    digest.update(path);
    if (entry.isFile()) digest.update(readFileSync(path));
  }
  return digest.digest("hex");
}

describe("a session with a checkout of its own", () => {
  test("works in a sandbox without touching the user's folder; diff shows what it did", async (context) => {
    await needsIsolation(context);
    const before = fingerprint(place.project);
    const ending = await place.run(
      run([bash("pwd; echo more >> a.txt; echo new > b.txt; cat /etc/shadow"), { text: "Done." }]),
    );
    expect(ending.code, ending.stderr).toBe(0);
    const [result] = bodiesOf(await place.events(await newest()), "agent.tool_result");
    expect(JSON.stringify(result)).toMatch(/"\/workspace\\n[\s\S]*No such file/);
    expect(fingerprint(place.project)).toBe(before);
    const patch = await place.run(["diff", await newest()]);
    expect(patch.stdout).toMatch(/\+more[\s\S]*b\/b\.txt[\s\S]*\+new/);
    const status = await place.json(["status", await newest()]);
    expect(status).toMatchObject({ checkpoint: { number: 1 }, unsaved_runs: 0 });
    await place.expectSound();
    expect(readdirSync(join(place.state, "sandboxes", "bubblewrap"))).toEqual([]);
  });

  test("a pod that is killed: the next one begins with the checkpoint, and the model is told what is gone", async (context) => {
    await needsIsolation(context);
    const running = place.start(
      run([bash("echo one > one.txt"), bash("echo two > two.txt; sleep 60"), bash("ls"), { text: "Done." }]),
    );
    const session = await running.says(/session {2}(sesn_\w+)/);
    const folder = join(place.state, "sandboxes", "bubblewrap");
    await running.says(/sleep 60/);
    await eventually(() => existsSync(folder) && readdirSync(folder).length === 1, "a sandbox");
    for (const pid of podsBelow(folder)) process.kill(pid, "SIGKILL");
    const ending = await running.ended;
    expect(ending.code, ending.stderr).toBe(0);
    const events = await place.events(session);
    const [lost] = bodiesOf(events, "workspace.restored");
    expect(lost).toMatchObject({ checkpoint: 0, lost: [{ call: "c1_0" }, { call: "c2_0" }], lost_count: 2 });
    expect(JSON.stringify(lost)).toContain("whatever these calls changed in the workspace is gone");
    const results = bodiesOf(events, "agent.tool_result").map((body) => JSON.stringify(body.content));
    expect(results[1]).toContain("Outcome unknown");
    expect(results[2]).not.toMatch(/one\.txt|two\.txt/);
    await place.expectSound();
  });

  test("rewind takes the files back, and the model is told", async (context) => {
    await needsIsolation(context);
    const turns = [bash("echo one > one.txt"), { text: "First." }, bash("ls"), { text: "Second." }];
    expect((await place.run(run(turns))).code).toBe(0);
    const session = await newest();
    expect((await place.run(["rewind", session, "--to", "0"])).code).toBe(0);
    await place.run(["resume", session]);
    await place.run(["send", session, "go on"]);
    const ending = await place.run(["resume", session]);
    expect(ending.code, ending.stderr).toBe(0);
    const events = await place.events(session);
    expect(bodiesOf(events, "workspace.rewound")).toHaveLength(1);
    const last = JSON.stringify(bodiesOf(events, "agent.tool_result").at(-1));
    expect(last).toContain("a.txt");
    expect(last).not.toContain("one.txt");
    await place.expectSound();
  });

  test("a fork begins with the checkpoint of the original, and leaves that alone", async (context) => {
    await needsIsolation(context);
    const turns = [
      bash("echo one > one.txt"),
      { text: "First." },
      bash("cat one.txt; rm one.txt"),
      { text: "Second." },
    ];
    expect((await place.run(run(turns))).code).toBe(0);
    const original = await newest();
    const { session_id: copy } = await place.json(["fork", original]);
    expect((await place.run(["diff", String(copy), "--stat"])).stdout).toContain("one.txt");
    expect((await place.run(["report", String(copy)])).stdout).toContain("one.txt");
    await place.run(["send", String(copy), "go on"]);
    const ending = await place.run(["resume", String(copy)]);
    expect(ending.code, ending.stderr).toBe(0);
    const last = JSON.stringify(bodiesOf(await place.events(String(copy)), "agent.tool_result").at(-1));
    expect(last).toContain('"one\\n"');
    expect((await place.run(["diff", original, "--stat"])).stdout).toContain("one.txt");
    expect((await place.run(["diff", String(copy), "--stat"])).stdout).not.toContain("one.txt");
    await place.expectSound();
  });

  test("changes that are not committed are refused, included or ignored", async (context) => {
    await needsIsolation(context);
    place.write("a.txt", "changed\n");
    const turns = [bash("cat a.txt"), { text: "Done." }];
    const refused = await place.run(run(turns));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/E_WORKSPACE_DIRTY[\s\S]*--dirty=include/);
    expect((await place.run(["list"])).stdout).not.toContain("sesn_");
    const included = await place.run(run(turns, "--dirty", "include"));
    expect(included.stdout).toContain("| changed");
    const ignored = await place.run(run(turns, "--dirty", "ignore"));
    expect(ignored.stdout).toContain("| hello");
  });

  test("reaches what --network names and nothing else; each decision is in the log once", async (context) => {
    await needsIsolation(context);
    const address = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    if (address === undefined) return context.skip("this machine has no address but loopback");
    const heard: string[] = [];
    const server = createServer((request, response) => {
      heard.push(request.url ?? "");
      response.end("hello from outside");
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const { port } = server.address() as AddressInfo;
    const get = (path: string) =>
      `exec 3<>/dev/tcp/127.0.0.1/3128; printf 'GET http://${address}:${port}${path} HTTP/1.1\\r\\nHost: ${address}:${port}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`;
    const direct = `timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/${port}' && echo reached || echo no route`;
    const turns = [bash(get("/open/1")), bash(get("/closed/2")), bash(direct), { text: "Done." }];
    const ending = await place.run(run(turns, "--network", `${address}:${port}/open`));
    server.close();
    expect(ending.code, ending.stderr).toBe(0);
    const events = await place.events(await newest());
    const results = bodiesOf(events, "agent.tool_result").map((body) => JSON.stringify(body.content));
    expect(results[0]).toContain("hello from outside");
    expect(results[1]).not.toContain("hello from outside");
    expect(results[2]).toContain("no route");
    expect(heard).toEqual(["/open/1"]);
    const lines = bodiesOf(events, "egress.decided").flatMap(({ lines: some }) => some as JsonObject[]);
    const decisions = lines.filter(({ kind }) => kind === "decision");
    expect(decisions.map(({ path, verdict }) => [path, verdict])).toEqual([
      ["/open/1", "allowed"],
      ["/closed/2", "refused"],
    ]);
  });

  test("what a sandbox without isolation cannot do is refused", async () => {
    const ending = await place.run([
      ...run([{ text: "x" }], "--network", "example.com"),
      "--sandbox",
      "process",
    ]);
    expect(ending.code).toBe(2);
    expect(ending.stderr).toContain("--network needs a sandbox that isolates");
  });

  test("a rewind to what there is not, and of a session without a checkout", async (context) => {
    await needsIsolation(context);
    await place.run(run([{ text: "Done." }]));
    const missing = await place.run(["rewind", await newest(), "--to", "7"]);
    expect(missing.stderr).toMatch(/E_USAGE[\s\S]*no checkpoint 7/);
    await place.run([...run([{ text: "Done." }]), "--sandbox", "process"]);
    const without = await place.run(["checkpoint", await newest()]);
    expect(without.stderr).toContain("has no checkpoints");
  });
});

/** Process 1 of every pod whose folder is below this one. */
function podsBelow(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return argv.includes("bwrap") && argv.includes(folder);
      } catch {
        return false;
      }
    });
}
