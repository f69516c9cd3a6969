/**
 * Where the state of a project is kept: outside of it, keyed by its repository, so that every worktree and every
 * subfolder of one repository shares one state folder. Git itself is not asked: it may not be installed, and its
 * answer would depend on the repository's own settings.
 */
import { hash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

const NAME_LENGTH_MAX = 40;

/** @param base - the folder that holds the state folders of all projects */
export function stateFolderFor(workspace: string, base: string): string {
  const owner = gitCommonFolder(workspace) ?? realpathSync(workspace);
  return join(base, `${readableName(owner)}-${hash("sha256", owner, "hex").slice(0, 12)}`);
}

/** The working tree that a folder is in, and where in it (`a/b`); the folder itself and "" where there is none. */
export function placeInTree(folder: string): { readonly root: string; readonly subfolder: string } {
  const place = realpathSync(folder);
  for (let root = place; dirname(root) !== root; root = dirname(root)) {
    if (gitFolderOf(root) === undefined) continue;
    return { root, subfolder: relative(root, place).split(sep).join("/") };
  }
  return { root: place, subfolder: "" };
}

/** The folder that all worktrees of the repository share, as `git rev-parse --git-common-dir`; undefined outside of one. */
export function gitCommonFolder(folder: string): string | undefined {
  let current = realpathSync(folder);
  for (;;) {
    const gitFolder = gitFolderOf(current);
    if (gitFolder !== undefined) return realpathSync(commonFolderOf(gitFolder));
    const parent = dirname(current);
    if (parent === current) return undefined;
    current = parent;
  }
}

function gitFolderOf(folder: string): string | undefined {
  const entry = join(folder, ".git");
  const kind = statSync(entry, { throwIfNoEntry: false });
  if (kind?.isDirectory()) return isGitFolder(entry) ? entry : undefined;
  if (kind?.isFile()) {
    const pointer = /^gitdir: (.+)$/m.exec(readFileSync(entry, "utf8"))?.[1];
    const target = pointer === undefined ? undefined : resolve(folder, pointer.trim());
    return target !== undefined && exists(target) ? target : undefined;
  }
  return isGitFolder(folder) ? folder : undefined;
}

/** A worktree's own git folder names the one that it shares. */
function commonFolderOf(gitFolder: string): string {
  const pointer = join(gitFolder, "commondir");
  return exists(pointer) ? resolve(gitFolder, readFileSync(pointer, "utf8").trim()) : gitFolder;
}

function isGitFolder(folder: string): boolean {
  return ["HEAD", "objects", "refs"].every((name) => exists(join(folder, name)));
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** `project` for `…/project/.git` and for `…/project.git`. */
function readableName(owner: string): string {
  const name = basename(owner) === ".git" ? basename(dirname(owner)) : basename(owner, ".git");
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, NAME_LENGTH_MAX);
  return safe === "" || safe.startsWith(".") ? `folder${safe}` : safe;
}
