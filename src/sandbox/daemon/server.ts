/** The daemon's side of its connections: the token, the epoch floor, commands and their answers. */
import { timingSafeEqual } from "node:crypto";
import type { Server, Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { isNightshiftError, NightshiftError, unreachable } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import type { ExecRequest } from "../contract.ts";
import type { Executions } from "./executions.ts";
import { FRAME_BYTES_MAX, FrameReader, GREETING_BYTES_MAX } from "./frames.ts";
import type { Journal } from "./journal.ts";
import {
  type Answer,
  type Command,
  failureAnswer,
  type Greeting,
  PROTOCOL_VERSION,
  parseCommand,
} from "./protocol.ts";

const CONNECTIONS_MAX = 64;
const GREETING_MS_MAX = 10_000;
/** Previews are dropped while a harness has more than this still to read. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
/** Previews a second at the most, and the bytes in each. */
const PREVIEW_INTERVAL_MS = 50;
const PREVIEW_BYTES_MAX = 16_384;

/** What connections need of the daemon. */
export interface DaemonParts {
  readonly greeting: Greeting;
  readonly token: string;
  readonly journal: Journal;
  readonly executions: Executions;
  /** Ends everything and the daemon; resolves when all is dead, just before the process exits. */
  shutdown(): Promise<void>;
  /** Called when the number of live harnesses has changed. */
  onContact(harnesses: number): void;
}

/** All connections of a daemon. */
export class Connections {
  readonly #parts: DaemonParts;
  readonly #open = new Set<Connection>();
  #floor: number;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#floor = parts.journal.epoch;
  }

  /** Serves whoever connects. */
  serve(server: Server): void {
    server.maxConnections = CONNECTIONS_MAX;
    server.on("connection", (socket) => {
      const connection = new Connection(socket, this.#parts, this);
      this.#open.add(connection);
      socket.once("close", () => {
        this.#open.delete(connection);
        this.#count();
      });
    });
  }

  /** Lets a connection in under an epoch and shuts out all lower ones, those that are open too. */
  async attach(connection: Connection, epoch: number): Promise<void> {
    this.check(epoch);
    if (epoch > this.#floor) {
      // Refusing begins before the floor is durable, and the answer comes after it.
      this.#floor = epoch;
      for (const other of this.#open) other.dropIfStale(epoch);
      await this.#parts.journal.raiseEpoch(epoch);
    }
    connection.epoch = epoch;
    this.#count();
  }

  /** @throws NightshiftError `E_SANDBOX_STALE` below the floor */
  check(epoch: number | undefined): void {
    if (epoch === undefined) throw new NightshiftError("E_USAGE", "attach first");
    if (epoch >= this.#floor) return;
    throw new NightshiftError(
      "E_SANDBOX_STALE",
      `epoch ${epoch} has ended here: a harness of epoch ${this.#floor} has attached`,
    );
  }

  /** Answers what is still unanswered by closing. */
  close(): void {
    for (const connection of this.#open) connection.close();
  }

  /** A harness of an epoch that has ended is no contact, however long it stays connected. */
  #count(): void {
    this.#parts.onContact([...this.#open].filter(({ epoch }) => (epoch ?? -1) >= this.#floor).length);
  }
}

class Connection {
  epoch: number | undefined;
  readonly #socket: Socket;
  readonly #parts: DaemonParts;
  readonly #connections: Connections;
  readonly #reader = new FrameReader(GREETING_BYTES_MAX);
  readonly #unanswered = new Set<number>();
  #isTrusted = false;

  constructor(socket: Socket, parts: DaemonParts, connections: Connections) {
    this.#socket = socket;
    this.#parts = parts;
    this.#connections = connections;
    const timer = setTimeout(() => this.#isTrusted || socket.destroy(), GREETING_MS_MAX);
    socket.once("close", () => clearTimeout(timer));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => this.#read(chunk));
  }

  /** Tells all who wait on this connection that a newer harness has come. */
  dropIfStale(floor: number): void {
    if (this.epoch === undefined || this.epoch >= floor) return;
    const error = new NightshiftError("E_SANDBOX_STALE", `a harness of epoch ${floor} has attached`);
    for (const n of this.#unanswered) this.#answer(failureAnswer(n, error));
  }

  close(): void {
    this.#socket.end();
  }

  #read(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) {
        const { n, command } = parseCommand(frame);
        if (!this.#isTrusted) this.#greet(n, command);
        else if (command.method === "abandon") this.#unanswered.delete(command.target);
        else void this.#serve(n, command);
      }
    } catch (error) {
      // Somebody who does not speak the protocol gets one answer and no second chance.
      this.#socket.end(encode(failureAnswer(0, error)));
    }
  }

  #greet(n: number, command: Command): void {
    if (command.method !== "hello") throw new NightshiftError("E_USAGE", "say hello first");
    if (command.protocol !== PROTOCOL_VERSION) {
      const versions = `${command.protocol}, the daemon ${PROTOCOL_VERSION}`;
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `the harness speaks protocol ${versions}`);
    }
    if (!isEqual(command.token, this.#parts.token)) throw new NightshiftError("E_USAGE", "wrong token");
    this.#isTrusted = true;
    this.#reader.bytesMax = FRAME_BYTES_MAX;
    this.#socket.write(encode({ n, ok: { ...this.#parts.greeting } }));
  }

  async #serve(n: number, command: Command): Promise<void> {
    this.#unanswered.add(n);
    try {
      const ok = await this.#perform(n, command);
      this.#answer({ n, ok });
    } catch (error) {
      if (!isNightshiftError(error)) process.stderr.write(`${String(error)}\n`);
      this.#answer(failureAnswer(n, error));
    }
  }

  async #perform(n: number, command: Command): Promise<Json> {
    const { executions } = this.#parts;
    switch (command.method) {
      case "hello":
        return { ...this.#parts.greeting };
      case "attach":
        await this.#connections.attach(this, command.epoch);
        return null;
      case "execute":
        this.#connections.check(this.epoch);
        return { ...(await executions.execute(command.request, this.#previews(n, command))) } as Json;
      case "prepare":
        this.#connections.check(this.epoch);
        return { ...(await executions.prepare(command.operation, command.input)) };
      case "cancel":
        this.#connections.check(this.epoch);
        await executions.cancel(command.execId);
        return null;
      case "shutdown":
        await this.#parts.shutdown();
        return null;
      case "abandon":
        return null;
      default:
        return unreachable(command);
    }
  }

  /** Output on its way, for people who watch: a part of it, never more than the other side reads. */
  #previews(
    n: number,
    { stream }: { readonly request: ExecRequest; readonly stream: boolean },
  ): ((chunk: Buffer) => void) | undefined {
    if (!stream) return undefined;
    const decoder = new StringDecoder("utf8");
    let text = "";
    let isScheduled = false;
    const flush = (): void => {
      isScheduled = false;
      const isWanted = this.#unanswered.has(n) && this.#socket.writableLength < BACKLOG_BYTES_MAX;
      if (isWanted && text !== "") this.#socket.write(encode({ n, output: text }));
      text = "";
    };
    return (chunk) => {
      if (text.length < PREVIEW_BYTES_MAX) text += decoder.write(chunk.subarray(0, PREVIEW_BYTES_MAX));
      if (!isScheduled) setTimeout(flush, PREVIEW_INTERVAL_MS);
      isScheduled = true;
    };
  }

  #answer(answer: Answer): void {
    if (this.#unanswered.delete(answer.n)) this.#socket.write(encode(answer));
  }
}

function encode(answer: Answer): string {
  return `${JSON.stringify(answer)}\n`;
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
