import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isNightshiftError } from "../../core/errors.ts";
import type { ExecId, SandboxId } from "../../core/ids.ts";
import type { ExecRequest, Sandbox } from "../contract.ts";
import { createProcessBackend, type ProcessBackend } from "../process.ts";
import { attachToDaemon } from "./attached-sandbox.ts";
import { readRecord } from "./record.ts";

const ID = "sbox_proxy_0" as SandboxId;
const { signal } = new AbortController();

/** Stands between harness and daemon and can cut the line. */
class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  constructor(path: string, target: string) {
    this.#server = createServer((near) => {
      this.connections++;
      const far = createConnection(target);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
      }
      near.pipe(far);
      far.pipe(near);
    }).listen(path);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

let folder: string;
let backend: ProcessBackend;
let line: Line;
let sandbox: Sandbox;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-line-"));
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  backend = createProcessBackend({ folder: join(folder, "state") });
  await backend.provision({ id: ID, workspace, noContactMs: 60_000, options: {} }, signal);
  const record = readRecord(join(folder, "state", ID)) ?? expect.fail("provisioned");
  line = new Line(join(folder, "line.sock"), join(folder, "state", ID, record.socket));
  sandbox = await attachToDaemon({ folder, socket: "line.sock", token: record.token }, ID, 3, signal);
});

afterEach(async () => {
  sandbox.detach();
  line.close();
  await backend.destroy(ID, undefined);
  rmSync(folder, { recursive: true, force: true });
});

function request(command: string): ExecRequest {
  return {
    execId: "sesn_line/c1_0/1" as ExecId,
    incarnation: sandbox.incarnation,
    operation: "shell",
    input: { command },
    limits: { wallMs: 10_000, outputBytes: 1000 },
  };
}

async function untilThere(name: string): Promise<void> {
  for (;;) {
    try {
      readFileSync(join(folder, "workspace", name));
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

test("a connection that breaks is made anew, and what waited gets its answer", async () => {
  const running = sandbox.execute(
    request("echo run >> counter; until test -f go; do sleep 0.01; done; echo end"),
    {
      signal,
    },
  );
  await untilThere("counter");
  line.cut();
  await expect.poll(() => line.connections).toBe(2);
  await sandbox.prepare("write", { file_path: "x", content: "" }, signal);
  const other = { ...request("touch go"), execId: "sesn_line/c1_1/1" as ExecId };
  await sandbox.execute(other, { signal });
  expect(await running).toMatchObject({ status: "finished", result: { output: "end\n" } });
  expect(readFileSync(join(folder, "workspace", "counter"), "utf8")).toBe("run\n");
});

test("a newer harness that came meanwhile is found out", async () => {
  const { handle } = await backend.provision(
    { id: ID, workspace: join(folder, "workspace"), noContactMs: 60_000, options: {} },
    signal,
  );
  const newer = await backend.attach(handle, 4, signal);
  line.cut();
  const error = await sandbox.cancel("x" as ExecId).catch((reason: unknown) => reason);
  expect(isNightshiftError(error, "E_SANDBOX_STALE"), String(error)).toBe(true);
  newer.detach();
});

test("when nobody listens any more the sandbox is lost", async () => {
  line.close();
  const error = await sandbox.execute(request("true"), { signal }).catch((reason: unknown) => reason);
  expect(isNightshiftError(error, "E_SANDBOX_LOST"), String(error)).toBe(true);
});

test("a detached connection is not made anew", async () => {
  const running = sandbox.execute(request("sleep 5"), { signal }).catch((reason: unknown) => reason);
  sandbox.detach();
  expect(isNightshiftError(await running, "E_SANDBOX_LOST")).toBe(true);
  expect(line.connections).toBe(1);
});

test("who answers under another name is not this sandbox", async () => {
  const record = readRecord(join(folder, "state", ID)) ?? expect.fail("provisioned");
  const other = "sbox_other_0" as SandboxId;
  const address = { folder, socket: "line.sock", token: record.token };
  const error = await attachToDaemon(address, other, 3, signal).catch((reason: unknown) => reason);
  expect(isNightshiftError(error, "E_SANDBOX_LOST"), String(error)).toBe(true);
});
