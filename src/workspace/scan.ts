/**
 * Finds how a workspace differs from its base, by walking what the session has written beside the pristine checkout.
 * Of an overlay only the upper folder is walked, so the cost is that of the changes and not that of the workspace.
 *
 * What is kept is what `git add` would: files that the base has, and others unless they are ignored. Only names,
 * bytes, link targets and the executable bit are read. Repositories within the workspace are folders like any other.
 */
import { lstatSync, type Stats } from "node:fs";
import { NightshiftError } from "../core/errors.ts";
import type { BlobReader, BlobSink } from "./blobs.ts";
import type { WorkspaceLimits } from "./contract.ts";
import { type FileMode, Findings, type KnownFile } from "./findings.ts";
import type { Ignores } from "./ignores.ts";
import { type BytePath, fileBytes, isReservedName, joinPath } from "./paths.ts";
import { type OpenFile, OpenFolder, stampOf } from "./walk.ts";

const DEPTH_MAX = 200;
const ENTRIES_PER_BREATH = 200;
/** Coarser than the clock of any file system: what changed this lately may change again unseen. */
const TICK_MS = 30;

/** What a scan looks at and by what it judges. */
export interface ScanOptions {
  /** The upper folder of the overlay, or the copy. */
  readonly folder: string;
  readonly pristine: string;
  /** Where the overlay's merged view can be seen; only for overlays. */
  readonly view?: () => Promise<string>;
  readonly ignores: () => Ignores;
  readonly submodules: ReadonlySet<BytePath>;
  /** Path of a large file → the blob that its content would be. */
  readonly largeFiles: ReadonlyMap<BytePath, string>;
  readonly known: ReadonlyMap<BytePath, KnownFile>;
  /** What the file system's clock showed before the scan began. */
  readonly beganMs: number;
  readonly limits: WorkspaceLimits;
  readonly reader: BlobReader;
  readonly sink: BlobSink | undefined;
  readonly signal: AbortSignal;
}

interface Entry {
  readonly path: BytePath;
  readonly name: string;
  readonly stats: Stats;
  /** What the base has of that name. */
  readonly base: Stats | undefined;
}

/** Walks all of it. */
export async function scan(options: ScanOptions): Promise<Findings> {
  const walk = new Scan(options);
  const folder = OpenFolder.open(options.folder);
  const base = OpenFolder.open(options.pristine);
  try {
    await walk.visit("" as BytePath, folder, base, 0);
    await walk.removeHidden();
  } finally {
    folder.close();
    base.close();
  }
  return walk.findings;
}

class Scan {
  readonly findings = new Findings();
  readonly #options: ScanOptions;
  readonly #isOverlay: boolean;
  /** Per folder, what only the lower ones have. */
  readonly #missing: BytePath[][] = [];
  #entries = 0;
  #device: number | undefined;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#isOverlay = options.view !== undefined;
  }

  async visit(
    path: BytePath,
    folder: OpenFolder,
    base: OpenFolder | undefined,
    depth: number,
  ): Promise<void> {
    this.#device ??= folder.device;
    const { entries, whiteouts } = await this.#entriesOf(path, folder, base);
    this.#findRemovals(path, new Set([...entries.map(({ name }) => name), ...whiteouts]), base);
    const unknown = entries.filter((each) => !isKept(each)).map((each) => each.path);
    const ignored = unknown.length === 0 ? new Set() : await this.#options.ignores().select(unknown);
    for (const entry of entries) {
      if (this.#options.submodules.has(entry.path)) this.#visitSubmodule(entry, folder, base);
      else if (entry.stats.isDirectory()) {
        if (!ignored.has(entry.path) || entry.base?.isDirectory()) {
          await this.#visitFolder(entry, folder, base, depth + 1);
        } else if (entry.base !== undefined) this.findings.removals.push(entry.path);
      } else if (ignored.has(entry.path)) this.#replace(entry);
      else await this.#visitFile(entry, folder);
    }
  }

  /** All that is there, without what belongs to git; whiteouts apart, as they remove what the base has. */
  async #entriesOf(
    path: BytePath,
    folder: OpenFolder,
    base: OpenFolder | undefined,
  ): Promise<{ readonly entries: Entry[]; readonly whiteouts: string[] }> {
    const entries: Entry[] = [];
    const whiteouts: string[] = [];
    for (const name of folder.names()) {
      await this.#breathe();
      const own = joinPath(path, name);
      const stats = folder.look(name);
      if (stats === undefined) continue;
      const isRemoved = this.#isOverlay && isWhiteout(stats);
      if (isReservedName(name)) {
        if (own !== ".git" && !isRemoved) this.findings.skip(own, "reserved_name");
      } else if (isRemoved) {
        whiteouts.push(name);
        if (base?.look(name) !== undefined) this.#remove(own);
      } else entries.push({ path: own, name, stats, base: base?.look(name) });
    }
    return { entries, whiteouts };
  }

  /** What the base has in this folder and the workspace has not, other than by a whiteout. */
  #findRemovals(path: BytePath, known: ReadonlySet<string>, base: OpenFolder | undefined): void {
    // Nothing can hide the top of the lower folders.
    if (base === undefined || (this.#isOverlay && path === "")) return;
    const missing = base.names().filter((name) => !known.has(name) && !isReservedName(name));
    if (missing.length > 0) this.#missing.push(missing.map((name) => joinPath(path, name)));
  }

  /** Asked last, because the view needs a moment to be mounted. */
  async removeHidden(): Promise<void> {
    for (const paths of this.#missing) {
      const [first] = paths;
      if (first !== undefined && (await this.#isGone(first))) for (const path of paths) this.#remove(path);
    }
  }

  /** A folder of an overlay hides either all that lower ones have of that name, or nothing of it. */
  async #isGone(path: BytePath): Promise<boolean> {
    const view = await this.#options.view?.();
    return view === undefined || lstatSync(fileBytes(view, path), { throwIfNoEntry: false }) === undefined;
  }

  #remove(path: BytePath): void {
    if (this.#options.submodules.has(path)) this.findings.changedSubmodules.add(path);
    else this.findings.removals.push(path);
  }

  async #visitFolder(
    entry: Entry,
    parent: OpenFolder,
    parentBase: OpenFolder | undefined,
    depth: number,
  ): Promise<void> {
    if (entry.base !== undefined && !entry.base.isDirectory()) this.findings.removals.push(entry.path);
    if (entry.stats.dev !== this.#device) return this.findings.skip(entry.path, "mount");
    const folder = depth > DEPTH_MAX ? undefined : parent.child(entry.name);
    if (folder === undefined) return this.#skip(entry, "unreadable");
    const base = entry.base?.isDirectory() ? parentBase?.child(entry.name) : undefined;
    try {
      await this.visit(entry.path, folder, base, depth);
    } finally {
      folder.close();
      base?.close();
    }
  }

  async #visitFile(entry: Entry, folder: OpenFolder): Promise<void> {
    const { stats, path } = entry;
    if (entry.base?.isDirectory()) this.findings.removals.push(path);
    if (stats.isSymbolicLink()) {
      const target = folder.readLink(entry.name);
      if (target === undefined) return this.#skip(entry, "unreadable");
      const blob = await this.#options.reader.link(target, this.#options.sink);
      this.findings.files.push({ path, mode: "120000", blob });
      return;
    }
    if (!stats.isFile()) return this.#skip(entry, "special");
    if (stats.size > this.#options.limits.fileBytes) return this.#skip(entry, "too_large");
    const known = this.#options.known.get(path);
    if (known?.stamp === stampOf(stats)) return this.#found(path, stats, known);
    const file = folder.openFile(entry.name);
    if (file === undefined) return this.#skip(entry, "unreadable");
    try {
      await this.#read(path, file);
    } finally {
      file.close();
    }
  }

  async #read(path: BytePath, file: OpenFile): Promise<void> {
    if (file.stats.size > this.#options.limits.fileBytes) return this.findings.skip(path, "too_large");
    const blob = await this.#options.reader.file(file, this.#options.sink);
    // The tree has a pointer in place of this very content, and keeps it.
    const isLargeFile = this.#options.largeFiles.get(path) === blob;
    const stamp = file.hasChanged() || !this.#isSettled(file.stats) ? "" : stampOf(file.stats);
    this.#found(path, file.stats, { stamp, blob: isLargeFile ? "" : blob });
  }

  #found(path: BytePath, stats: Stats, known: KnownFile): void {
    if (known.stamp !== "") this.findings.known.set(path, known);
    const mode: FileMode = (stats.mode & 0o100) === 0 ? "100644" : "100755";
    if (known.blob !== "") this.findings.files.push({ path, mode, blob: known.blob });
  }

  #isSettled(stats: Stats): boolean {
    return stats.ctimeMs < this.#options.beganMs - TICK_MS;
  }

  /** Something that is ignored has taken the place of something in the base. */
  #replace(entry: Entry): void {
    if (entry.base !== undefined) this.findings.removals.push(entry.path);
  }

  #skip(entry: Entry, reason: "unreadable" | "special" | "too_large"): void {
    this.findings.skip(entry.path, reason);
    if (entry.base !== undefined) this.findings.removals.push(entry.path);
  }

  #visitSubmodule(entry: Entry, folder: OpenFolder, base: OpenFolder | undefined): void {
    if (!entry.stats.isDirectory()) {
      this.findings.changedSubmodules.add(entry.path);
      return;
    }
    const own = folder.child(entry.name);
    const pristine = base?.child(entry.name);
    const isSame =
      own !== undefined && (this.#isOverlay ? own.names().length === 0 : isSameTree(own, pristine));
    own?.close();
    pristine?.close();
    if (!isSame) this.findings.changedSubmodules.add(entry.path);
  }

  /** Counts, lets others work, and notices when nobody waits any more. */
  async #breathe(): Promise<void> {
    if (++this.#entries > this.#options.limits.entries) {
      const limit = this.#options.limits.entries;
      throw new NightshiftError(
        "E_WORKSPACE_TOO_LARGE",
        `the workspace has more than ${limit} files and folders`,
      );
    }
    if (this.#entries % ENTRIES_PER_BREATH !== 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#options.signal.throwIfAborted();
  }
}

/** Files of the base are kept whatever is ignored. Folders of the base are entered anyway. */
function isKept({ stats, base }: Entry): boolean {
  if (base === undefined) return false;
  return stats.isDirectory() ? base.isDirectory() : !base.isDirectory();
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

/** By names, sizes, modes and times: enough to notice honest changes. */
function isSameTree(own: OpenFolder, pristine: OpenFolder | undefined): boolean {
  if (pristine === undefined) return false;
  const names = own.names();
  if (names.length !== pristine.names().length) return false;
  return names.every((name) => {
    const [ours, theirs] = [own.look(name), pristine.look(name)];
    if (ours === undefined || theirs === undefined || ours.mode !== theirs.mode) return false;
    if (!ours.isDirectory()) return ours.size === theirs.size && ours.mtimeMs === theirs.mtimeMs;
    const [inner, pristineInner] = [own.child(name), pristine.child(name)];
    const isSame = inner !== undefined && isSameTree(inner, pristineInner);
    inner?.close();
    pristineInner?.close();
    return isSame;
  });
}
