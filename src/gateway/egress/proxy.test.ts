import { mkdtempSync, rmSync } from "node:fs";
import { type ClientRequest, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { createServer as createSecureServer } from "node:https";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as secureConnect } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TEST_CERTIFICATE, TEST_KEY } from "../../../test/support/certificate.ts";
import { systemClock } from "../../runtime/system.ts";
import { EGRESS_LIMITS, type EgressLimits, type EgressLine, type EgressRule } from "./contract.ts";
import { DecisionLog, readDecisions } from "./decisions.ts";
import { EgressProxy } from "./proxy.ts";

const SECRET = "secret-5d41402abc4b2a76";
const CANARY = "canary-9f86d081884c7d65";

let folder: string;
let log: DecisionLog;
let proxy: EgressProxy;
let proxyPort: number;
/** What reached any server, byte for byte as far as it can be seen. */
let heard: string[];
let servers: Server[];
let names: Record<string, readonly string[]>;
let asked: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-egress-"));
  heard = [];
  servers = [];
  names = {};
  asked = [];
});

afterEach(async () => {
  proxy.close();
  for (const server of servers) server.close();
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return (server.address() as AddressInfo).port;
}

async function startProxy(rules: readonly EgressRule[], limits: Partial<EgressLimits> = {}): Promise<void> {
  const policy = {
    rules,
    injections: [{ host: "injected.test", headers: { Authorization: `Bearer ${SECRET}` } }],
    limits: { ...EGRESS_LIMITS, ...limits },
    certificateAuthorities: [TEST_CERTIFICATE],
  };
  log = new DecisionLog(folder, policy.limits, systemClock);
  const resolve = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    return names[host] ?? [];
  };
  proxy = new EgressProxy({ policy, log, resolve, note: () => undefined });
  proxyPort = await listening(proxy.server);
}

/** Answers with what it was told. */
function answer(request: IncomingMessage, body: string): string {
  return JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body });
}

async function web(secure: boolean): Promise<number> {
  const server = secure ? createSecureServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }) : createServer();
  server.on("request", (request: IncomingMessage, response: import("node:http").ServerResponse) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      heard.push(answer(request, body));
      response.end(answer(request, body));
    });
  });
  server.on("connection", (socket: Socket) => socket.on("error", () => undefined));
  return listening(server);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = httpRequest(
      { host: "127.0.0.1", port: proxyPort, path, method, headers, agent: false },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** Opens a tunnel; resolves with the answer's head and the socket. */
function openTunnel(authority: string): Promise<{ head: string; socket: Socket }> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: proxyPort });
    socket.on("error", () => undefined);
    socket.once("data", (chunk) => resolve({ head: chunk.toString(), socket }));
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  });
}

function decisions(): readonly EgressLine[] {
  return readDecisions(folder, 0).lines;
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
}

const pinned = (name: string, port: number, more: Partial<EgressRule> = {}): EgressRule => ({
  name,
  host: name,
  port,
  addresses: ["127.0.0.1"],
  ...more,
});

describe("a request", () => {
  test("that a rule covers goes out, less what is meant for the proxy, and is written down", async () => {
    const port = await web(false);
    await startProxy([pinned("allowed.test", port, { methods: ["POST"], path: "/in" })]);
    const headers = {
      "Proxy-Authorization": "Basic x",
      Connection: "x-private",
      "X-Private": "y",
      "X-Kept": "z",
    };
    const { status, body } = await ask(`http://allowed.test:${port}/in/a?q=${CANARY}`, {
      method: "POST",
      headers,
      body: "hello",
    });
    expect(status).toBe(200);
    const seen = JSON.parse(body) as { url: string; headers: Record<string, string>; body: string };
    expect(seen).toMatchObject({ url: `/in/a?q=${CANARY}`, body: "hello" });
    expect(seen.headers).toMatchObject({ host: `allowed.test:${port}`, "x-kept": "z" });
    expect(Object.keys(seen.headers)).not.toContain("proxy-authorization");
    expect(Object.keys(seen.headers)).not.toContain("x-private");
    expect(decisions()).toMatchObject([
      {
        verdict: "allowed",
        host: "allowed.test",
        port,
        method: "POST",
        path: "/in/a",
        reason: "allowed.test",
      },
      { kind: "transfer", sentBytes: 5, status: 200, cut: null },
    ]);
    expect(JSON.stringify(decisions())).not.toContain(CANARY);
  });

  test("that no rule covers sends nothing and asks no name service", async () => {
    const port = await web(false);
    names[`${CANARY}.evil.test`] = ["127.0.0.1"];
    await startProxy([pinned("allowed.test", port, { path: "/in" })]);
    for (const target of [
      `http://${CANARY}.evil.test:${port}/`,
      `http://127.0.0.1:${port}/${CANARY}`,
      `http://allowed.test:${port}/out/${CANARY}`,
      `http://allowed.test:${port}/in/../out/${CANARY}`,
      `http://allowed.test:${port + 1}/in`,
    ]) {
      const { status, body } = await ask(target, { method: "POST", body: CANARY });
      expect(status, target).toBe(403);
      expect(body).toContain("no way out");
    }
    expect(heard).toEqual([]);
    expect(asked).toEqual([]);
    expect(decisions().map((line) => line.kind === "decision" && line.verdict)).toEqual(
      Array.from({ length: 5 }, () => "refused"),
    );
  });

  test("goes to the address that was checked, however the name changes", async () => {
    const port = await web(false);
    await startProxy([{ name: "rebound", host: "rebound.test", port }]);
    names["rebound.test"] = ["127.0.0.1"];
    expect((await ask(`http://rebound.test:${port}/`)).body).toContain("private");
    names["rebound.test"] = ["8.8.8.8", "127.0.0.1"];
    expect((await ask(`http://rebound.test:${port}/`)).status).toBe(403);
    expect(heard).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  test("larger than the limit is cut", async () => {
    const port = await web(false);
    await startProxy([pinned("allowed.test", port)], { sentBytes: 1000 });
    const attempt = ask(`http://allowed.test:${port}/`, { method: "POST", body: "x".repeat(5000) });
    expect((await attempt).status).toBe(502);
    expect(heard).toEqual([]);
    expect(decisions().at(-1)).toMatchObject({ kind: "transfer", cut: expect.stringContaining("1000") });
  });

  test("is refused when no decision can be written down any more", async () => {
    const port = await web(false);
    await startProxy([pinned("allowed.test", port)], { decisionBytes: 1000 });
    expect((await ask(`http://allowed.test:${port}/`)).body).toContain("full");
    expect(heard).toEqual([]);
  });
});

describe("an injected host", () => {
  test("hears the secret over TLS, and nothing that the client says about itself", async () => {
    const port = await web(true);
    await startProxy([pinned("injected.test", port)]);
    const headers = { Authorization: `Bearer ${CANARY}`, Cookie: CANARY };
    const { status, body } = await ask(`/.to/injected.test:${port}/v1/x?y`, { headers });
    expect(status).toBe(200);
    const seen = JSON.parse(body) as { url: string; headers: Record<string, string> };
    expect(seen.url).toBe("/v1/x?y");
    expect(seen.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(JSON.stringify(heard)).not.toContain(CANARY);
    expect(JSON.stringify(decisions())).not.toContain(SECRET);
  });

  test("hears nothing in plain text, and no tunnel leads there", async () => {
    const port = await web(false);
    await startProxy([pinned("injected.test", port)]);
    expect((await ask(`http://injected.test:${port}/`)).body).toContain("/.to/injected.test/");
    const { head, socket } = await openTunnel(`injected.test:${port}`);
    expect(head).toMatch(/^HTTP\/1.1 403 /);
    await closed(socket);
    expect(heard).toEqual([]);
  });

  test("is known by its certificate: another server gets no secret", async () => {
    const port = await web(true);
    await startProxy([pinned("stranger.test", port)]);
    expect((await ask(`/.to/stranger.test:${port}/`)).status).toBe(502);
    expect(heard).toEqual([]);
  });
});

/** Counts what arrives at a server that a tunnel might reach. */
async function listener(): Promise<{ port: number; bytes: () => number }> {
  let bytes = 0;
  const port = await listening(
    createTcpServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => {
        bytes += chunk.length;
      });
    }),
  );
  return { port, bytes: () => bytes };
}

describe("a tunnel", () => {
  test("carries TLS under the name that was dialled", async () => {
    const port = await web(true);
    await startProxy([pinned("allowed.test", port)]);
    const { head, socket } = await openTunnel(`allowed.test:${port}`);
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    const secure = secureConnect({ socket, servername: "allowed.test", ca: TEST_CERTIFICATE });
    secure.write("GET /x HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n");
    let text = "";
    for await (const chunk of secure) text += String(chunk);
    expect(text).toContain("200 OK");
    await expect.poll(() => decisions().at(-1)).toMatchObject({ kind: "transfer", cut: null });
    expect(decisions()[0]).toMatchObject({ method: "CONNECT", path: "", verdict: "allowed" });
  });

  test.each([
    ["another server name", "other.test"],
    ["no server name", undefined],
  ])("with %s is closed before a byte arrives", async (_what, servername) => {
    const target = await listener();
    await startProxy([pinned("allowed.test", target.port)]);
    const { socket } = await openTunnel(`allowed.test:${target.port}`);
    const secure = secureConnect({ socket, ...(servername === undefined ? {} : { servername }) });
    secure.on("error", () => undefined);
    await closed(socket);
    await expect
      .poll(() => decisions().at(-1))
      .toMatchObject({ kind: "transfer", sentBytes: 0, cut: expect.stringContaining("server name") });
    expect(target.bytes()).toBe(0);
  });

  test("with anything but TLS is closed before a byte arrives", async () => {
    const target = await listener();
    await startProxy([pinned("allowed.test", target.port)]);
    const { socket } = await openTunnel(`allowed.test:${target.port}`);
    socket.write(`GET /${CANARY} HTTP/1.1\r\n\r\n`);
    await closed(socket);
    expect(target.bytes()).toBe(0);
  });

  test("that no rule covers gets no connection", async () => {
    const target = await listener();
    await startProxy([pinned("allowed.test", target.port, { methods: ["GET"] })]);
    for (const host of ["allowed.test", "evil.test", "127.0.0.1", "localhost"]) {
      const { head, socket } = await openTunnel(`${host}:${target.port}`);
      expect(head, host).toMatch(/^HTTP\/1.1 403 /);
      await closed(socket);
    }
    expect(target.bytes()).toBe(0);
    expect(asked).toEqual([]);
  });

  test("that sends too much is cut", async () => {
    const port = await web(true);
    await startProxy([pinned("allowed.test", port)], { sentBytes: 10_000 });
    const { socket } = await openTunnel(`allowed.test:${port}`);
    const secure = secureConnect({ socket, servername: "allowed.test", ca: TEST_CERTIFICATE });
    secure.on("error", () => undefined);
    secure.write(`POST / HTTP/1.1\r\nContent-Length: 50000\r\n\r\n${"x".repeat(50_000)}`);
    await closed(socket);
    await expect
      .poll(() => decisions().at(-1))
      .toMatchObject({ kind: "transfer", cut: expect.stringContaining("10000") });
  });

  test("is cut when the rules change", async () => {
    const port = await web(true);
    await startProxy([pinned("allowed.test", port)]);
    const { socket } = await openTunnel(`allowed.test:${port}`);
    proxy.configure({ rules: [], injections: [], limits: EGRESS_LIMITS });
    await closed(socket);
    expect((await openTunnel(`allowed.test:${port}`)).head).toMatch(/^HTTP\/1.1 403 /);
  });
});
