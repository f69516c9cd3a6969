/**
 * Copies the files of a state folder without opening the database: opening one changes it, for SQLite recovers the
 * WAL, moves it into the database and deletes it.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type OpenDatabase, openDatabase } from "./database.ts";
import { DATABASE_FILE, HEADS_FILE } from "./folder.ts";
import { storeError } from "./sql-errors.ts";

/** Heads come first: a commit is in the database before its head is written, so no head is ahead by right. */
const FILES = [HEADS_FILE, DATABASE_FILE, `${DATABASE_FILE}-journal`, `${DATABASE_FILE}-wal`] as const;

const TRIES_MAX = 10;
const WAL_HEADER_BYTES = 32;

/** A copy in a temporary folder. */
export interface FolderCopy {
  readonly folder: string;
  readonly names: ReadonlySet<string>;
  /** Deletes it. */
  remove(): void;
}

/**
 * Copies what belongs together. While others write, a copy may catch the database and its WAL at different moments;
 * that shows in the files' times and in the WAL's header, and is done again.
 * @throws NightshiftError `E_STORE_FULL`, `E_STORE_IO`, `E_STORE_READ_ONLY`
 */
export async function copyFolder(folder: string, open: OpenDatabase = openDatabase): Promise<FolderCopy> {
  try {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const before = stampOf(folder);
      const copy = copyFiles(folder);
      if (stampOf(folder) === before) return copy;
      copy.remove();
      await delay(tries);
    }
    return copyHeld(folder, open);
  } catch (error) {
    throw storeError(error, folder);
  }
}

/**
 * Somebody else writes all the time. An open read transaction keeps the database file and the WAL's beginning as
 * they are; as others have the database open, opening it here changes nothing.
 */
function copyHeld(folder: string, open: OpenDatabase): FolderCopy {
  const database = open(join(folder, DATABASE_FILE));
  try {
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return copyFiles(folder);
  } finally {
    database.close();
  }
}

function copyFiles(folder: string): FolderCopy {
  const target = mkdtempSync(join(tmpdir(), "nightshift-image-"));
  const remove = () => rmSync(target, { recursive: true, force: true });
  try {
    const names = FILES.filter((name) => copyFile(join(folder, name), join(target, name)));
    return { folder: target, names: new Set(names), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** @returns false when there is no such file */
function copyFile(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Changes when the database file is written to, or when the WAL starts anew; a WAL that grows does no harm. */
function stampOf(folder: string): string {
  const path = join(folder, DATABASE_FILE);
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  const file = stat && [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
  return `${file} ${walHeader(`${path}-wal`)}`;
}

function walHeader(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return "none";
  const header = Buffer.alloc(WAL_HEADER_BYTES);
  const descriptor = openSync(path, "r");
  try {
    const length = readSync(descriptor, header, 0, header.length, 0);
    return `${stat.ino} ${header.toString("hex", 0, length)}`;
  } finally {
    closeSync(descriptor);
  }
}
