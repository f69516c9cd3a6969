/** Two trees side by side, and how they differ. */
import { isNightshiftError } from "../../core/errors.ts";
import type { TreeItem, TreeReader } from "../../workspace/contract.ts";

/** One path that is not the same in both. */
export interface Change {
  readonly path: string;
  readonly base: TreeItem | undefined;
  readonly candidate: TreeItem | undefined;
}

/** Mode of a symbolic link. */
export const LINK = "120000";
/** Mode of a submodule. */
export const GITLINK = "160000";

/** Both trees, and what can be asked about them. */
export class Difference {
  readonly base: ReadonlyMap<string, TreeItem>;
  readonly candidate: ReadonlyMap<string, TreeItem>;
  readonly changes: readonly Change[];
  readonly #readers: { readonly base: TreeReader; readonly candidate: TreeReader };
  #baseFolders: ReadonlySet<string> | undefined;
  #candidateFolders: ReadonlySet<string> | undefined;

  private constructor(
    readers: { readonly base: TreeReader; readonly candidate: TreeReader },
    base: ReadonlyMap<string, TreeItem>,
    candidate: ReadonlyMap<string, TreeItem>,
  ) {
    this.#readers = readers;
    this.base = base;
    this.candidate = candidate;
    const paths = new Set([...base.keys(), ...candidate.keys()]);
    this.changes = [...paths]
      .map((path) => ({ path, base: base.get(path), candidate: candidate.get(path) }))
      .filter(({ base: old, candidate: now }) => old?.object !== now?.object || old?.mode !== now?.mode);
  }

  static async of(base: TreeReader, candidate: TreeReader): Promise<Difference> {
    const [before, after] = await Promise.all([base.list(), candidate.list()]);
    return new Difference({ base, candidate }, byPath(before), byPath(after));
  }

  /** New paths. */
  get added(): readonly Change[] {
    return this.changes.filter(({ base }) => base === undefined);
  }

  /** Folders of the base; the top is the empty one. */
  get baseFolders(): ReadonlySet<string> {
    this.#baseFolders ??= allFolders(this.base);
    return this.#baseFolders;
  }

  /** Folders of the candidate; the top is the empty one. */
  get candidateFolders(): ReadonlySet<string> {
    this.#candidateFolders ??= allFolders(this.candidate);
    return this.#candidateFolders;
  }

  /** Text of a file in either tree; undefined when there is none, when it is a link, or too large to be read. */
  async text(side: "base" | "candidate", path: string): Promise<string | undefined> {
    return (await this.bytes(side, path))?.toString("utf8");
  }

  /** As {@link Difference.text}, as it is. */
  async bytes(side: "base" | "candidate", path: string): Promise<Buffer | undefined> {
    const mode = this[side].get(path)?.mode;
    if (mode === undefined || mode === LINK) return undefined;
    try {
      return await this.#readers[side].read(path);
    } catch (error) {
      if (isNightshiftError(error, "E_CONTRACT_FILE")) return undefined;
      throw error;
    }
  }
}

function byPath(items: readonly TreeItem[]): ReadonlyMap<string, TreeItem> {
  return new Map(items.map((item) => [item.path, item]));
}

function allFolders(items: ReadonlyMap<string, TreeItem>): ReadonlySet<string> {
  const folders = new Set([""]);
  for (const path of items.keys()) {
    for (let at = folderOf(path); !folders.has(at); at = folderOf(at)) folders.add(at);
  }
  return folders;
}

/** Folders that a path is in, the nearest first, without the top. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    folders.push(path.slice(0, at));
  return folders;
}

/** The folder that a path is in; empty for the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
