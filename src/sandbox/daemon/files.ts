/** Where a path that a model gave really leads, and what is there. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Parsed } from "../inputs.ts";

const LINKS_MAX = 40;
const HASH_CHUNK_BYTES = 65_536;

/** A place inside the workspace. */
export interface Place {
  /** Absolute, without symbolic links. */
  readonly real: string;
  /** Relative to the workspace, for people and models. */
  readonly shown: string;
}

/**
 * Follows a path to a place in the workspace, which need not exist yet. This guards against a model's mistakes:
 * a command that swaps links at the same time could get around it, but a command needs no such trick.
 *
 * @param root - the workspace, without symbolic links
 */
export async function locate(root: string, path: string): Promise<Parsed<Place>> {
  try {
    const real = await follow(resolve(root, path), LINKS_MAX);
    const shown = relative(root, real);
    if (shown === ".." || shown.startsWith(`..${sep}`) || isAbsolute(shown)) {
      return {
        ok: false,
        problem: `${path} is outside the workspace (${root}); only files inside can be used`,
      };
    }
    return { ok: true, value: { real, shown: shown === "" ? "." : shown } };
  } catch (error) {
    return { ok: false, problem: `${path} cannot be used: ${reasonOf(error)}` };
  }
}

async function follow(path: string, linksLeft: number): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const parent = await follow(dirname(path), linksLeft);
  const here = join(parent, basename(path));
  const target = await readlink(here).catch(() => undefined);
  if (target === undefined) return here;
  if (linksLeft === 0) throw new Error("too many symbolic links");
  return follow(resolve(parent, target), linksLeft - 1);
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
    const found = await stat(place.real);
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
  throw new Error("it is not an ordinary file any more");
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
