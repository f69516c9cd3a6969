import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../runtime/system.ts";
import { EGRESS_LIMITS } from "./contract.ts";
import { DecisionLog } from "./decisions.ts";
import { EgressProxy } from "./proxy.ts";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let folder: string;
let log: DecisionLog;
let proxy: EgressProxy;
let host: Server;
/** What reached the host, byte for byte. */
let heard: string;
/** What the host says to each connection once it has heard something. */
let saying: string;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return (server.address() as AddressInfo).port;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-egress-"));
  heard = "";
  saying = ANSWER;
  host = createServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      if (heard === "") socket.write(saying);
      heard += chunk.toString("latin1");
    });
  });
  const port = await listening(host);
  const rules = [
    { name: "reading", host: "host.test", port, methods: ["GET"], path: "/open", addresses: ["127.0.0.1"] },
  ];
  const policy = { rules, injections: [], limits: { ...EGRESS_LIMITS, idleMs: 2000 } };
  log = new DecisionLog(folder, policy.limits, systemClock);
  proxy = new EgressProxy({ policy, log, resolve: async () => [], note: () => undefined });
  await listening(proxy.server);
});

afterEach(async () => {
  proxy.close();
  host.close();
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends bytes to the proxy; all that it says until it hangs up. */
function speak(lines: readonly string[], body: string): Promise<string> {
  const { port } = host.address() as AddressInfo;
  const head = [`GET http://host.test:${port}/open HTTP/1.1`, "Host: host.test", ...lines, "", ""].join(
    "\r\n",
  );
  const socket = connect((proxy.server.address() as AddressInfo).port, "127.0.0.1");
  let said = "";
  socket.on("data", (chunk) => {
    said += chunk.toString("latin1");
    if (said.endsWith("\r\n\r\nok")) socket.end();
  });
  socket.write(head + body);
  return new Promise((resolve) => socket.on("error", () => undefined).on("close", () => resolve(said)));
}

const HIDDEN = "DELETE /closed HTTP/1.1\r\nHost: host.test\r\n\r\n";

/** The body as the host finds it: by its length, or in chunks. */
function framed(): boolean {
  const [head = ""] = heard.split("\r\n\r\n");
  return (
    new RegExp(`^content-length: ${HIDDEN.length}$`, "im").test(head) ||
    /^transfer-encoding: chunked$/im.test(head)
  );
}

test("a body has its length, whatever the client says of headers", async () => {
  await speak(["Connection: content-length", `Content-Length: ${HIDDEN.length}`], HIDDEN);
  expect(heard).toMatch(/^GET \/open /);
  expect(framed(), heard).toBe(true);
});

test("a body in chunks stays one, whatever the client says of headers", async () => {
  const chunks = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
  await speak(["Connection: transfer-encoding", "Transfer-Encoding: chunked"], chunks);
  expect(framed(), heard).toBe(true);
});

test("a request whose length can be read in two ways goes nowhere", async () => {
  const said = await speak(["Transfer-Encoding: chunked", "Content-Length: 4"], `0\r\n\r\n${HIDDEN}`);
  expect(said).toMatch(/^HTTP\/1\.1 400 /);
  expect(heard).toBe("");
});

test("a host that changes the protocol is not followed", async () => {
  saying = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: any\r\n\r\n";
  const said = await speak(["Connection: upgrade", "Upgrade: any"], "");
  expect(heard).not.toMatch(/upgrade: any/i);
  expect(said).toMatch(/^HTTP\/1\.1 502 /);
});
