/** The proxy as a process: who finds it, what outlives what, and what others on the machine can see. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../runtime/system.ts";
import { isAlive, type ProcessIdentity } from "../../sandbox/daemon/processes.ts";
import { type EgressShim, startEgressShim } from "../../sandbox/egress-shim.ts";
import { EGRESS_LIMITS, type EgressPolicy } from "./contract.ts";
import { readDecisions } from "./decisions.ts";
import { keepEgress } from "./keeper.ts";
import { readEgressRecord } from "./record.ts";
import { type EgressOptions, ensureEgress, stopEgress } from "./start.ts";

const SECRET = "secret-cafebabe-0123456789";

let root: string;
let folder: string;
let web: Server;
let options: EgressOptions;
let shims: EgressShim[];
let children: ChildProcess[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "nightshift-egress-"));
  folder = join(root, "a-long-name-for-a-folder-".repeat(4), "egress");
  web = createServer((request, response) => response.end(request.headers.authorization ?? "nothing"));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", () => resolve()));
  const { signal } = new AbortController();
  options = { folder, policy: policyFor("allowed.test"), noContactMs: 60_000, signal };
  shims = [];
  children = [];
});

afterEach(async () => {
  for (const shim of shims) shim.close();
  for (const child of children) child.kill("SIGKILL");
  await stopEgress(folder);
  web.close();
  rmSync(root, { recursive: true, force: true });
});

const webPort = (): number => (web.address() as AddressInfo).port;

function policyFor(host: string): EgressPolicy {
  return {
    rules: [{ name: "web", host, port: webPort(), addresses: ["127.0.0.1"] }],
    injections: [{ host, headers: { authorization: SECRET }, allowPlainText: true }],
    limits: EGRESS_LIMITS,
  };
}

function record(): { readonly process: ProcessIdentity; readonly incarnation: string } {
  return readEgressRecord(folder) ?? expect.fail("there is a record");
}

async function gone(identity: ProcessIdentity): Promise<void> {
  await expect.poll(() => isAlive(identity), { timeout: 15_000, interval: 20 }).toBe(false);
}

/** Through a shim, as from inside a sandbox. */
async function ask(socket: string, host = "allowed.test"): Promise<string> {
  const shim = await startEgressShim(socket, 0);
  shims.push(shim);
  return new Promise((resolve, reject) => {
    const path = `http://${host}:${webPort()}/`;
    const request = httpRequest({ host: "127.0.0.1", port: shim.port, path, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
    request.end();
  });
}

/** Starts the proxy from another process, which then waits. */
async function otherHarness(): Promise<ChildProcess> {
  const code = `
    const { ensureEgress } = await import(${JSON.stringify(new URL("./start.ts", import.meta.url).href)});
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    const options = JSON.parse(Buffer.concat(chunks).toString());
    await ensureEgress({ ...options, signal: new AbortController().signal });
    setInterval(() => undefined, 1000);
    process.stdout.write("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  child.stdin.end(JSON.stringify({ ...options, signal: undefined }));
  await once(child.stdout, "data");
  return child;
}

describe("a proxy", () => {
  test("serves through the shim, is found again and stops for good", async () => {
    const first = await ensureEgress(options);
    expect(await ask(first.socket)).toBe(SECRET);
    const { process: proxy } = record();
    first.detach();
    expect(await first.ended).toEqual({ reason: "detached" });
    const second = await ensureEgress(options);
    expect(second.incarnation).toBe(first.incarnation);
    await stopEgress(folder);
    expect(isAlive(proxy)).toBe(false);
    expect(await second.ended).toEqual({ reason: "proxy_gone" });
    expect(existsSync(second.socket)).toBe(false);
    expect(readEgressRecord(folder)).toBeUndefined();
    expect(readDecisions(folder, 0).lines).toMatchObject([{ kind: "decision" }, { kind: "transfer" }]);
    await stopEgress(folder);
  });

  test("is started once by two at the same time", async () => {
    const both = await Promise.all([ensureEgress(options), ensureEgress(options)]);
    expect(both[0].incarnation).toBe(both[1].incarnation);
  });

  test("outlives a harness that is killed, and hears of new rules from the next", async () => {
    const harness = await otherHarness();
    const { process: proxy, incarnation } = record();
    const killed = once(harness, "exit");
    harness.kill("SIGKILL");
    await killed;
    expect(isAlive(proxy)).toBe(true);
    const socket = join(folder, "socket", "proxy.sock");
    expect(await ask(socket)).toBe(SECRET);
    const connection = await ensureEgress({ ...options, policy: policyFor("other.test") });
    expect(connection.incarnation).toBe(incarnation);
    expect(await ask(socket)).toContain("no way out");
    expect(await ask(socket, "other.test")).toBe(SECRET);
  });

  test("that is killed is noticed and replaced on the same socket; its decisions go on", async () => {
    const troubles: string[] = [];
    const clock = systemClock;
    const keeper = await keepEgress({ ...options, clock, onTrouble: (text) => troubles.push(text) });
    expect(await ask(keeper.socket)).toBe(SECRET);
    const before = record();
    const { nextOffset } = readDecisions(folder, 0);
    process.kill(before.process.pid, "SIGKILL");
    await expect
      .poll(() => readEgressRecord(folder)?.incarnation !== before.incarnation, { timeout: 15_000 })
      .toBe(true);
    await expect.poll(() => ask(keeper.socket).catch(() => "not yet"), { timeout: 15_000 }).toBe(SECRET);
    expect(troubles[0]).toContain("started anew");
    // How it went is noted down when it is over, after the answer.
    await expect
      .poll(() => readDecisions(folder, nextOffset).lines.length, { timeout: 15_000 })
      .toBeGreaterThanOrEqual(2);
    const after = record();
    await keeper.stop();
    expect(isAlive(after.process)).toBe(false);
  });

  test("ends without a harness, and when its record is gone", async () => {
    (await ensureEgress({ ...options, noContactMs: 50 })).detach();
    const { process: lonely } = record();
    await gone(lonely);
    const connection = await ensureEgress(options);
    const { process: unknown } = record();
    rmSync(join(folder, "egress.json"));
    await connection.ended;
    await gone(unknown);
  });

  test("that cannot be asked is ended all the same", async () => {
    await ensureEgress(options);
    const { process: proxy } = record();
    rmSync(join(folder, "egress.json"));
    rmSync(join(folder, "control.sock"));
    await stopEgress(folder);
    expect(isAlive(proxy)).toBe(false);
  });
});

describe("what others on the machine can see", () => {
  test("is no secret: not in arguments, environment, or any file", async () => {
    const connection = await ensureEgress(options);
    await ask(connection.socket);
    const { process: proxy } = record();
    for (const name of ["cmdline", "environ"]) {
      expect(readFileSync(`/proc/${proxy.pid}/${name}`, "utf8")).not.toContain(SECRET);
    }
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const found = statSync(path);
      if (found.isFile()) expect(readFileSync(path, "utf8"), name).not.toContain(SECRET);
    }
    const mode = (path: string): number => statSync(path).mode & 0o777;
    expect(mode(folder)).toBe(0o700);
    expect(mode(connection.socket)).toBe(0o600);
    expect(readdirSync(dirname(connection.socket))).toEqual(["proxy.sock"]);
  });

  test("a folder that others can enter is refused", async () => {
    await ensureEgress(options);
    await stopEgress(folder);
    chmodSync(folder, 0o755);
    await expect(ensureEgress(options)).rejects.toMatchObject({ code: "E_EGRESS_UNAVAILABLE" });
    chmodSync(folder, 0o700);
  });
});
