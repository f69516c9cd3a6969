/**
 * What a disk may hold after the power went: everything that was synced, and of the rest any part, in any order, torn
 * at the sector. A name is as durable as its folder was synced after it was made.
 */
import type { Random } from "../simulator/random.ts";
import type { Operation } from "./record.ts";

const SECTOR_BYTES = 512;

type Write = Extract<Operation, { readonly kind: "write" }>;
type Truncation = Extract<Operation, { readonly kind: "truncate" }>;
type Naming = Extract<Operation, { readonly kind: "create" | "unlink" | "rename" | "make-folder" }>;

/** A file's content, wherever its names lead. */
interface File {
  /** What is certain. */
  durable: Buffer;
  /** Done, but not synced. */
  pending: (Write | Truncation)[];
}

interface PendingName {
  readonly operation: Naming;
  readonly file: File | undefined;
}

/** A state after a crash: file contents by name; undefined when not even the folder is left. */
export type CrashState = ReadonlyMap<string, Buffer> | undefined;

/** The disk at one moment of a recording. */
export class Disk {
  /** As running programs see it. */
  readonly #names = new Map<string, File>();
  readonly #durableNames = new Map<string, File>();
  #pendingNames: PendingName[] = [];
  #hasDurableFolder = false;

  /** Moves on by one operation. */
  apply(operation: Operation): void {
    switch (operation.kind) {
      case "make-folder":
        this.#pendingNames.push({ operation, file: undefined });
        break;
      case "create": {
        const file: File = { durable: Buffer.alloc(0), pending: [] };
        this.#names.set(operation.name, file);
        this.#pendingNames.push({ operation, file });
        break;
      }
      case "unlink":
        this.#names.delete(operation.name);
        this.#pendingNames.push({ operation, file: undefined });
        break;
      case "rename": {
        const file = this.#fileOf(operation.name);
        this.#names.delete(operation.name);
        this.#names.set(operation.to, file);
        this.#pendingNames.push({ operation, file });
        break;
      }
      case "write":
      case "truncate":
        this.#fileOf(operation.name).pending.push(operation);
        break;
      case "sync":
        this.#sync(operation.name, operation.startedAt);
        break;
      case "acknowledge":
        break;
    }
  }

  /** One of the states that are legal if the power goes now. */
  crash(random: Random): CrashState {
    const names = new Map(this.#durableNames);
    let hasFolder = this.#hasDurableFolder;
    const namesKept = random.pick([0, 0.5, 1]);
    for (const { operation, file } of this.#pendingNames) {
      if (!random.chance(namesKept)) continue;
      if (operation.kind === "make-folder") hasFolder = true;
      else rename(names, operation, file);
    }
    if (!hasFolder) return undefined;
    // One mood for all files of one crash, so that "nothing" and "everything" come up too.
    const kept = random.pick([0, 0.1, 0.5, 0.9, 1]);
    const contents = new Map<File, Buffer>();
    for (const file of names.values()) contents.set(file, contents.get(file) ?? survivor(file, kept, random));
    return new Map([...names].map(([name, file]) => [name, contents.get(file) ?? Buffer.alloc(0)]));
  }

  /** Does a file hold anything that a power failure could take? */
  hasUnsynced(name: string): boolean {
    return (this.#names.get(name)?.pending.length ?? 0) > 0;
  }

  /** What is there when the power stays on. */
  flush(): CrashState {
    return new Map(
      [...this.#names].map(([name, { durable, pending }]) => [
        name,
        pending.reduce<Buffer>((content, operation) => applied(content, operation), Buffer.from(durable)),
      ]),
    );
  }

  /** A sync covers what had ended before it began. */
  #sync(name: string, startedAt: number): void {
    const isCovered = (operation: Operation): boolean => operation.endedAt < startedAt;
    if (name === ".." || name === ".") {
      const covered = this.#pendingNames.filter(
        ({ operation }) => isCovered(operation) && (operation.kind === "make-folder") === (name === ".."),
      );
      this.#pendingNames = this.#pendingNames.filter((pending) => !covered.includes(pending));
      for (const { operation, file } of covered) {
        if (operation.kind === "make-folder") this.#hasDurableFolder = true;
        else rename(this.#durableNames, operation, file);
      }
      return;
    }
    const file = this.#names.get(name);
    // The file was deleted while it was still open.
    if (file === undefined) return;
    for (const operation of file.pending.filter(isCovered)) file.durable = applied(file.durable, operation);
    file.pending = file.pending.filter((operation) => !isCovered(operation));
  }

  #fileOf(name: string): File {
    const file = this.#names.get(name);
    if (file === undefined) throw new Error(`${name} is used, but was never made`);
    return file;
  }
}

function rename(names: Map<string, File>, operation: Naming, file: File | undefined): void {
  if (operation.kind === "unlink" || operation.kind === "rename") names.delete(operation.name);
  if (operation.kind === "create" && file !== undefined) names.set(operation.name, file);
  if (operation.kind === "rename" && file !== undefined) names.set(operation.to, file);
}

function applied(content: Buffer, operation: Write | Truncation): Buffer {
  if (operation.kind === "truncate") return resized(content, operation.size);
  const { offset, bytes } = operation;
  const result = content.length >= offset + bytes.length ? content : resized(content, offset + bytes.length);
  // In place: nobody else holds a durable content, and a survivor starts with a copy.
  bytes.copy(result, offset);
  return result;
}

function resized(content: Buffer, size: number): Buffer {
  if (size <= content.length) return Buffer.from(content.subarray(0, size));
  const result = Buffer.alloc(size);
  content.copy(result);
  return result;
}

/** What is left of a file: of each unsynced operation all, nothing, or some sectors. */
function survivor(file: File, kept: number, random: Random): Buffer {
  let content: Buffer = Buffer.from(file.durable);
  for (const operation of file.pending) {
    if (random.chance(kept)) content = applied(content, operation);
    else if (operation.kind === "write") content = torn(content, operation, random);
  }
  return content;
}

/** Some sectors of a write; the file's new size may have been kept without any content. */
function torn(content: Buffer, { offset, bytes }: Write, random: Random): Buffer {
  const end = offset + bytes.length;
  let result = end > content.length && random.chance(0.3) ? resized(content, end) : content;
  const sectorsKept = random.pick([0, 0, 0.5]);
  if (sectorsKept === 0) return result;
  for (let at = offset; at < end; ) {
    const next = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random.chance(sectorsKept)) {
      const piece = bytes.subarray(at - offset, next - offset);
      result = applied(result, {
        kind: "write",
        name: "",
        offset: at,
        bytes: piece,
        startedAt: 0,
        endedAt: 0,
      });
    }
    at = next;
  }
  return result;
}
