/**
 * The file under a journal: bytes are added at its end and synced. Space is written with zeros ahead of time, so
 * that a sync has only the new bytes to write: syncing a file that has grown makes the file system commit its own
 * journal too, and wait for what every other program has in it.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { GroupSync, syncFolder } from "./durable.ts";

const AHEAD_BYTES = 256 * 1024;

/** Where some bytes are in the file. */
export interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** An open file that only this process writes. */
export class JournalFile {
  readonly #file: number;
  readonly #sync: GroupSync;
  /** Everything before it is content, everything after it zeros. */
  #end = 0;
  #allocated = 0;

  constructor(path: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#sync = new GroupSync(this.#file);
    syncFolder(dirname(path));
  }

  /** Bytes of content. */
  get size(): number {
    return this.#end;
  }

  /** True while a sync uses the file, which then must not be closed. */
  get isSyncing(): boolean {
    return this.#sync.isRunning;
  }

  /** Everything in it, the zeros at its end included. */
  readAll(): Buffer {
    return readFileSync(this.#file);
  }

  /** Says where the content ends; what follows is removed. */
  cut(end: number): void {
    ftruncateSync(this.#file, end);
    this.#end = end;
    this.#allocated = end;
  }

  /** Adds bytes: all of them or, when it throws, none. They are durable after the next {@link sync}. */
  append(bytes: Buffer): Place {
    const at = this.#end;
    try {
      if (at + bytes.length > this.#allocated) this.#allocateAhead(at + bytes.length);
      writeAt(this.#file, bytes, at);
    } catch (error) {
      this.cut(at);
      throw error;
    }
    this.#end += bytes.length;
    return { at, bytes: bytes.length };
  }

  /** Resolves when everything appended before this call is on disk. */
  sync(): Promise<void> {
    return this.#sync.sync();
  }

  /** Reads a part of the content; what is missing reads as zeros. */
  read({ at, bytes }: Place): Buffer {
    const buffer = Buffer.alloc(bytes);
    for (let read = 0; read < bytes; ) {
      const count = readSync(this.#file, buffer, read, bytes - read, at + read);
      if (count === 0) break;
      read += count;
    }
    return buffer;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** On a disk that is nearly full, what is needed may still fit where the space ahead does not. */
  #allocateAhead(needed: number): void {
    const end = needed + AHEAD_BYTES;
    try {
      writeAt(this.#file, Buffer.alloc(end - this.#allocated), this.#allocated);
      this.#allocated = end;
    } catch {
      ftruncateSync(this.#file, this.#end);
      this.#allocated = needed;
    }
  }
}

function writeAt(file: number, bytes: Buffer, at: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, at + written);
  }
}
