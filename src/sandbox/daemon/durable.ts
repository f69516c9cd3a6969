/** Small durable file operations. */
import { closeSync, fdatasync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const fdatasyncAsync = promisify(fdatasync);

/** Shares syncs of one file between all who wait at the same time. */
export class GroupSync {
  readonly #file: number;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  constructor(file: number) {
    this.#file = file;
  }

  /** True while a sync uses the file. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Resolves when everything written before this call is on disk. */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#begin();
    // A sync that has begun need not cover what was written since, so late-comers share the next one.
    const begin = (): Promise<void> => {
      this.#waiting = undefined;
      return this.#begin();
    };
    this.#waiting ??= this.#running.then(begin, begin);
    return this.#waiting;
  }

  #begin(): Promise<void> {
    const running = fdatasyncAsync(this.#file).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}

/** Writes all of it, or throws. */
export function writeAll(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}

/** Makes the names in a folder durable. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** As {@link syncFolder}, without holding up everything else. */
export async function syncFolderSoon(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a small private file in place: whole or not at all, and durable. */
export function replaceFile(path: string, content: Buffer | string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeAll(file, Buffer.from(content));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}
