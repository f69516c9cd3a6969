/**
 * The scripted model as a server, which speaks the wire formats of Anthropic (`…/messages`) and of OpenAI
 * (`…/chat/completions`), so that the real adapters, and programs that only know a base URL, can be rehearsed.
 * Listens on the loopback address only. Keys are not checked, and not kept. Histories that the real
 * providers refuse (a call without its result, an empty message) are refused here too.
 */
import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../core/clock.ts";
import { messageOf, NightshiftError } from "../core/errors.ts";
import type { Json } from "../core/text.ts";
import { loadScript, type Script, type ScriptedAttempt, ScriptPlayer } from "./script.ts";
import { anthropicWire } from "./wire/anthropic.ts";
import type { WireFormat, WireRequest } from "./wire/format.ts";
import { geminiWire, isGeminiPath } from "./wire/gemini.ts";
import { openaiWire } from "./wire/openai.ts";

const BODY_BYTES_MAX = 64 * 1024 * 1024;
const REQUESTS_KEPT = 1000;
const SECRET_HEADERS = /authorization|api-key|cookie|token/i;
/** Neither JSON nor a whole event, and not even UTF-8. */
const GARBAGE: Uint8Array = Buffer.from('data: {"type": "content_bl\xff\xfe\x00<html>\n\n', "latin1");

/** One request as it came. */
export interface RecordedRequest {
  readonly wire: WireFormat["name"];
  readonly path: string;
  /** Without those that carry credentials. */
  readonly headers: { readonly [name: string]: string };
  /** Exactly the bytes that were sent. */
  readonly body: Buffer;
  readonly turnIndex: number;
  /** 0-based, per turn. */
  readonly attempt: number;
}

/** How the server plays. */
export interface ScriptedServerOptions {
  readonly script: Script;
  readonly clock: Clock;
  /** 0 takes any free one. */
  readonly port: number;
  /** For `${name}` in the script; overrides the script's own. */
  readonly variables?: { readonly [name: string]: string };
  /** How many requests stay in memory, the newest ones. */
  readonly requestsKept?: number;
}

/** A server that listens. */
export interface ScriptedServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40123`; any path prefix may follow it. */
  readonly url: string;
  /** What it was sent, oldest first; bounded by `requestsKept`. */
  readonly requests: readonly RecordedRequest[];
  /** Requests that are not answered yet. */
  readonly openRequests: number;
  /** Breaks off what is open, and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts the server.
 * @throws NightshiftError `E_USAGE` when the port is taken
 */
export async function startScriptedServer(options: ScriptedServerOptions): Promise<ScriptedServer> {
  const server = new HttpServer(options);
  await server.listen(options.port);
  return server;
}

/** Serves a script file until the signal aborts: the body of a process that does nothing else. */
export async function serveScriptFile(
  path: string,
  options: Omit<ScriptedServerOptions, "script"> & {
    readonly signal: AbortSignal;
    readonly onListening: (url: string) => void;
  },
): Promise<void> {
  await using server = await startScriptedServer({ ...options, script: await loadScript(path) });
  options.onListening(server.url);
  await new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve();
    else options.signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

class HttpServer implements ScriptedServer {
  readonly #options: ScriptedServerOptions;
  readonly #player: ScriptPlayer;
  readonly #server: Server;
  readonly #requests: RecordedRequest[] = [];
  readonly #open: Set<ServerResponse> = new Set();

  constructor(options: ScriptedServerOptions) {
    this.#options = options;
    this.#player = new ScriptPlayer(options.script, options.variables);
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo | null;
    return `http://127.0.0.1:${address?.port ?? 0}`;
  }

  get requests(): readonly RecordedRequest[] {
    return this.#requests;
  }

  get openRequests(): number {
    return this.#open.size;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) => {
        const message = `cannot listen on 127.0.0.1:${port}: ${messageOf(error)}`;
        reject(new NightshiftError("E_USAGE", message, { cause: error, hint: "Choose another port, or 0." }));
      });
      this.#server.listen(port, "127.0.0.1", resolve);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open.add(response);
    const gone = new AbortController();
    response.once("close", () => {
      this.#open.delete(response);
      gone.abort();
    });
    try {
      await this.#route(incoming, response, gone.signal);
    } catch (error) {
      // Whoever hung up needs no answer; anything else must be seen by the client, not end the process.
      if (gone.signal.aborted) return;
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: { type: "api_error", message: messageOf(error) } });
    }
  }

  async #route(incoming: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const path = new URL(incoming.url ?? "/", this.url).pathname;
    const wire = incoming.method === "POST" ? wireOf(path) : undefined;
    if (wire === undefined) {
      sendJson(response, 404, anthropicWire.errorBody(404, undefined, `no such route: ${path}`));
      return;
    }
    const body = await readBody(incoming);
    if (body === undefined) {
      sendJson(response, 413, wire.errorBody(413, undefined, "the request is too large"));
      return;
    }
    const request = parseBody(wire, body, path);
    const complaint = request === undefined ? "the body is not a request of this API" : request.complaint;
    if (request === undefined || complaint !== undefined) {
      sendJson(response, 400, wire.errorBody(400, undefined, complaint ?? ""));
      return;
    }
    const { assistantMessages: turnIndex, messageCount, opening } = request;
    const attempt = this.#player.play({ turnIndex, messageCount, opening });
    const headers = safeHeaders(incoming);
    this.#keep({ wire: wire.name, path, headers, body, turnIndex, attempt: attempt.attempt });
    const performance = new Performance(wire, request, attempt, response, this.#options.clock, signal);
    await performance.run();
  }

  #keep(request: RecordedRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > (this.#options.requestsKept ?? REQUESTS_KEPT)) this.#requests.shift();
    const file = this.#options.script.requests_file;
    if (file === undefined) return;
    appendFileSync(file, `${JSON.stringify({ ...request, body: request.body.toString("utf8") })}\n`);
  }
}

/** One attempt on its way to one client. */
class Performance {
  readonly #wire: WireFormat;
  readonly #request: WireRequest;
  readonly #attempt: ScriptedAttempt;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(
    wire: WireFormat,
    request: WireRequest,
    attempt: ScriptedAttempt,
    response: ServerResponse,
    clock: Clock,
    signal: AbortSignal,
  ) {
    this.#wire = wire;
    this.#request = request;
    this.#attempt = attempt;
    this.#response = response;
    this.#clock = clock;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { fault, delayMs } = this.#attempt;
    if (delayMs > 0) await this.#clock.sleep(delayMs, this.#signal);
    if (fault?.kind === "reset") {
      this.#response.socket?.resetAndDestroy();
    } else if (fault?.kind === "status") {
      const message = fault.message ?? `scripted status ${fault.status}`;
      const body = this.#wire.errorBody(fault.status, fault.error_type, message);
      sendJson(this.#response, fault.status, body, fault.headers);
    } else if (this.#request.isStreaming) {
      await this.#stream();
    } else {
      await this.#whole();
    }
  }

  async #stream(): Promise<void> {
    const { head, chunks, tail } = this.#wire.stream(this.#attempt, this.#request);
    const faultAt = this.#faultAt(chunks.length);
    if (faultAt === 0 && this.#attempt.fault?.kind === "silence") return;
    this.#response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    await this.#write(head);
    for (const [index, chunk] of chunks.entries()) {
      if (index === faultAt) return this.#fail();
      if (this.#attempt.chunkDelayMs > 0) await this.#clock.sleep(this.#attempt.chunkDelayMs, this.#signal);
      await this.#write(chunk);
    }
    if (faultAt === chunks.length) return this.#fail();
    this.#response.end(tail);
  }

  #faultAt(chunks: number): number | undefined {
    const { fault } = this.#attempt;
    if (fault === undefined || fault.kind === "status" || fault.kind === "reset") return undefined;
    return Math.min(fault.after_chunks ?? 0, chunks);
  }

  async #fail(): Promise<void> {
    const { fault } = this.#attempt;
    switch (fault?.kind) {
      case "cut":
        this.#response.destroy();
        return;
      case "no_finish":
        this.#response.end();
        return;
      case "garbage":
        this.#response.end(GARBAGE);
        return;
      case "error_event":
        this.#response.end(this.#wire.errorFrame(fault.error_type, fault.message ?? "scripted error"));
        return;
      default:
        // Silence: the connection stays open until somebody hangs up.
        return;
    }
  }

  /** Faults of a stream, as far as they make sense for an answer in one piece. */
  async #whole(): Promise<void> {
    const { fault } = this.#attempt;
    const body = JSON.stringify(this.#wire.whole(this.#attempt, this.#request));
    switch (fault?.kind) {
      case "silence":
        return;
      case "error_event": {
        const message = fault.message ?? "scripted error";
        sendJson(this.#response, 500, this.#wire.errorBody(500, fault.error_type, message));
        return;
      }
      case "garbage":
        this.#response.writeHead(200, { "content-type": "application/json" }).end(GARBAGE);
        return;
      case "cut":
      case "no_finish":
        this.#response.writeHead(200, { "content-type": "application/json" });
        await this.#write(body.slice(0, body.length / 2));
        if (fault.kind === "cut") this.#response.destroy();
        else this.#response.end();
        return;
      default:
        this.#response.writeHead(200, { "content-type": "application/json" }).end(body);
    }
  }

  /** Waits until the bytes are on their way, so that a cut comes after them. */
  async #write(text: string): Promise<void> {
    this.#signal.throwIfAborted();
    if (text === "") return;
    await new Promise<void>((resolve, reject) => {
      this.#response.write(text, (error) => (error == null ? resolve() : reject(error)));
    });
  }
}

function wireOf(path: string): WireFormat | undefined {
  if (isGeminiPath(path)) return geminiWire;
  if (path.endsWith("/messages")) return anthropicWire;
  return path.endsWith("/chat/completions") ? openaiWire : undefined;
}

/** Undefined when it is too large. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    bytes += piece.byteLength;
    if (bytes <= BODY_BYTES_MAX) pieces.push(piece);
  }
  return bytes <= BODY_BYTES_MAX ? Buffer.concat(pieces) : undefined;
}

function parseBody(wire: WireFormat, body: Buffer, path: string): WireRequest | undefined {
  try {
    return wire.parse(JSON.parse(body.toString("utf8")) as Json, path);
  } catch {
    return undefined;
  }
}

function safeHeaders(incoming: IncomingMessage): { readonly [name: string]: string } {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !SECRET_HEADERS.test(name)) headers[name] = String(value);
  }
  return headers;
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: Json,
  headers: { readonly [name: string]: string } = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
