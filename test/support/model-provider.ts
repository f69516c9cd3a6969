/** A provider of models and a meter, for tests of the gateway between them. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "../../src/core/text.ts";
import type {
  Admission,
  GatewayMeter,
  ModelGatewayParts,
  RequestWish,
  Settlement,
} from "../../src/gateway/model/contract.ts";
import { GATEWAY_LIMITS } from "../../src/gateway/model/contract.ts";
import { type ModelGateway, openModelGateway } from "../../src/gateway/model/gateway.ts";

/** What the agent has for a key. */
export const TOKEN = "token-of-the-session";
/** What only the provider may see. */
export const KEY = "key-canary-4711";

/** What a client got. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A provider that answers as told, and keeps what it was sent. */
export class Provider {
  readonly seen: {
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }[] = [];
  answer: (response: ServerResponse) => void = (response) => response.end("{}");
  readonly #server: Server = createServer(async (incoming, response) => {
    let body = "";
    for await (const piece of incoming) body += piece;
    this.seen.push({ url: incoming.url ?? "", headers: incoming.headers, body });
    this.answer(response);
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Lets through what it is told to, and keeps what it was told. */
export class Meter implements GatewayMeter {
  admission: () => Admission = () => ({ status: "reserved", request: this.wishes.length });
  readonly wishes: RequestWish[] = [];
  readonly settled: Settlement[] = [];
  readonly #news: (() => void)[] = [];

  async reserve(wish: RequestWish): Promise<Admission> {
    this.wishes.push(wish);
    return this.admission();
  }

  settle(settlement: Settlement): void {
    this.settled.push(settlement);
    for (const wake of this.#news.splice(0)) wake();
  }

  async nth(count: number): Promise<void> {
    while (this.settled.length < count) await new Promise<void>((resolve) => this.#news.push(resolve));
  }
}

/** A gateway between the two, on a port of loopback. */
export class GatewayStage implements AsyncDisposable {
  readonly provider = new Provider();
  readonly meter = new Meter();
  #gateway: ModelGateway | undefined;

  async open(parts: Partial<ModelGatewayParts> = {}): Promise<void> {
    const upstream = { baseUrl: await this.provider.open(), key: () => KEY };
    this.#gateway = await openModelGateway(
      {
        upstreams: { anthropic: upstream, openai: upstream },
        models: {},
        maxOutputTokens: 1000,
        token: TOKEN,
        meter: this.meter,
        limits: GATEWAY_LIMITS,
        onSignOfLife: () => undefined,
        monotonicMs: () => performance.now(),
        ...parts,
      },
      { port: 0 },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#gateway?.port}`;
  }

  async close(): Promise<void> {
    await this.#gateway?.close();
  }

  async ask(path: string, body: Json | null, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(`${this.url}${path}`, {
      method: body === null ? "GET" : "POST",
      headers: { "x-api-key": TOKEN, "content-type": "application/json", ...headers },
      ...(body !== null && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.provider.close();
  }
}

/** Answers in one piece. */
export function json(status: number, body: Json): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}

/** Answers as a stream of server-sent events. */
export function events(...frames: readonly Json[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of frames) response.write(`data: ${JSON.stringify(frame)}\n\n`);
    response.end();
  };
}
