/**
 * Real pipes for the output of commands. Node connects children through sockets, and a socket cannot be opened
 * again: `echo oops > /dev/stderr` would fail in every script. One pipe for stdout and stderr together also keeps
 * their order. Node cannot make anonymous pipes, so named ones are made in batches, opened, and unlinked at once.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NightshiftError } from "../../core/errors.ts";

const BATCH = 32;
const LOW = 8;

/** Both ends of a pipe. The owner closes them. */
export interface Pipe {
  /** Non-blocking. */
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** Keeps some pipes ready, because making one costs as much as a command. */
export class PipePool {
  readonly #folder: string;
  #ready: string[] = [];
  #made = 0;
  #filling: Promise<void> | undefined;

  /** @param folder - exists, private, may be used up by the pool */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when no pipe can be made */
  async take(): Promise<Pipe> {
    if (this.#ready.length <= LOW) void this.fill().catch(() => undefined);
    for (let path = this.#ready.pop(); ; path = this.#ready.pop()) {
      if (path !== undefined) return openPipe(path);
      await this.fill();
    }
  }

  /** Makes a batch, or waits for the one in the making. */
  fill(): Promise<void> {
    this.#filling ??= this.#makeBatch();
    return this.#filling;
  }

  async #makeBatch(): Promise<void> {
    try {
      const names = Array.from({ length: BATCH }, () => join(this.#folder, `pipe-${this.#made++}`));
      await promisify(execFile)("mkfifo", ["-m", "600", "--", ...names]);
      this.#ready.push(...names);
    } catch (cause) {
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", "cannot make pipes with mkfifo", { cause });
    } finally {
      this.#filling = undefined;
    }
  }
}

function openPipe(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  } finally {
    rmSync(path);
  }
}
