/**
 * Checking a commit out into a new folder, with its submodules and large files, from objects that are there. First
 * everything is looked for, so that what is missing is refused before anything is made.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import { type Git, type GitPlace, splitNul } from "./git.ts";
import {
  findContent,
  findLargeFiles,
  type Pointer,
  placeContent,
  sizesOf,
  type TreeEntry,
} from "./large-files.ts";
import { type BytePath, bytePath, isReservedName, joinPath, readablePath } from "./paths.ts";
import type { LargeFile, SubmoduleRecord } from "./place.ts";
import { makeRepository } from "./scratch.ts";

const SUBMODULE_DEPTH_MAX = 8;
const NAMED_MAX = 5;
/** No attribute changes what is written: files are as they are in the repository, byte by byte. */
const EXACT_ATTRIBUTES = "* -text -ident -filter -working-tree-encoding\n";

/** Where a tree's objects and large contents are. */
export interface TreeSource {
  /** A repository of ours that sees all objects. */
  readonly gitFolder: string;
  readonly objectFormat: string;
  /** The user's repository folder of this tree: `modules/` of submodules are in it. Undefined: it has none. */
  readonly commonFolder: string | undefined;
  /** Where the tree is checked out at the user's. */
  readonly workTree: string;
  readonly largeFileStores: readonly string[];
}

/** A tree that can be checked out. */
export interface CompleteTree {
  readonly source: TreeSource;
  readonly commit: string;
  /** Within the whole checkout. */
  readonly path: BytePath;
  readonly pointers: readonly { readonly pointer: Pointer; readonly content: string }[];
  readonly submodules: readonly CompleteTree[];
}

/** Looks for all that a checkout needs. */
export class TreeFinder {
  readonly #git: Git;
  /** For repositories that see the objects of submodules. */
  readonly #folder: string;
  readonly #root: string;
  readonly #signal: AbortSignal;
  #count = 0;

  constructor(git: Git, folder: string, root: string, signal: AbortSignal) {
    this.#git = git;
    this.#folder = folder;
    this.#root = root;
    this.#signal = signal;
  }

  /** @throws NightshiftError `E_WORKSPACE_MISSING` */
  async find(source: TreeSource, commit: string, path = "" as BytePath, depth = 0): Promise<CompleteTree> {
    const entries = await this.#listTree(source, commit);
    const files = entries.filter(({ mode }) => mode !== "160000");
    const place = { gitFolder: source.gitFolder };
    const sizes = await sizesOf(
      this.#git,
      place,
      files.map(({ object }) => object),
      this.#signal,
    );
    const missing = files.filter(({ object }) => !sizes.has(object));
    if (missing.length > 0)
      throw this.#missing(
        "objects",
        missing.map((each) => joinPath(path, each.path)),
      );
    const pointers = await this.#findPointers(source, commit, files);
    const submodules: CompleteTree[] = [];
    const modules = entries.filter(({ mode }) => mode === "160000");
    if (modules.length > 0) {
      const names = await this.#submoduleNames(source, commit);
      for (const each of modules)
        submodules.push(await this.#findSubmodule(source, each, names, path, depth));
    }
    return { source, commit, path, pointers, submodules };
  }

  async #listTree({ gitFolder }: TreeSource, commit: string): Promise<TreeEntry[]> {
    try {
      return await listTree(this.#git, { gitFolder }, commit, this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.#missing("objects", [bytePath(commit)], error);
    }
  }

  async #findPointers(
    source: TreeSource,
    commit: string,
    files: readonly TreeEntry[],
  ): Promise<CompleteTree["pointers"]> {
    const index = join(this.#folder, `index-${++this.#count}`);
    const place = { gitFolder: source.gitFolder, index };
    if (!files.some(({ path }) => path.endsWith(".gitattributes"))) return [];
    await this.#git.run(place, ["read-tree", commit], this.#signal);
    const pointers = await findLargeFiles(this.#git, place, files, this.#signal);
    const found = pointers.map((pointer) => ({
      pointer,
      content: findContent(pointer, source.largeFileStores),
    }));
    const missing = found.filter(({ content }) => content === undefined);
    if (missing.length > 0)
      throw this.#missing(
        "lfs",
        missing.map(({ pointer }) => pointer.path),
      );
    return found.flatMap(({ pointer, content }) => (content === undefined ? [] : [{ pointer, content }]));
  }

  async #submoduleNames(source: TreeSource, commit: string): Promise<Map<BytePath, string>> {
    const words = [
      "config",
      "--blob",
      `${commit}:.gitmodules`,
      "-z",
      "--get-regexp",
      "^submodule\\..*\\.path$",
    ];
    const place = { gitFolder: source.gitFolder };
    const { output } = await this.#git.run(place, words, this.#signal, { exitCodes: [0, 1, 128] });
    return new Map(
      splitNul(output).map((pair) => {
        const [key = "", path = ""] = pair.split("\n");
        return [
          bytePath(path),
          Buffer.from(key.slice("submodule.".length, -".path".length), "latin1").toString(),
        ];
      }),
    );
  }

  async #findSubmodule(
    parent: TreeSource,
    entry: TreeEntry,
    names: ReadonlyMap<BytePath, string>,
    parentPath: BytePath,
    depth: number,
  ): Promise<CompleteTree> {
    const path = joinPath(parentPath, entry.path);
    const workTree = join(parent.workTree, readablePath(entry.path));
    const folder = submoduleFolder(parent, names.get(entry.path), workTree);
    if (folder === undefined || depth >= SUBMODULE_DEPTH_MAX) throw this.#missing("submodule", [path]);
    const gitFolder = join(this.#folder, `submodule-${++this.#count}.git`);
    const options = { objectFormat: parent.objectFormat, objects: [join(folder, "objects")] };
    makeRepository(gitFolder, options);
    const place = { gitFolder };
    const asked = ["cat-file", "-e", `${entry.object}^{commit}`];
    const { exitCode } = await this.#git.run(place, asked, this.#signal, { exitCodes: [0, 1, 128] });
    if (exitCode !== 0) throw this.#missing("submodule", [path]);
    const source: TreeSource = {
      gitFolder,
      objectFormat: parent.objectFormat,
      commonFolder: folder,
      workTree,
      largeFileStores: [join(folder, "lfs", "objects")],
    };
    return this.find(source, entry.object, path, depth + 1);
  }

  #missing(
    what: "objects" | "lfs" | "submodule",
    paths: readonly BytePath[],
    cause?: unknown,
  ): NightshiftError {
    const first = paths.slice(0, NAMED_MAX).map(readablePath).join(", ");
    const more = paths.length > NAMED_MAX ? ` and ${paths.length - NAMED_MAX} more` : "";
    const { noun, command } = MISSING[what];
    return new NightshiftError("E_WORKSPACE_MISSING", `${this.#root} has no ${noun} ${first}${more}`, {
      cause,
      hint: `Run \`git -C ${quoteWord(this.#root)} ${command}\`, then start again.`,
      data: { paths: paths.slice(0, NAMED_MAX).map(readablePath), command },
    });
  }
}

const MISSING = {
  objects: { noun: "local objects for", command: "fetch --refetch --no-filter" },
  lfs: { noun: "local content (Git LFS) for", command: "lfs fetch" },
  submodule: { noun: "local commit of the submodule", command: "submodule update --init --recursive" },
} as const;

function quoteWord(word: string): string {
  return /^[\w./+@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The submodule's repository: below the parent's, or in its own place as in old days. */
function submoduleFolder(parent: TreeSource, name: string | undefined, workTree: string): string | undefined {
  const isSafe = name !== undefined && !name.split("/").some((part) => part === ".." || isReservedName(part));
  const below =
    isSafe && parent.commonFolder !== undefined ? join(parent.commonFolder, "modules", name) : undefined;
  if (below !== undefined && existsSync(join(below, "objects"))) return below;
  const own = join(workTree, ".git");
  const found = statSync(own, { throwIfNoEntry: false });
  if (found?.isDirectory()) return existsSync(join(own, "objects")) ? own : undefined;
  if (!found?.isFile()) return undefined;
  const pointer = /^gitdir: (.+)$/m.exec(readFileSync(own, "utf8"))?.[1];
  const target = pointer === undefined ? undefined : resolve(workTree, pointer.trim());
  return target !== undefined && existsSync(join(target, "objects")) ? target : undefined;
}

/** All entries of a tree, with those of its folders. */
export async function listTree(
  git: Git,
  place: GitPlace,
  commit: string,
  signal: AbortSignal,
): Promise<TreeEntry[]> {
  const { output } = await git.run(place, ["ls-tree", "-r", "-z", commit], signal);
  return splitNul(output).map((line) => {
    const [mode = "", , object = ""] = line.slice(0, line.indexOf("\t")).split(" ");
    return { mode, object, path: bytePath(line.slice(line.indexOf("\t") + 1)) };
  });
}

/** What a checkout has beside ordinary files. */
export interface CheckedOut {
  readonly submodules: SubmoduleRecord[];
  readonly largeFiles: LargeFile[];
}

/**
 * Writes the files of a tree, and of its submodules, into a folder.
 * @param gitFolder - whose index is to know the files; only for the tree itself
 */
export async function checkOut(
  git: Git,
  tree: CompleteTree,
  folder: string,
  gitFolder: string,
  signal: AbortSignal,
): Promise<CheckedOut> {
  const found: CheckedOut = { submodules: [], largeFiles: [] };
  await writeTree(git, tree, folder, gitFolder, found, signal);
  return found;
}

async function writeTree(
  git: Git,
  tree: CompleteTree,
  folder: string,
  gitFolder: string,
  found: CheckedOut,
  signal: AbortSignal,
): Promise<void> {
  const { path, pointers, submodules, commit, source } = tree;
  const workTree = path === "" ? folder : join(folder, readablePath(path));
  mkdirSync(workTree, { recursive: true });
  mkdirSync(join(gitFolder, "info"), { recursive: true });
  writeFileSync(join(gitFolder, "info", "attributes"), EXACT_ATTRIBUTES);
  const settings = ["core.symlinks=true", "core.fileMode=true", "checkout.workers=0"];
  const place = { gitFolder, workTree, folder: workTree, index: join(gitFolder, "index"), settings };
  await git.run(place, ["read-tree", "--reset", "-u", commit], signal);
  for (const { pointer, content } of pointers) {
    signal.throwIfAborted();
    const blob = await placeContent(pointer, content, workTree, source.objectFormat);
    if (path === "") found.largeFiles.push({ path: pointer.path, pointer: pointer.blob, content: blob });
  }
  if (pointers.length > 0) {
    const input = Buffer.from(pointers.map(({ pointer }) => `${pointer.path}\0`).join(""), "latin1");
    // Else git would take the content for a change of the pointer.
    await git.run(place, ["update-index", "--skip-worktree", "-z", "--stdin"], signal, { input });
  }
  for (const each of submodules) {
    found.submodules.push({ path: each.path, commit: each.commit });
    await writeTree(git, each, folder, each.source.gitFolder, found, signal);
    rmSync(join(each.source.gitFolder, "index"), { force: true });
  }
}
