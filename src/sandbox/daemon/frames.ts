/** Newline-delimited frames on a byte stream, with a bound on their length. */
import { NightshiftError } from "../../core/errors.ts";

/** No frame may be longer; a request that would be is refused before it is sent. */
export const FRAME_BYTES_MAX: number = 16 * 1024 * 1024;

/** What a connection may send before it has shown the token. */
export const GREETING_BYTES_MAX = 4096;

const NEWLINE = 10;

/** Cuts a stream into frames. */
export class FrameReader {
  /** May be raised once the other side is trusted. */
  bytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The frames that are complete with this chunk. @throws NightshiftError `E_USAGE` when one is too long */
  push(chunk: Buffer): string[] {
    const frames: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      frames.push(this.#take());
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return frames;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.bytesMax) {
      throw new NightshiftError("E_USAGE", `a frame exceeds ${this.bytesMax} bytes`);
    }
    if (part.length > 0) this.#parts.push(part);
  }

  #take(): string {
    const [first] = this.#parts;
    const frame =
      this.#parts.length === 1 && first ? first.toString() : Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.#bytes = 0;
    return frame;
  }
}
