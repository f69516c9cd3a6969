/** `read`: a text file with numbered lines, or a range of them. */
import type { FileHandle } from "node:fs/promises";
import type { ReadInput } from "../inputs.ts";
import { inspectFile, locate, openFile } from "./files.ts";
import type { OperationContext, OperationOutcome } from "./operations.ts";
import { refused, succeeded } from "./operations.ts";
import { cutAfter } from "./output.ts";

const CHUNK_BYTES = 262_144;
/** After the wanted lines, the rest of a file is only counted while it is short. */
const COUNT_BYTES_MAX = 8 * 1024 * 1024;
const BINARY_PROBE_BYTES = 8192;
/** A longer line is cut: one minified file must not push everything else out. */
const LINE_BYTES_MAX = 4096;
const NEWLINE = 10;

/** Reads what was asked for, as far as the output limit allows. */
export async function readOperation(input: ReadInput, context: OperationContext): Promise<OperationOutcome> {
  const located = await locate(context.root, input.path);
  if (!located.ok) return refused(located.problem);
  await using place = located.value;
  const found = await inspectFile(place);
  if (found.kind === "missing") return refused(`${place.shown} does not exist`);
  if (found.kind === "other") return refused(`${found.problem}; read works on text files`);
  const handle = await openFile(place.at);
  try {
    const reader = new LineReader(input.range ?? [1, -1], context.limits.outputBytes);
    const isText = await feed(reader, handle, found.size, context.signal);
    if (!isText) return refused(`${place.shown} is a binary file of ${found.size} bytes`);
    return succeeded(...reader.finish(place.shown, found.size));
  } finally {
    await handle.close();
  }
}

async function feed(
  reader: LineReader,
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, size + 1)));
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return true;
    const chunk = buffer.subarray(0, bytesRead);
    if (position < BINARY_PROBE_BYTES && chunk.subarray(0, BINARY_PROBE_BYTES).includes(0)) return false;
    reader.push(chunk);
    position += bytesRead;
    if (reader.isSatisfied && size > COUNT_BYTES_MAX) return true;
  }
}

/** Picks a range of lines out of chunks, holding no more than the output limit. */
class LineReader {
  readonly #first: number;
  readonly #last: number;
  readonly #bytesMax: number;
  #output: string[] = [];
  #outputBytes = 0;
  #isFull = false;
  #line = 1;
  #lastShown = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #readBytes = 0;

  constructor([first, last]: readonly [number, number], bytesMax: number) {
    this.#first = first;
    this.#last = last === -1 ? Number.POSITIVE_INFINITY : last;
    // Room for the sentence at the end.
    this.#bytesMax = Math.max(0, bytesMax - 160);
  }

  /** Nothing more will be shown. */
  get isSatisfied(): boolean {
    return this.#isFull || this.#line > this.#last;
  }

  push(chunk: Buffer): void {
    this.#readBytes += chunk.length;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#extend(chunk.subarray(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#extend(chunk.subarray(start));
  }

  #extend(part: Buffer): void {
    this.#pendingBytes += part.length;
    const isWanted = this.#line >= this.#first && !this.isSatisfied;
    const room = LINE_BYTES_MAX + 4 - this.#pending.reduce((sum, each) => sum + each.length, 0);
    if (isWanted && room > 0 && part.length > 0) this.#pending.push(Buffer.from(part.subarray(0, room)));
  }

  #endLine(): void {
    if (this.#line >= this.#first && !this.isSatisfied) this.#show();
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#line++;
  }

  #show(): void {
    const bytes = Buffer.concat(this.#pending);
    const isLong = this.#pendingBytes > LINE_BYTES_MAX;
    const kept = isLong ? cutAfter(bytes, LINE_BYTES_MAX) : bytes;
    const more = isLong ? ` [... ${this.#pendingBytes - kept.length} more bytes]` : "";
    const shown = `${this.#line}\t${kept.toString()}${more}\n`;
    const length = Buffer.byteLength(shown);
    if (this.#outputBytes + length > this.#bytesMax) {
      this.#isFull = true;
      return;
    }
    this.#output.push(shown);
    this.#outputBytes += length;
    this.#lastShown = this.#line;
  }

  /** The numbered lines and the bytes that were left out for want of room. */
  finish(name: string, size: number): [output: string, droppedBytes: number] {
    if (this.#pendingBytes > 0) this.#endLine();
    const lines = this.#line - 1;
    const isCounted = this.#readBytes >= size;
    if (size === 0) return [`${name} is empty`, 0];
    if (this.#lastShown === 0 && !this.#isFull) {
      return [`${name} has ${lines} lines; line ${this.#first} is after its end`, 0];
    }
    const total = isCounted ? `${lines} lines` : `${size} bytes`;
    if (!this.#isFull) {
      const isWhole = this.#first === 1 && isCounted && this.#lastShown === lines;
      return [this.#output.join("") + (isWhole ? "" : `[of ${total}]\n`), 0];
    }
    const next = Math.max(this.#lastShown + 1, this.#first);
    const hint = `[no room for more; the file has ${total}; go on with view_range [${next}, ...]]\n`;
    return [this.#output.join("") + hint, Math.max(0, size - this.#outputBytes)];
  }
}
