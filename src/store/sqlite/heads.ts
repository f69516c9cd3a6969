/**
 * The heads file: beside the database, outside of its pages and its WAL, the last acknowledged position of each
 * session. SQLite forgets commits silently when its WAL is damaged; a log that is behind its head shows it.
 *
 * A slot of 64 bytes per session, at 64 × the session's key; slot 0 names the file. Written after each commit and
 * before the answer, never synced: it is there to catch damage, and a lost slot only means less protection.
 *
 * Slot: crc32 of the rest (4), epoch (4), seq (8), digest of the session id (16), hash (32). Numbers are little-endian.
 */
import { hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { NightshiftError } from "../../core/errors.ts";
import type { Sequence } from "../../core/ids.ts";
import { crc32 } from "./crc32.ts";

const SLOT_BYTES = 64;
const DIGEST_BYTES = 16;
const WRITTEN_MAX = 10_000;
/** Most slots that are read or written at once. */
const RUN_SLOTS_MAX = 64;
const WORD = 2 ** 32;
const TITLE = Buffer.from("nightshift heads 1\n".padEnd(SLOT_BYTES - 1, " ").concat("\n"));

/** The last acknowledged position of a session. */
export interface Head {
  /** Hex digest of the session's id, as {@link headDigest} makes it. */
  readonly digest: string;
  readonly seq: Sequence;
  /** Hash of the event at `seq`, hex. */
  readonly hash: string;
  /** The newest lease. */
  readonly epoch: number;
}

/** What a slot holds: a head, nothing yet, or bytes that do not add up. */
export type Slot = Head | "empty" | "damaged";

/** How a session is named in its slot. */
export function headDigest(sessionId: string): string {
  return hash("sha256", sessionId, "hex").slice(0, DIGEST_BYTES * 2);
}

/** What was written last to a slot. */
interface Written {
  /** The head that was to be written. */
  readonly head: Head;
  /** What the slot holds since then, unless another process has written: the same, or what was further on. */
  readonly slot: Head;
  readonly bytes: Buffer;
}

/** An open heads file. */
export class HeadsFile {
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(RUN_SLOTS_MAX * SLOT_BYTES);
  /** What this handle has written last, by key. */
  readonly #written = new Map<number, Written>();

  /**
   * Opens it, and makes it if need be. A damaged title protects nothing, so it is left to `fsck`.
   * @throws NightshiftError `E_STORE_NEWER`; the system's error
   */
  constructor(path: string) {
    this.#descriptor = openOrCreate(path);
    const length = readSync(this.#descriptor, this.#buffer, 0, SLOT_BYTES, 0);
    if (length === 0) this.#writeAll(TITLE, 0);
    const version = /^nightshift heads (\d+)/.exec(this.#buffer.toString("latin1", 0, length))?.[1];
    if (length > 0 && version !== undefined && version !== "1") {
      this.close();
      throw new NightshiftError(
        "E_STORE_NEWER",
        `${path} has version ${version}; this release knows version 1`,
      );
    }
  }

  /** Number of slots, used or not; the title counts as one. */
  get slots(): number {
    return Math.ceil(fstatSync(this.#descriptor).size / SLOT_BYTES);
  }

  /** What the slot of a session's key holds. */
  read(key: number): Slot {
    const length = readSync(this.#descriptor, this.#buffer, 0, SLOT_BYTES, key * SLOT_BYTES);
    return length === 0 ? "empty" : decode(this.#buffer.subarray(0, length));
  }

  /** Was exactly this head written last through this handle? Then there is no need to read it. */
  isLastWritten(key: number, seq: Sequence, hashOfEvent: string, epoch: number): boolean {
    const last = this.#written.get(key)?.head;
    return last !== undefined && last.seq === seq && last.hash === hashOfEvent && last.epoch === epoch;
  }

  /** Forgets what was written through this handle, because the database may not hold it any more. */
  forget(): void {
    this.#written.clear();
  }

  /** Moves heads forwards, by the keys of their sessions; where another process was faster, its position stays. */
  advance(heads: ReadonlyMap<number, Head>): void {
    if (this.#written.size >= WRITTEN_MAX) this.#written.clear();
    const keys = [...heads.keys()].sort((left, right) => left - right);
    for (let from = 0, next = 1; from < keys.length; from = next++) {
      while (next - from < RUN_SLOTS_MAX && keys[next] === (keys[from] as number) + next - from) next++;
      this.#advanceRun(keys.slice(from, next), heads);
    }
  }

  /** Slots that lie one after the other are read together and written together. */
  #advanceRun(keys: readonly number[], heads: ReadonlyMap<number, Head>): void {
    const position = (keys[0] as number) * SLOT_BYTES;
    const bytes = this.#buffer.subarray(0, keys.length * SLOT_BYTES);
    bytes.fill(0, readSync(this.#descriptor, bytes, 0, bytes.length, position));
    const moved = keys.filter((key, index) => {
      const slot = bytes.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES);
      return this.#advanceSlot(slot, key, heads.get(key) as Head);
    });
    if (moved.length === keys.length) this.#writeAll(bytes, position);
    else for (const key of moved) this.#writeAll(this.#written.get(key)?.bytes as Buffer, key * SLOT_BYTES);
  }

  /** @param bytes - what the slot holds; takes what it is to hold. @returns whether that is something else */
  #advanceSlot(bytes: Buffer, key: number, head: Head): boolean {
    const written = this.#written.get(key);
    // Nearly always it is what this handle has written, which need not be decoded.
    const current = written !== undefined && bytes.equals(written.bytes) ? written.slot : decode(bytes);
    const before = typeof current === "object" && current.digest === head.digest ? current : undefined;
    const { seq, hash: hashOfEvent } = before !== undefined && before.seq > head.seq ? before : head;
    const epoch = Math.max(head.epoch, before?.epoch ?? 0);
    const slot = { digest: head.digest, seq, hash: hashOfEvent, epoch };
    const encoded = encode(slot);
    encoded.copy(bytes);
    this.#written.set(key, { head, slot, bytes: encoded });
    return before === undefined || before.seq !== seq || before.epoch !== epoch;
  }

  /** Takes the room for a slot now, so that a full disk shows before the commit and not after it. */
  reserve(key: number): void {
    if (this.slots > key) return;
    this.#writeAll(Buffer.alloc(SLOT_BYTES), key * SLOT_BYTES);
  }

  /** Is there a head of any session? */
  holdsAny(): boolean {
    const count = this.slots;
    for (let key = 1; key < count; key++) if (typeof this.read(key) === "object") return true;
    return false;
  }

  /** The key and head of the session with that digest. Reads all slots at once; for sessions that have no row. */
  find(digest: string): { readonly key: number; readonly head: Head } | undefined {
    const bytes = Buffer.alloc(this.slots * SLOT_BYTES);
    readSync(this.#descriptor, bytes, 0, bytes.length, 0);
    const wanted = Buffer.from(digest, "hex");
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
      const key = Math.floor(at / SLOT_BYTES);
      const head = decode(bytes.subarray(key * SLOT_BYTES, (key + 1) * SLOT_BYTES));
      if (typeof head === "object" && head.digest === digest) return { key, head };
    }
    return undefined;
  }

  /** Gives the file back. */
  close(): void {
    closeSync(this.#descriptor);
  }

  #writeAll(bytes: Buffer, position: number): void {
    const written = writeSync(this.#descriptor, bytes, 0, bytes.length, position);
    if (written !== bytes.length) throw new NightshiftError("E_STORE_FULL", "no room for the heads file");
  }
}

function encode({ digest, seq, hash: hashOfEvent, epoch }: Head): Buffer {
  const bytes = Buffer.allocUnsafe(SLOT_BYTES);
  bytes.writeUInt32LE(epoch, 4);
  bytes.writeUInt32LE(seq % WORD, 8);
  bytes.writeUInt32LE(Math.floor(seq / WORD), 12);
  bytes.write(digest, 16, "hex");
  bytes.write(hashOfEvent, 32, "hex");
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

function decode(bytes: Buffer): Slot {
  if (bytes.length < SLOT_BYTES || crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) {
    return bytes.every((byte) => byte === 0) ? "empty" : "damaged";
  }
  return {
    epoch: bytes.readUInt32LE(4),
    seq: Number(bytes.readBigUInt64LE(8)),
    digest: bytes.toString("hex", 16, 32),
    hash: bytes.toString("hex", 32, 64),
  };
}

function openOrCreate(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // Without truncation: another process may have made it meanwhile.
  closeSync(openSync(path, "a", 0o600));
  return openSync(path, "r+");
}
