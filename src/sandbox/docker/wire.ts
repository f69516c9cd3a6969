/**
 * How the runner in a container gets its wire. Descriptors cannot be handed to a container, so the daemon listens on
 * a socket in a folder that is mounted into it. The runner is the only process there until the daemon has spoken to
 * it: it connects, shows the token that lies beside the socket, and from then on neither of the two exists. The folder
 * for its pipes is moved away at the same time, so that only the runner, which has it open, can reach it.
 */
import { timingSafeEqual } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import { socketAddress } from "../daemon/record.ts";
import { WIRE_FILES } from "./wire-files.ts";

const TOKEN_LENGTH_MAX = 200;

/** Waits for one runner. */
export class WireListener {
  readonly #server: Server;
  readonly #folder: string;
  readonly #release: () => void;
  /** It may come before anybody asks for it. */
  readonly #connected: Promise<Socket>;

  private constructor(server: Server, folder: string, release: () => void) {
    this.#server = server;
    this.#connected = new Promise((resolve) => {
      server.once("connection", (socket: Socket) => resolve(socket));
    });
    this.#folder = folder;
    this.#release = release;
  }

  /**
   * Makes the folder anew, with all that the runner needs.
   * @param folder - absolute; the only content of a folder that nobody else can enter
   */
  static async open(folder: string, token: string): Promise<WireListener> {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, WIRE_FILES.pipes), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, WIRE_FILES.token), token, { mode: 0o400 });
    const server = createServer();
    const { path, release } = socketAddress(folder, WIRE_FILES.socket);
    const listener = new WireListener(server, folder, release);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    return listener;
  }

  /**
   * The wire to the runner, once it has proved itself; nothing but it and the daemon can reach anything here then.
   * @param closed - the folder that the one for pipes is moved into; on the same file system
   */
  async accept(token: string, closed: string, signal: AbortSignal): Promise<Socket> {
    const socket = await this.#connection(signal);
    try {
      await checkToken(socket, token, signal);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    renameSync(join(this.#folder, WIRE_FILES.pipes), join(closed, WIRE_FILES.pipes));
    this.close();
    return socket;
  }

  /** Nobody can connect any more. Idempotent. */
  close(): void {
    this.#server.close();
    this.#release();
    rmSync(join(this.#folder, WIRE_FILES.socket), { force: true });
    rmSync(join(this.#folder, WIRE_FILES.token), { force: true });
  }

  #connection(signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      void this.#connected.then((socket) => {
        signal.removeEventListener("abort", abort);
        resolve(socket);
      });
    });
  }
}

/** Reads the first line, and leaves what follows it, and the stream as new, to whoever reads on. */
function checkToken(socket: Socket, token: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const settle = (problem?: Error): void => {
      socket.off("readable", read);
      socket.off("close", lose);
      socket.off("error", settle);
      signal.removeEventListener("abort", abort);
      if (problem === undefined) resolve();
      else reject(problem);
    };
    const abort = (): void => settle(signal.reason as Error);
    const lose = (): void => settle(refused("it hung up"));
    const read = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\n");
      if (end < 0 && received.length <= TOKEN_LENGTH_MAX) return;
      if (!isSame(received.subarray(0, Math.max(end, 0)), token)) {
        settle(refused("it shows another token"));
        return;
      }
      settle();
      if (received.length > end + 1) socket.unshift(received.subarray(end + 1));
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.on("close", lose);
    socket.on("error", settle);
    socket.on("readable", read);
  });
}

function isSame(shown: Buffer, token: string): boolean {
  const expected = Buffer.from(token);
  return shown.length === expected.length && timingSafeEqual(shown, expected);
}

function refused(reason: string): NightshiftError {
  return new NightshiftError("E_SANDBOX_UNAVAILABLE", `what connects is not the runner: ${reason}`);
}
