/**
 * The WAL as a file. SQLite writes it; what is done here is what the SQLite inside Node cannot be told to do:
 *
 * - sync with `fdatasync`. Node's SQLite was built without it, and its `fsync` writes the file's times with every
 *   commit. So commits themselves do not sync (`synchronous = NORMAL`; checkpoints still do) and `sync` does.
 * - grow in steps. A sync of a file that has grown also writes its size, which doubles the cost; a WAL that is
 *   written over from its start, or into room that was taken before, does not pay that.
 *
 * SQLite takes its locks on the database and on the shared memory, never on the WAL, so closing a descriptor of
 * this file, which drops the process's locks on it, does no harm.
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, writeSync } from "node:fs";

/** Room is taken in steps of this. */
const STEP_BYTES = 256 * 1024;

/** An open WAL; opened at the first use, because SQLite makes the file with its first transaction. */
export class WalFile {
  readonly #path: string;
  readonly #roomMax: number;
  #descriptor: number | undefined;
  #bytes = 0;

  /** @param roomMax - no room is taken beyond this, for SQLite starts over at the beginning of the file by then */
  constructor(path: string, roomMax: number) {
    this.#path = path;
    this.#roomMax = roomMax;
  }

  /**
   * Inside a write transaction nobody else writes to the WAL, and what is beyond its end belongs to no commit; zeros
   * there are no valid frames. Best effort: without room, SQLite reports a full disk by itself.
   */
  reserve(): void {
    if (this.#descriptor === undefined || this.#bytes >= this.#roomMax) return;
    const { size } = fstatSync(this.#descriptor);
    if (size === this.#bytes) return;
    this.#bytes = size;
    if (size >= this.#roomMax) return;
    const room = Math.min(STEP_BYTES, this.#roomMax - size);
    try {
      this.#bytes += writeSync(this.#descriptor, new Uint8Array(room), 0, room, size);
    } catch {
      // It is only about speed.
    }
  }

  /** Everything that was committed before is on the disk when this returns. */
  sync(): void {
    this.#descriptor ??= openSync(this.#path, "r+");
    fdatasyncSync(this.#descriptor);
  }

  /** Gives the descriptor back. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
