/** One request that was let through, on its way to the provider and back. */
import {
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type ServerResponse,
} from "node:http";
import { request as secureRequest } from "node:https";
import { messageOf } from "../../core/errors.ts";
import type { ModelUsage } from "../../model/contract.ts";
import type { GatewayLimits, GatewayUpstream, GatewayWire, Settlement } from "./contract.ts";
import { streamReader, type UsageReader, wholeReader } from "./usage.ts";
import { keyHeaders, refusalOf, type WireFamily } from "./wires.ts";

/** What is sent where. */
export interface ExchangeParts {
  readonly upstream: GatewayUpstream;
  readonly family: WireFamily;
  /** Undefined for what uses nothing. */
  readonly wire: GatewayWire | undefined;
  /** Behind the base URL, with its query. */
  readonly path: string;
  readonly method: string;
  readonly body: Buffer;
  readonly hidesUsage: boolean;
  readonly limits: GatewayLimits;
  readonly onSignOfLife: () => void;
}

/** How it went. */
export type ExchangeEnd = Omit<Settlement, "request" | "durationMs">;

/** What of a client's headers is the provider's business; never a key, a cookie or an address. */
const PASSED_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "anthropic-beta",
  "anthropic-dangerous-direct-browser-access",
  "anthropic-version",
  "content-type",
  "openai-beta",
  "user-agent",
]);

/** What of a provider's headers is the client's business. */
const RETURNED_HEADERS =
  /^(content-type|content-encoding|cache-control|retry-after(-ms)?|request-id|x-request-id|x-should-retry|anthropic-ratelimit-.*|x-ratelimit-.*)$/;

const NOTHING_USED: ModelUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

/** Sends it, passes the answer on, and tells how it went; never rejects. Ends soon after `signal` aborts. */
export function exchange(
  incoming: IncomingMessage,
  response: ServerResponse,
  parts: ExchangeParts,
  signal: AbortSignal,
): Promise<ExchangeEnd> {
  const { promise, resolve } = Promise.withResolvers<ExchangeEnd>();
  new Exchange(response, parts, resolve).begin(incoming, signal);
  return promise;
}

class Exchange {
  readonly #response: ServerResponse;
  readonly #parts: ExchangeParts;
  readonly #tell: (end: ExchangeEnd) => void;
  #upstream: ClientRequest | undefined;
  #isOver = false;
  #isConnected = false;
  #bytes = 0;

  constructor(response: ServerResponse, parts: ExchangeParts, tell: (end: ExchangeEnd) => void) {
    this.#response = response;
    this.#parts = parts;
    this.#tell = tell;
  }

  begin(incoming: IncomingMessage, signal: AbortSignal): void {
    const { upstream, path, method, body, limits } = this.#parts;
    const url = new URL(upstream.baseUrl + path);
    const isSecure = url.protocol === "https:";
    const send = isSecure ? secureRequest : plainRequest;
    const going = send(url, { method, headers: this.#headers(incoming, url), agent: false });
    this.#upstream = going;
    const abort = (): void => this.#fail("interrupted", "the attempt is over");
    signal.addEventListener("abort", abort, { once: true });
    this.#response.once("close", () => {
      signal.removeEventListener("abort", abort);
      if (!this.#response.writableFinished) this.#fail("interrupted", "the agent hung up");
    });
    going.setTimeout(limits.idleMs, () =>
      this.#fail("failed", `the provider said nothing for ${limits.idleMs} ms`),
    );
    going.once("socket", (socket) => {
      socket.once(isSecure ? "secureConnect" : "connect", () => {
        this.#isConnected = true;
      });
    });
    going.once("response", (answer) => this.#answer(answer));
    going.once("error", (error) =>
      this.#fail("failed", `the provider cannot be reached: ${messageOf(error)}`),
    );
    going.end(body);
    if (signal.aborted) abort();
  }

  #headers(incoming: IncomingMessage, url: URL): Record<string, string> {
    const { upstream, family, body } = this.#parts;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(incoming.headers)) {
      if (PASSED_HEADERS.has(name) && value !== undefined) headers[name] = String(value);
    }
    return {
      ...headers,
      ...keyHeaders(family, upstream.key()),
      host: url.host,
      // What is compressed could not be counted.
      "accept-encoding": "identity",
      ...(body.length > 0 && { "content-length": `${body.length}` }),
    };
  }

  #answer(answer: IncomingMessage): void {
    const { wire, hidesUsage, limits, onSignOfLife } = this.#parts;
    const status = answer.statusCode ?? 502;
    const isStream = /^text\/event-stream/.test(answer.headers["content-type"] ?? "");
    const reader =
      wire === undefined ? undefined : isStream ? streamReader(wire, hidesUsage) : wholeReader(wire);
    if (this.#response.headersSent || this.#isOver) return;
    this.#response.writeHead(status, returned(answer));
    // A client that waits for the first word of a stream must see that it is one.
    this.#response.flushHeaders();
    answer.on("data", (chunk: Buffer) => {
      onSignOfLife();
      this.#bytes += chunk.length;
      if (this.#bytes > limits.answerBytes)
        return this.#fail("failed", `the answer is longer than ${limits.answerBytes} bytes`);
      const passed = reader === undefined ? chunk : reader.push(chunk);
      if (passed.length > 0 && !this.#response.write(passed)) answer.pause();
    });
    this.#response.on("drain", () => answer.resume());
    answer.once("aborted", () => this.#fail("failed", "the provider hung up"));
    answer.once("error", (error) => this.#fail("failed", messageOf(error)));
    answer.once("end", () => this.#end(status, reader));
  }

  #end(status: number, reader: UsageReader | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const rest = reader?.end();
    this.#response.end(rest !== undefined && rest.length > 0 ? rest : undefined);
    const _usage = reader?.usage;
    this.#tell(answered(status, reader?.usage));
  }

  #fail(outcome: "failed" | "interrupted", reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#upstream?.destroy();
    if (this.#response.headersSent) this.#response.destroy();
    else {
      const { status, body } = refusalOf(this.#parts.family, "upstream", reason);
      this.#response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }
    this.#tell({
      outcome,
      error: reason,
      // Who was never reached has used nothing.
      ...(!this.#isConnected && { usage: NOTHING_USED }),
    });
  }
}

function answered(status: number, usage: ModelUsage | undefined): ExchangeEnd {
  // Refused by status, so it was never worked on: settled at nothing.
  if (status >= 400)
    return {
      outcome: "failed",
      status,
      error: `the provider answered ${status}`,
      usage: usage ?? NOTHING_USED,
    };
  const told = usage === undefined ? { error: "the answer did not tell what it used" } : { usage };
  return { outcome: "answered", status, ...told };
}

function returned(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && RETURNED_HEADERS.test(name)) headers[name] = String(value);
  }
  return headers;
}
