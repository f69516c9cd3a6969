/**
 * What the daemon and the runner in a pod say to each other: one JSON object per line, over a wire that commands
 * cannot reach. Nothing here is a secret, and the daemon still trusts no more of it than it has to: a frame that is
 * too long or makes no sense breaks the wire, and with the wire the pod ends.
 */
import type { Duplex } from "node:stream";
import type { ErrorCode } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecRequest } from "../contract.ts";
import { FRAME_BYTES_MAX, FrameReader } from "../daemon/frames.ts";

/** Of what the daemon sends. Every question carries a number `n` that no other one has. */
export type ToRunner =
  | ({ readonly type: "start" } & RunnerConfig)
  /** `isNoted`: the journal knows that it begins, so the runner need not ask. */
  | { readonly type: "begin"; readonly n: number; readonly request: ExecRequest; readonly isNoted: boolean }
  /** The journal knows now that execution `n` begins; or it could not be told, so it must not begin. */
  | { readonly type: "noted"; readonly n: number; readonly problem: string | null }
  | { readonly type: "stop"; readonly n: number }
  | { readonly type: "sweep"; readonly n: number; readonly exec: ExecId }
  | {
      readonly type: "prepare";
      readonly n: number;
      readonly operation: "write" | "edit";
      readonly input: Json;
    };

/** Of what the runner sends. */
export type FromRunner =
  /** Execution `n` waits until the journal knows of it. `temporary` is where a crash may leave a file behind. */
  | { readonly type: "begins"; readonly n: number; readonly temporary: string | null }
  /** A part of what execution `n` prints, for people who watch. */
  | { readonly type: "output"; readonly n: number; readonly text: string }
  | { readonly type: "answer"; readonly n: number; readonly value: Json }
  | { readonly type: "failure"; readonly n: number; readonly code: ErrorCode; readonly message: string };

/** What a runner is told first. */
export interface RunnerConfig {
  /** Begins every marker of this sandbox. */
  readonly key: string;
  /** The folder to work in, inside. */
  readonly root: string;
  /** What commands see. */
  readonly environment: { readonly [name: string]: string };
  /** Files of changes that were cut short in earlier incarnations; inside. */
  readonly leftovers: readonly string[];
  /** The socket of the egress proxy, inside; null: there is no way out. */
  readonly egress: string | null;
  /** The socket of the model gateway, inside; null: commands have no model. */
  readonly gateway: string | null;
}

/** An answer holds an output, in which a byte may take six once it is JSON. */
const WIRE_FRAME_BYTES_MAX: number = 2 * FRAME_BYTES_MAX;

/** One end of a wire. */
export class WireEnd<Received extends object, Sent extends object> {
  readonly #wire: Duplex;
  readonly #reader = new FrameReader(WIRE_FRAME_BYTES_MAX);

  /**
   * @param receive - called with each frame; when it throws, the wire breaks
   * @param lost - called once, when the wire has broken
   */
  constructor(wire: Duplex, receive: (frame: Received) => void, lost: (reason: string) => void) {
    this.#wire = wire;
    let isLost = false;
    const lose = (reason: string): void => {
      if (isLost) return;
      isLost = true;
      wire.destroy();
      lost(reason);
    };
    wire.on("error", (error) => lose(error.message));
    wire.on("end", () => lose("its other end was closed"));
    wire.on("close", () => lose("it was closed"));
    wire.on("data", (chunk: Buffer) => {
      if (isLost) return;
      try {
        for (const frame of this.#reader.push(chunk)) receive(parseFrame<Received>(frame));
      } catch (error) {
        lose(error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** True while the other side has more than this still to read. */
  isBehind(bytes: number): boolean {
    return this.#wire.writableLength > bytes;
  }

  send(frame: Sent): void {
    if (this.#wire.writable) this.#wire.write(`${JSON.stringify(frame)}\n`);
  }
}

function parseFrame<Frame extends object>(text: string): Frame {
  const frame: unknown = JSON.parse(text);
  const isFrame =
    typeof frame === "object" && frame !== null && "type" in frame && typeof frame.type === "string";
  if (!isFrame) throw new Error("a frame on the wire makes no sense");
  return frame as unknown as Frame;
}
