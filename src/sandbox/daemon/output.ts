/**
 * Keeps the head and the tail of what a command prints and counts the rest. Memory is bounded by the limit,
 * however much is printed.
 */

/** Room for the line that says what is missing. */
const GAP_BYTES = 64;

/** What is left of an output. */
export interface KeptOutput {
  readonly output: string;
  readonly droppedBytes: number;
}

/** Collects one output. */
export class OutputKeeper {
  readonly #bytesMax: number;
  #head: Buffer[] = [];
  #headBytes = 0;
  /** A ring, made when the head is full: most outputs never need it. */
  #tail: Buffer | undefined;
  #tailBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Copies what it keeps, so the caller may use the chunk's memory again. */
  push(chunk: Buffer): void {
    const room = this.#bytesMax - this.#headBytes;
    if (room > 0) {
      const part = Buffer.from(chunk.subarray(0, room));
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    if (chunk.length > room) this.#pushTail(chunk.subarray(room));
  }

  #pushTail(chunk: Buffer): void {
    this.#tail ??= Buffer.allocUnsafe(this.#bytesMax);
    const size = this.#tail.length;
    const at = (this.#tailBytes + Math.max(0, chunk.length - size)) % size;
    const part = chunk.subarray(Math.max(0, chunk.length - size));
    const untilEnd = Math.min(part.length, size - at);
    part.copy(this.#tail, at, 0, untilEnd);
    part.copy(this.#tail, 0, untilEnd);
    this.#tailBytes += chunk.length;
  }

  /** The output, with `note` as its last line, in at most the limit's bytes of UTF-8. */
  finish(note = ""): KeptOutput {
    const head = Buffer.concat(this.#head);
    const all = this.#tailBytes === 0 ? head : Buffer.concat([head, this.#lastTail()]);
    const lost = this.#headBytes + this.#tailBytes - all.length;
    return cutMiddle(all, lost, this.#bytesMax, note);
  }

  #lastTail(): Buffer {
    if (this.#tail === undefined || this.#tailBytes <= this.#tail.length) {
      return this.#tail?.subarray(0, this.#tailBytes) ?? Buffer.alloc(0);
    }
    const at = this.#tailBytes % this.#tail.length;
    return Buffer.concat([this.#tail.subarray(at), this.#tail.subarray(0, at)]);
  }
}

/**
 * Cuts the middle out of `bytes`, of which `lost` are missing already. Decoding first makes the limit hold for
 * output that is no UTF-8 too: a stray byte grows to three.
 */
function cutMiddle(bytes: Buffer, lost: number, bytesMax: number, note: string): KeptOutput {
  const text = bytes.toString();
  const lastLine = note === "" || text === "" || text.endsWith("\n") ? note : `\n${note}`;
  const room = bytesMax - Buffer.byteLength(lastLine);
  const encoded = Buffer.from(text);
  if (lost === 0 && encoded.length <= room) return { output: text + lastLine, droppedBytes: 0 };
  const part = Math.max(0, (room - GAP_BYTES) >> 1);
  const head = cutAfter(encoded, part);
  const tail = cutBefore(encoded, encoded.length - part);
  const droppedBytes = lost + encoded.length - head.length - tail.length;
  const gap = `\n[... ${droppedBytes} bytes dropped ...]\n`;
  const output = head.toString() + gap + tail.toString() + lastLine;
  return { output: Buffer.byteLength(output) <= bytesMax ? output : "", droppedBytes };
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** At most `length` bytes from the start, never ending inside a character. */
export function cutAfter(bytes: Buffer, length: number): Buffer {
  let end = Math.min(length, bytes.length);
  while (end > 0 && isContinuation(bytes[end])) end--;
  return bytes.subarray(0, end);
}

function cutBefore(bytes: Buffer, from: number): Buffer {
  let start = Math.max(0, from);
  while (start < bytes.length && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}
