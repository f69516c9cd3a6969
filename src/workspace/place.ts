/**
 * Where everything is. `<session>/` holds a session's record, repository, files; `pristine/<key>/` a checkout that is
 * shared; `builds/<unique>/` whatever is not finished, with the process that builds it. What is finished is moved
 * into place in one step, so a name outside of `builds` always means something whole.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { assert, NightshiftError } from "../core/errors.ts";
import { isSessionId, type SessionId } from "../core/ids.ts";
import { replaceFile, syncFolder } from "../sandbox/daemon/durable.ts";
import { readProcess } from "../sandbox/daemon/processes.ts";
import type { Origin } from "./contract.ts";
import { removeTree } from "./remove.ts";

/** What is kept of a session. */
export interface SessionRecord {
  readonly version: 1;
  readonly base: string;
  readonly tree: string;
  readonly origin: Origin;
  readonly subfolder: string;
  readonly included: readonly string[];
  /** Those of {@link included} that the harness wrote; absent for none. */
  readonly rendered?: readonly string[];
  readonly likelySecrets: readonly string[];
  readonly nestedRepositories: readonly string[];
  /** Key of the pristine checkout. */
  readonly pristine: string;
  readonly kind: "overlay" | "copy";
  /** Which of the folders of files counts. */
  readonly generation: number;
}

/** What is kept of a pristine checkout. All paths are one character per byte. */
export interface PristineRecord {
  readonly version: 1;
  readonly commit: string;
  readonly tree: string;
  readonly objectFormat: string;
  readonly bytes: number;
  readonly submodules: readonly SubmoduleRecord[];
  readonly largeFiles: readonly LargeFile[];
}

/** A submodule at the commit that the base names. */
export interface SubmoduleRecord {
  readonly path: string;
  readonly commit: string;
}

/** A file of Git LFS: the tree has a pointer, the checkout the content. Both as object names of git. */
export interface LargeFile {
  readonly path: string;
  readonly pointer: string;
  readonly content: string;
}

/** All paths below the folder of workspaces. */
export class Place {
  readonly folder: string;
  readonly #unique: () => string;

  constructor(folder: string, unique: () => string) {
    this.folder = folder;
    this.#unique = unique;
  }

  get pristines(): string {
    return join(this.folder, "pristine");
  }

  get builds(): string {
    return join(this.folder, "builds");
  }

  pristine(key: string): string {
    assert(/^[0-9a-f-]{16,120}$/.test(key), `${key} is the key of a pristine checkout`);
    return join(this.pristines, key);
  }

  session(sessionId: SessionId): string {
    if (!isSessionId(sessionId)) throw unknownSession(sessionId);
    return join(this.folder, sessionId);
  }

  /** A new folder for something unfinished, marked with this process. */
  build(): string {
    for (const folder of [this.folder, this.pristines, this.builds]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    const folder = join(this.builds, this.#unique());
    const builder = readProcess(process.pid);
    // The mark comes first and goes last: a folder without one has lost its builder.
    writeFileSync(markOf(folder), JSON.stringify({ pid: process.pid, startTime: builder?.startTime }));
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  /** Removes what {@link Place.build} or {@link Place.deserted} has named. */
  async removeBuild(folder: string): Promise<void> {
    await removeTree(folder);
    rmSync(markOf(folder), { force: true });
  }

  /** Moves a finished folder to its name, durably. False when something has that name already. */
  finish(folder: string, target: string): boolean {
    syncFolder(folder);
    try {
      renameSync(folder, target);
    } catch (error) {
      if (!existsSync(target)) throw error;
      return false;
    }
    syncFolder(join(target, ".."));
    return true;
  }

  /** Unfinished folders whose builder is gone. */
  deserted(): string[] {
    const folders = new Set(
      namesIn(this.builds).map((name) => join(this.builds, name.replace(/\.json$/, ""))),
    );
    return [...folders].filter((folder) => !hasLiveBuilder(folder));
  }

  /** Removes a folder: first its name, so that nobody finds half of it. */
  async discard(folder: string): Promise<void> {
    if (!existsSync(folder)) return;
    const build = this.build();
    try {
      renameSync(folder, join(build, "trash"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await this.removeBuild(build);
  }
}

function markOf(folder: string): string {
  return `${folder}.json`;
}

/** Is whoever builds this still there? */
function hasLiveBuilder(folder: string): boolean {
  const builder = readJson(markOf(folder)) as { pid?: number; startTime?: string } | undefined;
  if (builder?.pid === undefined) return false;
  return readProcess(builder.pid)?.startTime === builder.startTime;
}

/** Names in a folder; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Text of a small file; empty when there is none. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Content of a small file of ours; undefined when it is missing or no JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Paths of one session. */
export class SessionPlace {
  readonly sessionId: SessionId;
  readonly folder: string;

  constructor(sessionId: SessionId, folder: string) {
    this.sessionId = sessionId;
    this.folder = folder;
  }

  get repository(): string {
    return join(this.folder, "repository.git");
  }

  /** Ignored files that came in. */
  get included(): string {
    return join(this.folder, "included");
  }

  get generations(): string {
    return join(this.folder, "files");
  }

  generation(number: number): string {
    return join(this.generations, `${number}`);
  }

  /** Where helpers mount, each in a namespace of its own. */
  get view(): string {
    return join(this.folder, "view");
  }

  read(): SessionRecord | undefined {
    return readJson(join(this.folder, "record.json")) as SessionRecord | undefined;
  }

  /** The record. @throws NightshiftError `E_WORKSPACE_UNKNOWN` */
  mustRead(): SessionRecord {
    const record = this.read();
    if (record === undefined) throw unknownSession(this.sessionId);
    return record;
  }

  write(record: SessionRecord): void {
    replaceFile(join(this.folder, "record.json"), JSON.stringify(record));
  }
}

/** The record of a pristine checkout; undefined when there is none. */
export function readPristine(folder: string): PristineRecord | undefined {
  return readJson(join(folder, "record.json")) as PristineRecord | undefined;
}

/** Marks a pristine checkout as used just now, by the clock of the file system. */
export function touchPristine(folder: string): void {
  writeFileSync(join(folder, "used"), "");
}

/** When it was last used, in milliseconds of the file system's clock. */
export function lastUseOf(folder: string): number {
  return statSync(join(folder, "used"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function unknownSession(sessionId: SessionId): NightshiftError {
  return new NightshiftError("E_WORKSPACE_UNKNOWN", `there is no workspace of session ${sessionId}`);
}
