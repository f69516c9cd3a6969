/**
 * One daemon per sandbox folder. The lock is SQLite's lock on an empty database: the kernel drops it with the
 * process that holds it, so there are no stale locks to judge.
 */
import { DatabaseSync } from "node:sqlite";

/** A database that nobody refers to is closed by the garbage collector, and its lock is gone with it. */
const held = new Set<DatabaseSync>();

/** Held until it is closed or the process ends. */
export interface FolderLock {
  close(): void;
}

/** The lock, or undefined when another process has it. */
export function tryLock(path: string): FolderLock | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    held.add(database);
    const close = (): void => {
      if (held.delete(database)) database.close();
    };
    return { close };
  } catch {
    database.close();
    return undefined;
  }
}
