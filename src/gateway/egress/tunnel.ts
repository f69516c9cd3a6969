/** CONNECT: bytes that the proxy cannot read, to a host that it has checked, under the name that it has checked. */
import { connect, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HELLO_BYTES_MAX, type HelloReading, readClientHello } from "./client-hello.ts";
import type { EgressLimits } from "./contract.ts";
import type { Decided } from "./decisions.ts";

/** Why a tunnel whose greeting reads so must not go on to this host; undefined when it may. */
function objectionTo(reading: HelloReading, host: string): string | undefined {
  if (reading.status !== "read") return "no TLS greeting: a tunnel carries TLS only";
  const expected = isIP(host) === 0 ? host : undefined;
  if (reading.serverName === expected) return undefined;
  const shown = reading.serverName === undefined ? "none" : JSON.stringify(reading.serverName);
  return `the TLS server name (${shown.slice(0, 100)}) is not the host that was dialled`;
}

/** One tunnel on its way. */
export interface Tunnelling {
  readonly host: string;
  readonly port: number;
  /** Those that were checked. */
  readonly addresses: readonly string[];
  readonly limits: EgressLimits;
  readonly decided: Decided;
}

/** Joins both sides; the decision's end is written exactly once. */
export function tunnel(client: Duplex, head: Buffer, tunnelling: Tunnelling): void {
  const opened = new Tunnel(client, tunnelling);
  opened.begin(head);
}

/** Refuses a CONNECT with a reason. */
export function refuseTunnel(client: Duplex, status: string, reason: string): void {
  const body = `nightshift: ${reason}\n`;
  client.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

class Tunnel {
  readonly #client: Duplex;
  readonly #tunnelling: Tunnelling;
  #upstream: Socket | undefined;
  #sentBytes = 0;
  #receivedBytes = 0;
  #isOver = false;

  constructor(client: Duplex, tunnelling: Tunnelling) {
    this.#client = client;
    this.#tunnelling = tunnelling;
  }

  begin(head: Buffer): void {
    this.#client.pause();
    this.#client.once("error", () => this.#finish("the client hung up"));
    this.#client.once("close", () => this.#finish(null));
    this.#dial([...this.#tunnelling.addresses], head);
  }

  #dial(addresses: string[], head: Buffer): void {
    if (this.#isOver) return;
    const { port, limits } = this.#tunnelling;
    const address = addresses.shift();
    if (address === undefined) {
      refuseTunnel(this.#client, "502 Bad Gateway", "the host does not answer");
      this.#end("the host does not answer");
      return;
    }
    const upstream = connect({ host: address, port });
    this.#upstream = upstream;
    const tryNext = (): void => {
      upstream.destroy();
      this.#dial(addresses, head);
    };
    upstream.setTimeout(limits.idleMs);
    upstream.once("timeout", tryNext);
    upstream.once("error", tryNext);
    upstream.once("connect", () => {
      upstream.off("timeout", tryNext);
      upstream.off("error", tryNext);
      this.#client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      this.#greet(upstream, head);
    });
  }

  /** Nothing reaches the host before the greeting has shown the name that was dialled. */
  #greet(upstream: Socket, head: Buffer): void {
    const { host, limits } = this.#tunnelling;
    upstream.once("error", () => this.#finish("the host hung up"));
    upstream.once("close", () => this.#finish(null));
    upstream.once("timeout", () => this.#finish(`nothing moved for ${limits.idleMs} ms`));
    let greeting: Buffer = head;
    const look = (chunk: Buffer): void => {
      greeting = Buffer.concat([greeting, chunk]);
      const reading = readClientHello(greeting);
      if (reading.status === "incomplete" && greeting.length <= HELLO_BYTES_MAX) return;
      const objection = objectionTo(reading, host);
      if (objection !== undefined) {
        this.#finish(objection);
        return;
      }
      this.#client.off("data", look).off("end", giveUp);
      this.#join(upstream, greeting);
    };
    const giveUp = (): void => this.#finish("no TLS greeting");
    this.#client.on("data", look).once("end", giveUp);
    look(Buffer.alloc(0));
    this.#client.resume();
  }

  #join(upstream: Socket, greeting: Buffer): void {
    const { limits } = this.#tunnelling;
    const send = (chunk: Buffer): void => {
      this.#sentBytes += chunk.length;
      if (this.#sentBytes > limits.sentBytes) this.#finish(`more than ${limits.sentBytes} bytes were sent`);
      else if (!upstream.write(chunk)) this.#client.pause();
    };
    send(greeting);
    this.#client.on("data", send);
    this.#client.once("end", () => upstream.end());
    upstream.on("drain", () => this.#client.resume());
    upstream.on("data", (chunk: Buffer) => {
      this.#receivedBytes += chunk.length;
      if (this.#receivedBytes > limits.receivedBytes)
        this.#finish(`more than ${limits.receivedBytes} bytes came back`);
      else if (!this.#client.write(chunk)) upstream.pause();
    });
    this.#client.on("drain", () => upstream.resume());
    upstream.once("end", () => this.#client.end());
  }

  #finish(cut: string | null): void {
    if (this.#isOver) return;
    this.#end(cut);
    // What has been written to the client already may still arrive.
    if (cut === null) this.#client.end();
    else this.#client.destroy();
  }

  #end(cut: string | null): void {
    this.#isOver = true;
    this.#tunnelling.decided.end({
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      status: null,
      cut,
    });
    this.#upstream?.destroy();
  }
}
