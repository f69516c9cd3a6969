import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isNightshiftError } from "../core/errors.ts";
import type { ExecId, SandboxId } from "../core/ids.ts";
import type { SandboxSpec } from "./contract.ts";
import { FRAME_BYTES_MAX, GREETING_BYTES_MAX } from "./daemon/frames.ts";
import { isAlive } from "./daemon/processes.ts";
import { type DaemonRecord, readRecord, socketAddress } from "./daemon/record.ts";
import { createProcessBackend, type ProcessBackend } from "./process.ts";

const { signal } = new AbortController();
const ID = "sbox_unit_0" as SandboxId;

let folder: string;
let state: string;
let backend: ProcessBackend;
let spec: SandboxSpec;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-process-"));
  state = join(folder, "state");
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  backend = createProcessBackend({ folder: state });
  spec = { id: ID, workspace, noContactMs: 60_000, options: {} };
});

afterEach(async () => {
  await backend.destroy(ID, undefined);
  rmSync(folder, { recursive: true, force: true });
});

const sandboxFolder = (): string => join(state, ID);

function record(): DaemonRecord {
  const found = readRecord(sandboxFolder());
  return found ?? expect.fail("there is a record");
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => expect.fail("it was not refused"),
    (reason: unknown) => reason,
  );
  return isNightshiftError(error) ? error.code : String(error);
}

function connect(): Socket {
  const { path } = socketAddress(sandboxFolder(), record().socket);
  return createConnection({ path }).on("error", () => undefined);
}

/** Everything that the daemon says until it hangs up. */
async function conversation(...frames: string[]): Promise<string> {
  const socket = connect();
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  for (const frame of frames) socket.write(frame);
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

describe("what others on the machine can see", () => {
  test("is neither the token nor the folder's content", async () => {
    await backend.provision(spec, signal);
    const { token, socket, process: daemon } = record();
    const mode = (path: string): number => statSync(path).mode & 0o777;
    expect(mode(sandboxFolder())).toBe(0o700);
    for (const name of ["daemon.json", "journal", "daemon.log", socket]) {
      expect(mode(join(sandboxFolder(), name)), name).toBe(0o600);
    }
    for (const name of ["cmdline", "environ"]) {
      expect(readFileSync(`/proc/${daemon.pid}/${name}`, "utf8")).not.toContain(token);
    }
  });

  test("a folder that others can enter, or that is a link, is refused", async () => {
    mkdirSync(sandboxFolder(), { recursive: true });
    chmodSync(sandboxFolder(), 0o755);
    expect(await codeOf(backend.provision(spec, signal))).toBe("E_SANDBOX_UNAVAILABLE");
    rmSync(sandboxFolder(), { recursive: true });
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, sandboxFolder());
    expect(await codeOf(backend.provision(spec, signal))).toBe("E_SANDBOX_UNAVAILABLE");
    rmSync(sandboxFolder());
  });
});

describe("whoever reaches the socket", () => {
  test("gets nothing without the token, and one answer to nonsense", async () => {
    await backend.provision(spec, signal);
    const hello = (token: string): string =>
      `${JSON.stringify({ n: 1, method: "hello", protocol: 1, token })}\n`;
    const { token } = record();
    expect(await conversation(hello("wrong"))).toContain("wrong token");
    expect(await conversation('{"n":1,"method":"shutdown"}\n')).toContain("say hello first");
    expect(await conversation(`${"x".repeat(GREETING_BYTES_MAX + 1)}`)).toContain("exceeds");
    expect(await conversation(hello(token), "nonsense\n")).toMatch(/incarnation[\s\S]*malformed/);
    const attach = '{"n":2,"method":"execute","request":{}}\n';
    expect(await conversation(hello(token), attach)).toContain("malformed");
    const old = `${JSON.stringify({ n: 1, method: "hello", protocol: 99, token })}\n`;
    expect(await conversation(old)).toContain("protocol");
    expect(isAlive(record().process)).toBe(true);
  });

  test("must attach before anything else, and may not send frames without end", async () => {
    await backend.provision(spec, signal);
    const { token } = record();
    const hello = `${JSON.stringify({ n: 1, method: "hello", protocol: 1, token })}\n`;
    const cancel = '{"n":2,"method":"cancel","execId":"x"}\n';
    const early = connect();
    early.write(hello + cancel);
    let text = "";
    for await (const part of early.setEncoding("utf8") as AsyncIterable<string>) {
      text += part;
      if (text.split("\n").length > 2) break;
    }
    expect(text).toContain("attach first");
    const endless = conversation(hello, "x".repeat(FRAME_BYTES_MAX + 1));
    expect(await endless).toContain("exceeds");
    expect(isAlive(record().process)).toBe(true);
  });
});

describe("provisioning", () => {
  test("refuses another workspace for the same sandbox", async () => {
    await backend.provision(spec, signal);
    const other = { ...spec, workspace: folder };
    expect(await codeOf(backend.provision(other, signal))).toBe("E_SANDBOX_UNAVAILABLE");
  });

  test("refuses ids that are no folder names", async () => {
    for (const id of ["..", "a/b", "", "x".repeat(200)]) {
      const bad = { ...spec, id: id as SandboxId };
      expect(await codeOf(backend.provision(bad, signal))).toBe("E_SANDBOX_UNAVAILABLE");
    }
  });

  test("can be aborted", async () => {
    const impatient = new AbortController();
    const provisioning = backend.provision(spec, impatient.signal);
    impatient.abort(new Error("no time"));
    await expect(provisioning).rejects.toThrow("no time");
  });

  test("goes on where an unreadable record and a dead socket were left", async () => {
    await backend.provision(spec, signal);
    process.kill(record().process.pid, "SIGKILL");
    writeFileSync(join(sandboxFolder(), "daemon.json"), "{");
    const { handle } = await backend.provision(spec, signal);
    const sandbox = await backend.attach(handle, 1, signal);
    sandbox.detach();
  });

  test("finds no daemon in a process that has taken over its number", async () => {
    const { handle } = await backend.provision(spec, signal);
    const { process: daemon } = record();
    process.kill(daemon.pid, "SIGKILL");
    while (isAlive(daemon)) await new Promise((resolve) => setImmediate(resolve));
    const stranger = spawn("sleep", ["60"]);
    const forged = { ...JSON.parse(readFileSync(join(sandboxFolder(), "daemon.json"), "utf8")) };
    forged.process.pid = stranger.pid;
    writeFileSync(join(sandboxFolder(), "daemon.json"), JSON.stringify(forged));
    expect(await codeOf(backend.attach(handle, 1, signal))).toBe("E_SANDBOX_LOST");
    await backend.destroy(ID, handle);
    expect(stranger.exitCode === null && stranger.signalCode === null, "strangers are not killed").toBe(true);
    stranger.kill("SIGKILL");
  });
});

describe("destroying", () => {
  test("removes nothing that is not a folder of this sandbox", async () => {
    const precious = join(folder, "precious");
    mkdirSync(precious, { mode: 0o700 });
    expect(await codeOf(backend.destroy(ID, { folder: precious }))).toBe("E_SANDBOX_UNAVAILABLE");
    expect(existsSync(precious)).toBe(true);
  });

  test("ends a daemon that is stopped and cannot answer", async () => {
    const { handle } = await backend.provision(spec, signal);
    const { process: daemon } = record();
    process.kill(daemon.pid, "SIGSTOP");
    await backend.destroy(ID, handle);
    expect(isAlive(daemon)).toBe(false);
    expect(existsSync(sandboxFolder())).toBe(false);
  });
});

test("a daemon whose folder is taken away ends itself and what runs in it", async () => {
  const { handle, incarnation } = await backend.provision(spec, signal);
  const sandbox = await backend.attach(handle, 1, signal);
  const { process: daemon } = record();
  const request = {
    execId: "sesn_unit/c1_0/1" as ExecId,
    incarnation,
    operation: "shell",
    input: { command: "sleep 600" },
    limits: { wallMs: 60_000, outputBytes: 1000 },
  } as const;
  const running = sandbox.execute(request, { signal }).catch(() => undefined);
  rmSync(sandboxFolder(), { recursive: true });
  await running;
  while (isAlive(daemon)) await new Promise((resolve) => setTimeout(resolve, 10));
  sandbox.detach();
});

test("it says aloud that it is no isolation", () => {
  expect(backend.warning).toMatch(/no isolation/);
});
