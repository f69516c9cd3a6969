/** Ignored files that `.worktreeinclude` lets in. They lie in a folder of their own, above the pristine checkout. */
import { constants, copyFileSync, lstatSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { WorkspaceLimits } from "./contract.ts";
import { checkSizes } from "./dirty.ts";
import { type Git, splitNul } from "./git.ts";
import { type BytePath, bytePath, fileBytes } from "./paths.ts";
import type { Scratch } from "./scratch.ts";
import { readTopFile } from "./source.ts";

const FILE_NAME = ".worktreeinclude";

/** Ignored files of the user's working tree that are let in. */
export async function findIncluded(git: Git, { tree }: Scratch, signal: AbortSignal): Promise<BytePath[]> {
  const root = tree.folder ?? "";
  if (readTopFile(root, FILE_NAME) === undefined) return [];
  const list = async (...words: string[]): Promise<string[]> =>
    splitNul((await git.run(tree, ["ls-files", "-z", "--others", "--ignored", ...words], signal)).output);
  const named = await list(`--exclude-from=${join(root, FILE_NAME)}`);
  const ignored = new Set(await list("--exclude-standard"));
  return named.filter((path) => ignored.has(path) && !path.endsWith("/")).map(bytePath);
}

/** Copies them. What the base has is left out: the base counts. */
export function copyIncluded(
  root: string,
  paths: readonly BytePath[],
  checkout: string,
  target: string,
  limits: WorkspaceLimits,
): BytePath[] {
  checkSizes(root, paths, limits);
  mkdirSync(target, { recursive: true });
  return paths.filter((path) => {
    const source = fileBytes(root, path);
    const found = lstatSync(source, { throwIfNoEntry: false });
    if (found === undefined || lstatSync(fileBytes(checkout, path), { throwIfNoEntry: false })) return false;
    const copy = fileBytes(target, path);
    const parent = copy.subarray(0, copy.lastIndexOf("/"));
    mkdirSync(parent, { recursive: true });
    if (found.isSymbolicLink()) symlinkSync(readlinkSync(source, "buffer"), copy);
    else if (found.isFile()) copyFileSync(source, copy, constants.COPYFILE_FICLONE);
    else return false;
    return true;
  });
}
