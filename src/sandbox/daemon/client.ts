/** The harness's side of one connection to a daemon. */
import { createConnection, type Socket } from "node:net";
import { NightshiftError } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import { FRAME_BYTES_MAX, FrameReader } from "./frames.ts";
import { type Answer, type Command, type Greeting, PROTOCOL_VERSION, parseAnswer } from "./protocol.ts";
import { socketAddress } from "./record.ts";

/** How to reach a daemon. */
export interface DaemonAddress {
  readonly folder: string;
  /** File name in the folder. */
  readonly socket: string;
  readonly token: string;
}

/** Thrown when a connection ends with commands unanswered; they may or may not have been done. */
export class ConnectionClosed extends Error {
  override readonly name = "ConnectionClosed";
}

interface Waiting {
  resolve(value: Json): void;
  reject(error: unknown): void;
  onOutput(text: string): void;
}

/** What goes with one command. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** One connection, past the greeting. */
export class DaemonClient {
  readonly #socket: Socket;
  readonly #reader = new FrameReader(FRAME_BYTES_MAX);
  readonly #waiting = new Map<number, Waiting>();
  #greeting: Greeting | undefined;
  #next = 1;
  #closed: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#close(new ConnectionClosed(error.message, { cause: error })));
    socket.on("close", () => this.#close(new ConnectionClosed("the daemon closed the connection")));
  }

  /**
   * Connects and shows the token.
   * @throws ConnectionClosed when nobody listens or nobody answers in time
   */
  static async open(address: DaemonAddress, limitMs: number, signal?: AbortSignal): Promise<DaemonClient> {
    signal?.throwIfAborted();
    const client = new DaemonClient(await connect(address));
    const timer = setTimeout(
      () => client.#close(new ConnectionClosed("the daemon does not answer")),
      limitMs,
    );
    try {
      const hello = { method: "hello", protocol: PROTOCOL_VERSION, token: address.token } as const;
      client.#greeting = (await client.call(hello, { signal })) as unknown as Greeting;
      return client;
    } catch (error) {
      client.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the daemon said of itself. */
  get greeting(): Greeting {
    if (this.#greeting === undefined) throw new ConnectionClosed("the daemon has not answered yet");
    return this.#greeting;
  }

  /** Sends a command and waits for its answer. Aborting stops the waiting only. */
  async call(command: Command, { signal, onOutput }: CallOptions = {}): Promise<Json> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed;
    const n = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#waiting.set(n, { resolve, reject, onOutput: onOutput ?? ignore });
    const abandon = (): void => {
      this.#send({ n: this.#next++, method: "abandon", target: n });
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abandon, { once: true });
    try {
      this.#send({ n, ...command });
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abandon);
      this.#waiting.delete(n);
    }
  }

  /** Drops the connection; what still waits is rejected. */
  close(): void {
    this.#close(new ConnectionClosed("the connection was dropped"));
  }

  #send(frame: Command & { readonly n: number }): void {
    if (this.#closed) return;
    const text = `${JSON.stringify(frame)}\n`;
    if (text.length * 3 > FRAME_BYTES_MAX && Buffer.byteLength(text) > FRAME_BYTES_MAX) {
      throw new NightshiftError("E_EVENT_TOO_LARGE", `a request exceeds ${FRAME_BYTES_MAX} bytes`);
    }
    this.#socket.write(text);
  }

  #read(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#receive(parseAnswer(frame));
    } catch (error) {
      this.#close(error as Error);
    }
  }

  #receive(answer: Answer): void {
    const waiting = this.#waiting.get(answer.n);
    if (answer.n === 0 && "error" in answer) {
      this.#close(new NightshiftError(answer.error.code, answer.error.message));
    } else if ("output" in answer) {
      waiting?.onOutput(answer.output);
    } else if ("error" in answer) {
      waiting?.reject(new NightshiftError(answer.error.code, answer.error.message));
    } else {
      waiting?.resolve(answer.ok);
    }
  }

  #close(error: Error): void {
    if (this.#closed) return;
    this.#closed = error;
    this.#socket.destroy();
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

function ignore(): void {}

async function connect({ folder, socket }: DaemonAddress): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  let release: () => void = ignore;
  try {
    const address = socketAddress(folder, socket);
    release = address.release;
    const connection = createConnection({ path: address.path });
    connection.once("connect", () => resolve(connection)).once("error", reject);
    await promise;
    connection.off("error", reject);
    return connection;
  } catch (cause) {
    throw new ConnectionClosed("nobody listens", { cause });
  } finally {
    release();
  }
}
