/** Requests that the proxy sees in full: plain HTTP, and HTTPS in base-URL form. */
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { type RequestOptions as SecureRequestOptions, request as secureRequest } from "node:https";
import { isIP } from "node:net";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { BASE_URL_PREFIX, type EgressInjection, type EgressPolicy } from "./contract.ts";
import type { Decided } from "./decisions.ts";
import { normaliseHost } from "./rules.ts";

/** Where a request wants to go. */
export interface Destination {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Normalised, without query. */
  readonly path: string;
  readonly query: string;
}

/** A connection-level header, or one meant for the proxy. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What a client says about itself that an injected host must not hear. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"]);

/** Reads the target of a request: absolute form, or `/.to/<host>[:port]/<path>`. Undefined when it is neither. */
export function readDestination(target: string): Destination | undefined {
  const address = target.startsWith(BASE_URL_PREFIX)
    ? `https://${target.slice(BASE_URL_PREFIX.length)}`
    : target;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const { protocol, hostname, port, pathname, search, username, password } = new URL(address);
  const host = normaliseHost(hostname.replace(/^\[(.*)\]$/, "$1"));
  if (host === undefined || username !== "" || password !== "") return undefined;
  const scheme = protocol === "https:" ? "https" : "http";
  const standard = scheme === "https" ? 443 : 80;
  return { scheme, host, port: port === "" ? standard : Number(port), path: pathname, query: search };
}

/** The injection for a host, if it has one. */
export function injectionFor(policy: EgressPolicy, host: string): EgressInjection | undefined {
  return policy.injections.find((injection) => injection.host === host);
}

/** One request on its way. */
export interface Forwarding {
  readonly policy: EgressPolicy;
  readonly destination: Destination;
  /** One that was checked. */
  readonly addresses: readonly string[];
  readonly decided: Decided;
}

/** Sends it on and its answer back; the decision's end is written exactly once. */
export function forward(request: IncomingMessage, response: ServerResponse, forwarding: Forwarding): void {
  const exchange = new Exchange(request, response, forwarding);
  exchange.begin();
}

class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #forwarding: Forwarding;
  #sentBytes = 0;
  #receivedBytes = 0;
  #status: number | null = null;
  #isOver = false;
  #upstream: ClientRequest | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, forwarding: Forwarding) {
    this.#request = request;
    this.#response = response;
    this.#forwarding = forwarding;
  }

  begin(): void {
    const { limits } = this.#forwarding.policy;
    this.#response.once("close", () => {
      if (!this.#response.writableFinished) this.#cut("the client hung up");
    });
    this.#request.on("data", (chunk: Buffer) => {
      this.#sentBytes += chunk.length;
      if (this.#sentBytes > limits.sentBytes) this.#cut(`more than ${limits.sentBytes} bytes were sent`);
      else if (this.#upstream?.write(chunk) === false) this.#request.pause();
    });
    this.#request.pause();
    this.#dial([...this.#forwarding.addresses]);
  }

  /** Tries the addresses one after the other, as long as nothing has been sent. */
  #dial(addresses: string[]): void {
    const { policy, destination } = this.#forwarding;
    const address = addresses.shift();
    if (address === undefined) {
      this.#cut("the host does not answer");
      return;
    }
    const options = this.#optionsFor(address);
    const upstream = destination.scheme === "https" ? secureRequest(options) : plainRequest(options);
    this.#upstream = upstream;
    upstream.setTimeout(policy.limits.idleMs, () =>
      upstream.destroy(new Error(`nothing moved for ${policy.limits.idleMs} ms`)),
    );
    let isConnected = false;
    upstream.once("socket", (socket) => {
      socket.once(destination.scheme === "https" ? "secureConnect" : "connect", () => {
        isConnected = true;
        if (this.#request.readableEnded) upstream.end();
        this.#request.once("end", () => upstream.end());
        this.#request.resume();
      });
    });
    upstream.on("drain", () => this.#request.resume());
    upstream.once("response", (answer) => this.#answer(answer));
    upstream.once("upgrade", (_answer, socket) => {
      socket.destroy();
      this.#cut("the host changed the protocol");
    });
    upstream.once("error", (error) => {
      if (isConnected || this.#isOver) this.#cut(error.message);
      else this.#dial(addresses);
    });
  }

  #optionsFor(address: string): RequestOptions {
    const { policy, destination } = this.#forwarding;
    const { scheme, host, port, path, query } = destination;
    const standard = scheme === "https" ? 443 : 80;
    const name = isIP(host) === 6 ? `[${host}]` : host;
    const headers: Record<string, string | string[]> = {};
    const injection = injectionFor(policy, host);
    const injected = new Set(Object.keys(injection?.headers ?? {}).map((each) => each.toLowerCase()));
    for (const [key, value] of passedHeaders(this.#request.headers)) {
      const isDropped = injection !== undefined && (CREDENTIAL_HEADERS.has(key) || injected.has(key));
      if (!isDropped) headers[key] = value;
    }
    Object.assign(headers, injection?.headers, { host: port === standard ? name : `${name}:${port}` });
    const hasBody = this.#request.headers["transfer-encoding"] !== undefined;
    if (hasBody && headers["content-length"] === undefined) headers["transfer-encoding"] = "chunked";
    const secure = (): SecureRequestOptions => ({
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...secureContextOf(policy),
    });
    return {
      method: this.#request.method ?? "GET",
      host: address,
      port,
      path: path + query,
      headers,
      setHost: false,
      agent: false,
      maxHeaderSize: policy.limits.headerBytes,
      ...(scheme === "https" ? secure() : {}),
    };
  }

  #answer(answer: IncomingMessage): void {
    const { limits } = this.#forwarding.policy;
    this.#status = answer.statusCode ?? 502;
    this.#response.writeHead(this.#status, Object.fromEntries(passedHeaders(answer.headers)));
    answer.on("data", (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      if (this.#receivedBytes > limits.receivedBytes)
        this.#cut(`more than ${limits.receivedBytes} bytes came back`);
      else if (!this.#response.write(chunk)) answer.pause();
    });
    this.#response.on("drain", () => answer.resume());
    answer.once("end", () => {
      this.#response.end();
      this.#finish(null);
    });
    answer.once("error", (error) => this.#cut(error.message));
    answer.once("aborted", () => this.#cut("the host hung up"));
  }

  #cut(reason: string): void {
    if (this.#isOver) return;
    this.#finish(reason);
    this.#upstream?.destroy();
    if (this.#response.headersSent) this.#response.destroy();
    else sayNo(this.#response, 502, `the egress proxy could not finish: ${reason}`);
  }

  #finish(cut: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#forwarding.decided.end({
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      status: this.#status,
      cut,
    });
  }
}

const secureContexts = new WeakMap<EgressPolicy, SecureContext>();

/** To read all certificates takes long, so it is done once per policy. */
function secureContextOf(policy: EgressPolicy): { readonly secureContext: SecureContext } {
  const ca = [...rootCertificates, ...(policy.certificateAuthorities ?? [])];
  const context = secureContexts.get(policy) ?? createSecureContext({ ca });
  secureContexts.set(policy, context);
  return { secureContext: context };
}

/** Answers with a reason that a person or a model can act on, and ends the connection. */
export function sayNo(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`nightshift: ${reason}\n`);
}

function passedHeaders(headers: IncomingHttpHeaders): [string, string | string[]][] {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  // Without it, the host would take what a client sends as a body for a request that nobody has judged.
  named.delete("content-length");
  const passed: [string, string | string[]][] = [];
  for (const [key, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_HEADERS.has(key) && !named.has(key)) passed.push([key, value]);
  }
  return passed;
}
