/** How a harness and its proxy talk: one line each way at a time, over a socket in the proxy's private folder. */
import { connect, type Socket } from "node:net";
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import { FRAME_BYTES_MAX, FrameReader } from "../../sandbox/daemon/frames.ts";
import { socketAddress } from "../../sandbox/daemon/record.ts";
import type { EgressPolicy } from "./contract.ts";
import { EGRESS_FILES } from "./record.ts";

/** What a harness may ask. */
export type ControlRequest =
  | { readonly method: "configure"; readonly policy: EgressPolicy }
  | { readonly method: "stop" };

/** The first line, and the answer to each request. */
export type ControlReply =
  | { readonly status: "ready"; readonly incarnation: string }
  | { readonly status: "done" }
  | { readonly status: "failed"; readonly code: string; readonly message: string };

/** Serves one harness. */
export function serveControl(
  socket: Socket,
  incarnation: string,
  perform: (request: ControlRequest) => Promise<void>,
): void {
  const reader = new FrameReader(FRAME_BYTES_MAX);
  const say = (reply: ControlReply): void => void socket.write(`${JSON.stringify(reply)}\n`);
  say({ status: "ready", incarnation });
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const frame of reader.push(chunk)) {
        perform(JSON.parse(frame) as ControlRequest).then(
          () => say({ status: "done" }),
          (error: unknown) => say(failure(error)),
        );
      }
    } catch (error) {
      say(failure(error));
      socket.end();
    }
  });
}

function failure(error: unknown): ControlReply {
  const code = isNightshiftError(error) ? error.code : "E_EGRESS_UNAVAILABLE";
  return { status: "failed", code, message: messageOf(error) };
}

/** The harness's end. */
export class ControlClient {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(FRAME_BYTES_MAX);
  readonly #replies: ControlReply[] = [];
  readonly #waiting: ((reply: ControlReply | undefined) => void)[] = [];
  #incarnation = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of this.#reader.push(chunk)) this.#receive(JSON.parse(frame) as ControlReply);
    });
    socket.once("close", () => {
      for (const wake of this.#waiting.splice(0)) wake(undefined);
    });
  }

  /** Undefined when nobody serves the folder. */
  static async open(folder: string, signal: AbortSignal): Promise<ControlClient | undefined> {
    const address = socketAddress(folder, EGRESS_FILES.control);
    const socket = connect({ path: address.path });
    try {
      const client = new ControlClient(socket);
      const greeting = await client.#next(signal);
      if (greeting?.status !== "ready") {
        socket.destroy();
        return undefined;
      }
      client.#incarnation = greeting.incarnation;
      return client;
    } finally {
      address.release();
    }
  }

  /** One life of the proxy's process. */
  get incarnation(): string {
    return this.#incarnation;
  }

  /** @throws NightshiftError what the proxy objects to, or `E_EGRESS_UNAVAILABLE` when it has gone */
  async call(request: ControlRequest, signal: AbortSignal): Promise<void> {
    this.#socket.write(`${JSON.stringify(request)}\n`);
    const reply = await this.#next(signal);
    if (reply?.status === "done") return;
    const message = reply?.status === "failed" ? reply.message : "it ended meanwhile";
    const code =
      reply?.status === "failed" && reply.code === "E_CONFIG" ? "E_CONFIG" : "E_EGRESS_UNAVAILABLE";
    throw new NightshiftError(code, `the egress proxy did not do as told: ${message}`, { retryable: true });
  }

  /** Hangs up. */
  close(): void {
    this.#socket.destroy();
  }

  /** The connection alone keeps no process alive. */
  unref(): void {
    this.#socket.unref();
  }

  #receive(reply: ControlReply): void {
    const wake = this.#waiting.shift();
    if (wake === undefined) this.#replies.push(reply);
    else wake(reply);
  }

  #next(signal: AbortSignal): Promise<ControlReply | undefined> {
    const ready = this.#replies.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#socket.destroyed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#socket.destroy();
        reject(signal.reason);
      };
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      this.#waiting.push((reply) => {
        signal.removeEventListener("abort", stop);
        resolve(reply);
      });
    });
  }
}
