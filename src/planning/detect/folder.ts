/** A plain folder as a tree of files: bounded, without following links, without what tools have put there. */
import type { Dirent } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { TreeReader } from "../../referee/contract.ts";

const FILES_MAX = 50_000;
const FOLDERS_MAX = 20_000;
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Folders that hold what was fetched, built or kept, never what was written. */
const IGNORED: ReadonlySet<string> = new Set(
  ".cache .git .hg .mypy_cache .next .pytest_cache .svn .tox .venv __pycache__ node_modules target venv".split(
    " ",
  ),
);

type Entry = Awaited<ReturnType<TreeReader["list"]>>[number];

/** Files of a folder. The listing ends at its limits without saying so; `object` is empty. */
export function openFolder(folder: string): TreeReader {
  let listing: Promise<readonly Entry[]> | undefined;
  return {
    list: () => (listing ??= listFolder(folder)),
    read: (path) => readInside(folder, path),
  };
}

async function listFolder(top: string): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  const waiting = [""];
  // Breadth first, so that what lies near the top is there when a limit is reached.
  for (let index = 0; index < waiting.length && index < FOLDERS_MAX; index++) {
    const folder = waiting[index] ?? "";
    for (const entry of await entriesOf(join(top, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !IGNORED.has(entry.name)) waiting.push(path);
      if (entry.isFile()) found.push({ path, mode: "100644", object: "" });
      if (entry.isSymbolicLink()) found.push({ path, mode: "120000", object: "" });
      if (found.length >= FILES_MAX) return sorted(found);
    }
  }
  return sorted(found);
}

function sorted(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** What may not be read is not there. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch {
    return [];
  }
}

async function readInside(top: string, path: string): Promise<Buffer | undefined> {
  const parts = path.split("/");
  let size = 0;
  for (let length = 1; length <= parts.length; length++) {
    const found = await lstat(join(top, ...parts.slice(0, length))).catch(() => undefined);
    const isRight = length === parts.length ? found?.isFile() : found?.isDirectory();
    if (found === undefined || isRight !== true) return undefined;
    size = found.size;
  }
  if (size > FILE_BYTES_MAX)
    throw new NightshiftError(
      "E_CONTRACT_FILE",
      `${path} has ${size} bytes, and ${FILE_BYTES_MAX} are the limit`,
    );
  return await readFile(join(top, path)).catch(() => undefined);
}
