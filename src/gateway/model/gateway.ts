/** The gateway's server: checks, reserves, then sends. Knows nothing of sessions and logs. */
import { timingSafeEqual } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { listenIn } from "../../sandbox/daemon/standing.ts";
import type { ModelGatewayParts } from "./contract.ts";
import { exchange } from "./exchange.ts";
import {
  modelList,
  type ReadRequest,
  type RefusalKind,
  type Route,
  readRequest,
  refusalOf,
  routeOf,
  tokenOf,
  type WireFamily,
  withModel,
} from "./wires.ts";

/** Name of the socket in the gateway's folder, which holds nothing else: it is what sandboxes get to see. */
export const GATEWAY_SOCKET = "gateway.sock";

/** Where a gateway listens. */
export type GatewayPlace =
  /** A socket in this folder; one that is there already is replaced. @param name - of this gateway alone */
  | { readonly folder: string; readonly name: string }
  /** On loopback, for sandboxes without a network of their own; 0 takes any free port. */
  | { readonly port: number };

/** A gateway that listens. */
export interface ModelGateway {
  /** On loopback only; 0 for one that listens on a socket. */
  readonly port: number;
  /** Breaks off what is under way; everything is settled when it resolves. Idempotent. */
  close(): Promise<void>;
}

/** Begins to listen. @throws NightshiftError `E_GATEWAY_UNAVAILABLE` */
export async function openModelGateway(parts: ModelGatewayParts, place: GatewayPlace): Promise<ModelGateway> {
  const server = new GatewayServer(parts);
  try {
    await server.listen(place);
  } catch (cause) {
    const where = "port" in place ? `port ${place.port} of the loopback address` : place.folder;
    throw new NightshiftError(
      "E_GATEWAY_UNAVAILABLE",
      `the model gateway cannot listen on ${where}: ${messageOf(cause)}`,
      {
        cause,
        retryable: true,
      },
    );
  }
  return server;
}

class GatewayServer implements ModelGateway {
  readonly #parts: ModelGatewayParts;
  readonly #server: Server;
  readonly #over = new AbortController();
  readonly #open = new Set<Promise<void>>();

  constructor(parts: ModelGatewayParts) {
    this.#parts = parts;
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: 5_000 });
    this.#server.maxConnections = parts.limits.connections;
    this.#server.on("request", (request, response) => this.#keep(request, response));
    this.#server.on("clientError", (_error, socket) => (socket as Socket).destroy());
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? (address as AddressInfo).port : 0;
  }

  async listen(place: GatewayPlace): Promise<void> {
    if ("folder" in place) {
      mkdirSync(place.folder, { recursive: true, mode: 0o700 });
      // A server removes the name that it has made when it closes: by then the other name may be a successor's.
      await listenIn(this.#server, place.folder, place.name);
      return renameSync(join(place.folder, place.name), join(place.folder, GATEWAY_SOCKET));
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: "127.0.0.1", port: place.port }, () => resolve());
    });
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#server.close();
    await Promise.all(this.#open);
    this.#server.closeAllConnections();
  }

  #keep(request: IncomingMessage, response: ServerResponse): void {
    const answering = this.#serve(request, response)
      .catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else this.#refuse(response, "openai", "upstream", messageOf(error));
      })
      .finally(() => this.#open.delete(answering));
    this.#open.add(answering);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token, models, limits, onSignOfLife } = this.#parts;
    onSignOfLife();
    const { pathname, search } = new URL(request.url ?? "/", "http://gateway");
    const route = routeOf(request.method ?? "GET", pathname, request.headers);
    const { family } = route;
    if (!isSame(tokenOf(request.headers) ?? "", token))
      return this.#refuse(response, family, "token", "this is not the key that the session was given");
    if (route.kind === "unknown")
      return this.#refuse(
        response,
        family,
        "path",
        `the gateway does not serve ${request.method} ${pathname}`,
      );
    const known = models.forced === undefined ? models.allowed : [models.forced];
    if (route.kind === "models" && known !== undefined)
      return sendJson(response, 200, modelList(family, known));
    const upstream = this.#parts.upstreams[family];
    if (upstream === undefined)
      return this.#refuse(response, family, "model", `this session has no ${family} model`);
    const body = await readBody(request, limits.bodyBytes);
    if (body === undefined)
      return this.#refuse(response, family, "too_large", `a request has at most ${limits.bodyBytes} bytes`);
    const path = pathname.replace(/^\/v1(?=\/)/, "") + search;
    if (route.kind === "request") return await this.#meter(request, response, route, { path, body });
    const parts = { upstream, family, path, limits, onSignOfLife, wire: undefined, hidesUsage: false };
    const method = request.method ?? "GET";
    await exchange(request, response, { ...parts, method, body: withModel(body, models) }, this.#over.signal);
  }

  /** No byte leaves before the reservation is durable. */
  async #meter(
    request: IncomingMessage,
    response: ServerResponse,
    { family, wire }: Extract<Route, { kind: "request" }>,
    sent: { readonly path: string; readonly body: Buffer },
  ): Promise<void> {
    const { models, maxOutputTokens, meter, limits, onSignOfLife, monotonicMs } = this.#parts;
    const upstream = this.#parts.upstreams[family];
    const read: ReadRequest = readRequest(wire, sent.body, models, maxOutputTokens);
    if (read.status === "malformed") return this.#refuse(response, family, "malformed", read.message);
    if (read.status === "forbidden" || upstream === undefined)
      return this.#refuse(response, family, "model", read.status === "forbidden" ? read.message : "no model");
    const { body, hidesUsage, wish } = read;
    const admission = await meter.reserve({ ...wish, bodyBytes: body.length });
    if (admission.status === "refused") return this.#refuse(response, family, "budget", admission.message);
    if (admission.status === "over")
      return this.#refuse(response, family, "over", "another harness has taken this session over");
    const startedMs = monotonicMs();
    const parts = {
      upstream,
      family,
      wire,
      path: sent.path,
      method: "POST",
      body,
      hidesUsage,
      limits,
      onSignOfLife,
    };
    const end = await exchange(request, response, parts, this.#over.signal);
    const durationMs = Math.max(0, Math.round(monotonicMs() - startedMs));
    meter.settle({ request: admission.request, ...end, durationMs });
  }

  #refuse(response: ServerResponse, family: WireFamily, kind: RefusalKind, message: string): void {
    const { status, body } = refusalOf(family, kind, message);
    sendJson(response, status, body);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Undefined when it is too large. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes <= bytesMax) pieces.push(piece);
  }
  return bytes <= bytesMax ? Buffer.concat(pieces) : undefined;
}
