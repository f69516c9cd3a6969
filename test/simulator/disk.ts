/**
 * The files of one simulated machine, and their troubles. The real store works on them through a database seam that
 * can fail any commit; a crash copies them as they are and goes on with the copy.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/core/clock.ts";
import type { Store } from "../../src/store/contract.ts";
import type { OwnerProbe } from "../../src/store/owner.ts";
import {
  createSqliteStore,
  openDatabase,
  type SqlDatabase,
  type SqlStatement,
} from "../../src/store/sqlite.ts";

/** What can go wrong with a write. */
export type DiskFault = "commit-fails" | "commit-unknown" | "disk-full";

const FILES = ["log.db", "log.db-wal", "heads"] as const;
const TMPFS_MAGIC = 0x01021994;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

/** Parts of a disk. */
export interface DiskParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly probe: OwnerProbe;
}

/** A folder that moves with every crash. */
export class Disk {
  readonly #parts: DiskParts;
  readonly #root: string;
  #folder: string;
  #generation = 0;
  #fault: DiskFault | null = null;
  #faultsLeft = 0;

  /** @param template - a folder with an empty database, which is faster to copy than to make */
  constructor(parts: DiskParts, template: string) {
    this.#parts = parts;
    this.#root = mkdtempSync(join(simulationRoot(), "seed-"));
    this.#folder = this.#newFolder();
    copyFiles(template, this.#folder);
  }

  get folder(): string {
    return this.#folder;
  }

  /** Opens the real store. @param look - gets the way to make it look for writes of others */
  open(look: (look: () => void) => () => void): Promise<Store> {
    return createSqliteStore({
      folder: this.#folder,
      ...this.#parts,
      writer: "inline",
      openDatabase: (path) => this.#troubled(openDatabase(path)),
      fileSystemOf: () => ({ magic: TMPFS_MAGIC }),
      ticker: (_everyMs, lookNow) => look(lookNow),
    });
  }

  /** The next `count` commits fail so. */
  fail(fault: DiskFault, count: number): void {
    this.#fault = fault;
    this.#faultsLeft = count;
  }

  /** No commit fails any more. */
  heal(): void {
    this.#faultsLeft = 0;
  }

  /** Goes on with a copy of the files as they are at this instant. */
  copy(): void {
    const from = this.#folder;
    this.#folder = this.#newFolder();
    copyFiles(from, this.#folder);
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #newFolder(): string {
    const folder = join(this.#root, String(this.#generation++));
    mkdirSync(folder);
    return folder;
  }

  #troubled(database: SqlDatabase): SqlDatabase {
    return {
      ...database,
      prepare: (sql) =>
        sql === "COMMIT" ? this.#troubledCommit(database.prepare(sql)) : database.prepare(sql),
    };
  }

  #troubledCommit(statement: SqlStatement): SqlStatement {
    return {
      run: () => {
        if (this.#faultsLeft === 0) return statement.run();
        this.#faultsLeft -= 1;
        if (this.#fault === "disk-full") throw sqliteError(SQLITE_FULL, "database or disk is full");
        if (this.#fault === "commit-unknown") statement.run();
        throw sqliteError(SQLITE_IOERR, "disk I/O error");
      },
      all: (...parameters) => statement.all(...parameters),
      get: (...parameters) => statement.get(...parameters),
    };
  }
}

/** Makes a folder with an empty database in it. @returns its path */
export async function makeTemplate(parts: DiskParts): Promise<string> {
  const folder = mkdtempSync(join(simulationRoot(), "template-"));
  const store = await createSqliteStore({ folder, ...parts, writer: "inline" });
  await store.close();
  return folder;
}

/** Where simulations keep their files: in memory where the system offers it. */
function simulationRoot(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

function copyFiles(from: string, to: string): void {
  for (const name of FILES) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
}

function sqliteError(resultCode: number, message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode: resultCode });
}
