/**
 * Files of Git LFS, without its program: a tree has a pointer, the working tree the content, and the content comes
 * from the store that the user already has.
 */
import { createHash } from "node:crypto";
import {
  constants,
  copyFileSync,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Git, type GitPlace, splitNul } from "./git.ts";
import { type BytePath, bytePath, fileBytes } from "./paths.ts";
import type { Scratch } from "./scratch.ts";

const POINTER_BYTES_MAX = 1024;
const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n/;

/** What a pointer points to. */
export interface Pointer {
  readonly path: BytePath;
  /** Object of git. */
  readonly blob: string;
  readonly sha256: string;
  readonly size: number;
}

/** One entry of a tree. */
export interface TreeEntry {
  readonly path: BytePath;
  readonly mode: string;
  readonly object: string;
}

/** Where content of large files may be. */
export function contentPath(store: string, sha256: string): string {
  return join(store, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
}

/** The store of contents that were taken from a working tree. */
export function ownStore(scratch: Scratch): string {
  return join(scratch.folder, "large-files");
}

/**
 * Puts large files among the paths into the index as pointers, with their content beside.
 * @returns the other paths
 */
export async function addLargeFiles(
  git: Git,
  scratch: Scratch,
  paths: readonly BytePath[],
  signal: AbortSignal,
): Promise<readonly BytePath[]> {
  if (paths.length === 0) return paths;
  const { tree } = scratch;
  const root = tree.folder ?? "";
  const large = new Set(
    [...(await withFilter(git, tree, paths, [], signal))].filter((path) =>
      lstatSync(fileBytes(root, path), { throwIfNoEntry: false })?.isFile(),
    ),
  );
  const lines: string[] = [];
  for (const path of large) {
    signal.throwIfAborted();
    const { mode, size } = lstatSync(fileBytes(root, path));
    const sha256 = await hashFile(fileBytes(root, path));
    const target = contentPath(ownStore(scratch), sha256);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(fileBytes(root, path), target, constants.COPYFILE_FICLONE);
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
    const blob = await git.text(tree, ["hash-object", "-w", "--stdin"], signal, { input: pointer });
    lines.push(`${(mode & 0o100) === 0 ? "100644" : "100755"} ${blob}\t${path}\0`);
  }
  const input = Buffer.from(lines.join(""), "latin1");
  if (lines.length > 0) await git.run(tree, ["update-index", "-z", "--index-info"], signal, { input });
  return paths.filter((path) => !large.has(path));
}

/** The large files of a tree, by its own attributes. @param place - with an index of that tree */
export async function findLargeFiles(
  git: Git,
  place: GitPlace,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<Pointer[]> {
  const attributes = entries.filter(
    ({ path }) => path === ".gitattributes" || path.endsWith("/.gitattributes"),
  );
  const texts = await readBlobs(
    git,
    place,
    attributes.map(({ object }) => object),
    signal,
  );
  if (!texts.some((text) => text.includes("filter=lfs"))) return [];
  const files = entries.filter(({ mode }) => mode.startsWith("100"));
  const paths = files.map(({ path }) => path);
  const large = await withFilter(git, place, paths, ["--cached"], signal);
  const candidates = files.filter(({ path }) => large.has(path));
  const sizes = await sizesOf(
    git,
    place,
    candidates.map(({ object }) => object),
    signal,
  );
  const small = candidates.filter(({ object }) => (sizes.get(object) ?? 0) <= POINTER_BYTES_MAX);
  const contents = await readBlobs(
    git,
    place,
    small.map(({ object }) => object),
    signal,
  );
  return small.flatMap(({ path, object }, index) => {
    const [, sha256, size] = POINTER.exec(contents[index] ?? "") ?? [];
    return sha256 === undefined ? [] : [{ path, blob: object, sha256, size: Number(size) }];
  });
}

/** Where the content is, complete by its size; undefined when it is in none of the stores. */
export function findContent(pointer: Pointer, stores: readonly string[]): string | undefined {
  return stores
    .map((store) => contentPath(store, pointer.sha256))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.size === pointer.size);
}

/** Puts the content where the pointer is. @returns the name that the content would have as a blob */
export async function placeContent(
  pointer: Pointer,
  content: string,
  folder: string,
  objectFormat: string,
): Promise<string> {
  const target = fileBytes(folder, pointer.path);
  if (existsSync(target)) copyFileSync(content, target, constants.COPYFILE_FICLONE);
  const hash = createHash(objectFormat).update(`blob ${pointer.size}\0`);
  await pipeline(createReadStream(content), hash);
  return hash.digest("hex");
}

async function withFilter(
  git: Git,
  place: GitPlace,
  paths: readonly BytePath[],
  words: readonly string[],
  signal: AbortSignal,
): Promise<Set<BytePath>> {
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1");
  const asked = ["check-attr", "-z", "--stdin", ...words, "filter"];
  const fields = splitNul((await git.run(place, asked, signal, { input })).output);
  const found = new Set<BytePath>();
  for (let at = 0; at < fields.length; at += 3) {
    if (fields[at + 2] === "lfs") found.add(bytePath(fields[at] ?? ""));
  }
  return found;
}

/** Contents of blobs, one character per byte, in the order asked for. */
export async function readBlobs(
  git: Git,
  place: GitPlace,
  objects: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (objects.length === 0) return [];
  const input = objects.map((object) => `${object}\n`).join("");
  const { output } = await git.run(place, ["cat-file", "--batch"], signal, { input });
  const contents: string[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf("\n", at);
    const size = Number(output.toString("latin1", at, end).split(" ")[2]);
    contents.push(output.toString("latin1", end + 1, end + 1 + size));
    at = end + 2 + size;
  }
  return contents;
}

/** Sizes of objects; those that are missing have none. */
export async function sizesOf(
  git: Git,
  place: GitPlace,
  objects: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const input = objects.map((object) => `${object}\n`).join("");
  const asked = ["cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer"];
  const lines = (await git.text(place, asked, signal, { input })).split("\n");
  return new Map(
    lines
      .map((line) => line.split(" "))
      .filter(([, size]) => /^\d+$/.test(size ?? ""))
      .map(([object = "", size]) => [object, Number(size)]),
  );
}

async function hashFile(path: Buffer): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
