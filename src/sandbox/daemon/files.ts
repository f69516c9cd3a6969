/** Where a path that a model gave really leads, and what is there. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Parsed } from "../inputs.ts";
import { HeldFolder } from "./held-folder.ts";

const LINKS_MAX = 40;
const HASH_CHUNK_BYTES = 65_536;

/** A place inside the workspace. Dispose of it in the end. */
export interface Place extends AsyncDisposable {
  /** Absolute, without symbolic links when it was looked at. For names; files are reached by `at`. */
  readonly real: string;
  /** Relative to the workspace, for people and models. */
  readonly shown: string;
  /** The deepest folder on the way that there is. */
  readonly folder: HeldFolder;
  /** From there: folders that are missing, and the last name; empty for the folder itself. */
  readonly rest: readonly string[];
  /** The place itself, as this process has to name it; there is none while folders on the way are missing. */
  readonly at: string;
}

/**
 * Follows a path to a place in the workspace, which need not exist yet, and holds the folder that it is in: commands
 * that swap links at the same time lead it nowhere else.
 *
 * @param root - the workspace, without symbolic links
 */
export async function locate(root: string, path: string): Promise<Parsed<Place>> {
  const way = new Way(root);
  try {
    return { ok: true, value: await way.follow(resolve(root, path)) };
  } catch (error) {
    await way.leave();
    const problem =
      error instanceof Outside
        ? `${path} is outside the workspace (${root}); only files inside can be used`
        : `${path} cannot be used: ${reasonOf(error)}`;
    return { ok: false, problem };
  }
}

class Outside extends Error {}

/** From the workspace down to a place: folders that are held, and the names that are still to be followed. */
class Way {
  readonly #root: string;
  readonly #folders: HeldFolder[] = [];
  readonly #names: string[] = [];
  #ahead: string[] = [];
  #linksLeft = LINKS_MAX;

  constructor(root: string) {
    this.#root = root;
  }

  async follow(target: string): Promise<Place> {
    this.#folders.push(await HeldFolder.open(this.#root));
    this.#ahead = this.#namesTo(target);
    for (let name = this.#ahead.shift(); name !== undefined; name = this.#ahead.shift()) {
      if (name === "" || name === ".") continue;
      if (name === "..") await this.#up();
      else if (!(await this.#into(name))) return this.#place([name, ...this.#ahead]);
    }
    return this.#place([]);
  }

  async leave(): Promise<void> {
    for (const folder of this.#folders.splice(0)) await folder[Symbol.asyncDispose]();
  }

  /** @returns false when the way ends at this name: a file, or nothing */
  async #into(name: string): Promise<boolean> {
    const found = await lstat(this.#here.at(name)).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (found === undefined) return false;
    if (found.isSymbolicLink()) await this.#alongLink(await readlink(this.#here.at(name)));
    else if (found.isDirectory()) {
      this.#folders.push(await this.#here.child(name));
      this.#names.push(name);
    } else if (this.#ahead.some((each) => each !== "" && each !== ".")) throw coded("ENOTDIR");
    else return false;
    return true;
  }

  async #alongLink(target: string): Promise<void> {
    if (this.#linksLeft-- === 0) throw coded("ELOOP");
    if (!isAbsolute(target)) {
      this.#ahead.unshift(...target.split("/"));
      return;
    }
    while (this.#folders.length > 1) await this.#up();
    this.#ahead.unshift(...this.#namesTo(resolve(target)));
  }

  async #up(): Promise<void> {
    if (this.#folders.length === 1) throw new Outside();
    this.#names.pop();
    await this.#folders.pop()?.[Symbol.asyncDispose]();
  }

  get #here(): HeldFolder {
    return this.#folders.at(-1) as HeldFolder;
  }

  #namesTo(target: string): string[] {
    const path = relative(this.#root, target);
    if (path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) throw new Outside();
    return path.split("/");
  }

  async #place(left: readonly string[]): Promise<Place> {
    const rest = left.filter((name) => name !== "" && name !== ".");
    // What is behind a folder that is not there cannot be said.
    if (rest.includes("..")) throw coded("ENOENT");
    const folder = this.#folders.pop() as HeldFolder;
    await this.leave();
    const shown = [...this.#names, ...rest].join("/");
    return {
      real: join(this.#root, shown),
      shown: shown === "" ? "." : shown,
      folder,
      rest,
      at: folder.at(rest.length === 0 ? "." : rest.join("/")),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  }
}

function coded(code: string): Error {
  return Object.assign(new Error(REASONS[code]), { code });
}

/** What a path is: words for the model when it is not an ordinary file. */
export async function inspectFile(
  place: Place,
): Promise<
  | { readonly kind: "missing" }
  | { readonly kind: "file"; readonly size: number; readonly mode: number; readonly owner: Owner }
  | { readonly kind: "other"; readonly problem: string }
> {
  try {
    const found = await lstat(place.at);
    if (found.isFile()) {
      const { size, mode, uid, gid } = found;
      return { kind: "file", size, mode: mode & 0o7777, owner: { uid, gid } };
    }
    const problem = found.isDirectory()
      ? `${place.shown} is a folder`
      : `${place.shown} is not an ordinary file`;
    return { kind: "other", problem };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { kind: "missing" };
    return { kind: "other", problem: `${place.shown} cannot be used: ${reasonOf(error)}` };
  }
}

/** User and group of a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Opens an ordinary file that was seen a moment ago. Should a command have put a pipe in its place, nobody waits for
 * the pipe's other end: few such waits, and nothing could work on files any more.
 */
export async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, READ_FLAGS);
  const isOrdinary = (await handle.stat()).isFile();
  if (isOrdinary) return handle;
  await handle.close();
  throw new NotOrdinary();
}

/** Something else has taken the place of a file. */
export class NotOrdinary extends Error {
  override readonly name = "NotOrdinary";

  constructor() {
    super("it is not an ordinary file any more");
  }
}

/** SHA-256 of a file of any size, hex; null when there is none. */
export async function hashFile(path: string): Promise<string | null> {
  const handle = await openFile(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return null;
  try {
    const sum = createHash("sha256");
    const buffer = Buffer.allocUnsafe(HASH_CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) return sum.digest("hex");
      sum.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENOSPC: "no space left on the disk",
  EROFS: "the file system is read-only",
  EDQUOT: "the disk quota is used up",
};

/** Words for a failed file operation. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error);
  if (code !== undefined && REASONS[code]) return REASONS[code];
  return error instanceof Error ? error.message : String(error);
}

/** `ENOENT` and its like. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
