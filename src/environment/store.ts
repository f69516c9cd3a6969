/**
 * Layers on disk. A layer appears in `layers/` by one rename, whole and synced, and is never changed again; what is
 * being made is in `making/`, and belongs to whoever holds the lock of its key.
 */
import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { messageOf, NightshiftError } from "../core/errors.ts";
import { replaceFile, syncFolder } from "../sandbox/daemon/durable.ts";
import { type FolderLock, tryLock } from "../sandbox/daemon/lock.ts";
import { listPids } from "../sandbox/daemon/processes.ts";
import { openSandboxFolder } from "../sandbox/daemon/record.ts";
import type { Ecosystem, LayerOutput } from "./contract.ts";

/** What a finished layer says of itself. */
export interface LayerRecord {
  readonly key: string;
  readonly ecosystem: Ecosystem;
  /** Those that exist. */
  readonly outputs: readonly LayerOutput[];
  readonly bytes: number;
}

/** A layer, as {@link LayerStore.list} finds it. */
export interface StoredLayer extends LayerRecord {
  readonly usedMs: number;
}

/** Bounds of a collection. */
export interface CollectOptions {
  readonly bytesMax: number;
  /** Layers used more recently than this stay. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Layers that somebody will use again soon, besides those that are mounted somewhere now. */
  readonly isNeeded?: (key: string) => boolean;
}

const RECORD = "layer.json";
const LOCK_POLL_MS = 50;
const KEY = /^[0-9a-f]{64}$/;

/** One folder of layers, shared by all sessions of a state folder. */
export class LayerStore {
  readonly #folder: string;

  /** @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when others can enter the folder */
  constructor(folder: string) {
    this.#folder = openSandboxFolder(folder);
    for (const name of ["layers", "making", "locks"])
      mkdirSync(join(this.#folder, name), { recursive: true, mode: 0o700 });
  }

  /** Where a finished layer is. */
  placeOf(key: string): string {
    if (!KEY.test(key))
      throw new NightshiftError("E_INTERNAL", `${JSON.stringify(key)} is no key of a layer`);
    return join(this.#folder, "layers", key);
  }

  /** A finished layer, or undefined. Finding it counts as use. */
  find(key: string, clock: Clock): LayerRecord | undefined {
    const record = readRecord(this.placeOf(key));
    if (record === undefined) return undefined;
    const now = clock.wallMs() / 1000;
    try {
      utimesSync(join(this.placeOf(key), RECORD), now, now);
    } catch {
      // It was collected in this moment.
      return undefined;
    }
    return record;
  }

  /** Waits until nobody else makes this layer. */
  async lock(key: string, clock: Clock, signal: AbortSignal): Promise<FolderLock> {
    for (;;) {
      signal.throwIfAborted();
      const lock = this.#tryLock(key);
      if (lock !== undefined) return lock;
      await clock.sleep(LOCK_POLL_MS, signal);
    }
  }

  /** A new place to make a layer in. Call with the lock held. */
  begin(key: string, unique: string): string {
    const place = join(this.#folder, "making", `${key}.${unique}`);
    for (const name of ["work", "layer"]) mkdirSync(join(place, name), { recursive: true, mode: 0o755 });
    return place;
  }

  /** Places that earlier makers of this layer have left behind. Call with the lock held. */
  leftovers(key: string): readonly string[] {
    return readdirSync(join(this.#folder, "making"))
      .filter((name) => name.startsWith(`${key}.`))
      .map((name) => join(this.#folder, "making", name));
  }

  /** Puts a layer in place: whole or not at all, and durable. Call with the lock held. */
  async publish(place: string, record: LayerRecord): Promise<void> {
    replaceFile(join(place, RECORD), `${JSON.stringify(record)}\n`);
    await syncTree(place);
    renameSync(place, this.placeOf(record.key));
    syncFolder(join(this.#folder, "layers"));
    syncFolder(join(this.#folder, "making"));
  }

  /** All finished layers, the one that was not used for the longest time first. */
  list(): readonly StoredLayer[] {
    return readdirSync(join(this.#folder, "layers"))
      .filter((name) => KEY.test(name))
      .flatMap((key) => {
        const record = readRecord(this.placeOf(key));
        const found = statSync(join(this.placeOf(key), RECORD), { throwIfNoEntry: false });
        return record === undefined || found === undefined ? [] : [{ ...record, usedMs: found.mtimeMs }];
      })
      .sort((one, other) => one.usedMs - other.usedMs);
  }

  /**
   * Removes what nobody is making any more and, least recently used first, layers until the rest fits. A layer that
   * is mounted anywhere on this machine, or that was used a moment ago, stays.
   * @returns the keys of removed layers
   */
  collect({ bytesMax, graceMs, clock, isNeeded }: CollectOptions): readonly string[] {
    this.#removeUnfinished();
    const layers = this.list();
    const mounted = mountedText();
    let bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
    const removed: string[] = [];
    for (const layer of layers) {
      if (bytes <= bytesMax) break;
      const isFresh = clock.wallMs() - layer.usedMs < graceMs;
      if (isFresh || mounted.includes(layer.key) || isNeeded?.(layer.key) === true) continue;
      const lock = this.#tryLock(layer.key);
      if (lock === undefined) continue;
      try {
        // Out of sight first: half a layer must never be found.
        const grave = join(this.#folder, "making", `${layer.key}.removed`);
        removeTree(grave);
        renameSync(this.placeOf(layer.key), grave);
        removeTree(grave);
        bytes -= layer.bytes;
        removed.push(layer.key);
      } finally {
        lock.close();
      }
    }
    return removed;
  }

  #removeUnfinished(): void {
    for (const name of readdirSync(join(this.#folder, "making"))) {
      const lock = this.#tryLock(name.split(".")[0] ?? "");
      if (lock === undefined) continue;
      try {
        removeTree(join(this.#folder, "making", name));
      } finally {
        lock.close();
      }
    }
  }

  /** A few locks for all keys, so that their files need no cleaning up. */
  #tryLock(key: string): FolderLock | undefined {
    const slot = hash("sha256", key, "hex").slice(0, 2);
    return tryLock(join(this.#folder, "locks", `${slot}.lock`));
  }
}

function readRecord(place: string): LayerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(place, RECORD), "utf8")) as LayerRecord;
  } catch {
    return undefined;
  }
}

/** Bytes of all files below a folder; links are not followed. */
export function sizeOf(folder: string): number {
  let bytes = 0;
  const waiting = [folder];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const entry of readdirSync(place, { withFileTypes: true })) {
      const path = join(place, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isFile()) bytes += lstatSync(path).size;
    }
  }
  return bytes;
}

/** Removes a folder and everything in it, also what has been made read-only. */
export function removeTree(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    makeWritable(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(folder, entry.name));
  }
}

/** Everything in the file system of this folder is on disk when it resolves: one call, however many files. */
async function syncTree(folder: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn("sync", ["--file-system", folder], { stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += String(chunk);
    });
    child.once("error", (cause) => reject(unsynced(folder, messageOf(cause))));
    child.once("close", (code) => (code === 0 ? resolve() : reject(unsynced(folder, text))));
  });
}

function unsynced(folder: string, problem: string): NightshiftError {
  return new NightshiftError("E_STORE_IO", `the layer in ${folder} cannot be made durable: ${problem}`);
}

/** The mount tables of all processes that may be looked at: a mounted layer is named in one of them. */
function mountedText(): string {
  return listPids()
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/mountinfo`, "utf8");
      } catch {
        return "";
      }
    })
    .join("");
}

/** Notes down which sandbox works in a place, before it exists. */
export function noteSandbox(place: string, id: string): void {
  writeFileSync(join(place, "sandboxes"), `${id}\n`, { flag: "a", flush: true });
}

/** The sandboxes that were ever noted down for a place. */
export function notedSandboxes(place: string): readonly string[] {
  try {
    return readFileSync(join(place, "sandboxes"), "utf8")
      .split("\n")
      .filter((id) => id !== "");
  } catch {
    return [];
  }
}
