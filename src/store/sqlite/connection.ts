/** One handle on the log's database, with its prepared statements; can be opened anew in place. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { OpenDatabase, SqlDatabase, SqlStatement } from "./database.ts";
import { DATABASE_FILE } from "./folder.ts";
import type { HeadsFile } from "./heads.ts";
import { migrate, readPragma, schemaState } from "./schema.ts";
import { InDoubtError, storeError } from "./sql-errors.ts";

/** How long SQLite itself waits for a lock. Short, because it blocks the thread; callers try again. */
const LOCK_WAIT_MS = 100;
/** Small pages: a commit changes a few places of the file, and each costs a whole page in the WAL. */
const PAGE_BYTES = 2048;
/** The WAL is recycled once it has this many pages: writing in place costs less than growing a file. */
const WAL_PAGES = 1000;
/** What a WAL that had to grow, because somebody read for long, is cut back to. */
const WAL_BYTES_MAX = 64 * 1024 * 1024;

/** Parts of a connection. */
export interface ConnectionOptions {
  readonly folder: string;
  readonly heads: HeadsFile;
  readonly openDatabase: OpenDatabase;
  /** After how many pages SQLite moves the WAL's content into the database and starts it over. Default: 1,000. */
  readonly walPages?: number;
}

/** A connection. Errors of SQLite pass through unchanged; whoever starts an operation translates them. */
export class Connection {
  readonly path: string;
  readonly #options: ConnectionOptions;
  #database: SqlDatabase | undefined;
  #statements = new Map<string, SqlStatement>();

  /** Opens the database and brings its tables up to date. @throws NightshiftError `E_STORE_*`, `E_LOG_*` */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.path = join(options.folder, DATABASE_FILE);
    this.reopen();
  }

  /** The prepared form of a statement; its text must be one of few. */
  statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#database === undefined) this.reopen();
    const statement = this.#opened.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /**
   * Ends the write transaction; durable when it returns.
   * @throws InDoubtError when it may have been committed; SQLite's error when it certainly was not, or is poison
   */
  commit(): void {
    const database = this.#opened;
    database.reserve();
    this.statement("COMMIT").run();
    try {
      database.sync();
    } catch (error) {
      throw new InDoubtError(error);
    }
  }

  /** Gives the handle up, for instance because an error has left it in an unknown state. */
  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#statements = new Map();
    database?.close();
  }

  /** Takes a fresh handle. @throws NightshiftError `E_STORE_*`, `E_LOG_*` */
  reopen(): void {
    this.close();
    try {
      this.#refuseWithoutDatabase();
      const database = this.#options.openDatabase(this.path, this.#walPages * PAGE_BYTES);
      this.#database = database;
      this.#setUp(database);
    } catch (error) {
      this.#closeQuietly();
      throw storeError(error, this.path);
    }
  }

  get #walPages(): number {
    return this.#options.walPages ?? WAL_PAGES;
  }

  get #opened(): SqlDatabase {
    if (this.#database === undefined) throw new NightshiftError("E_STORE_CLOSED", `${this.path} is closed`);
    return this.#database;
  }

  #setUp(database: SqlDatabase): void {
    database.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`);
    // In this order: another process may be making database and heads right now.
    const hasHeads = this.#options.heads.holdsAny();
    const state = schemaState(database, this.path);
    if (state === "empty" && hasHeads) throw databaseLost(this.path);
    if (state === "empty") database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    if (readPragma(database, "journal_mode") !== "wal") database.exec("PRAGMA journal_mode = WAL");
    // Checkpoints sync; commits are synced by `commit` below, before anybody is told of them.
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec(`PRAGMA wal_autocheckpoint = ${this.#walPages}`);
    database.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`);
    database.exec("PRAGMA cell_size_check = ON");
    database.exec("PRAGMA trusted_schema = OFF");
    if (state !== "current") {
      migrate(database, this.path);
      database.sync();
    }
  }

  /** SQLite deletes the WAL of a database that is empty or gone; that may be all that is left of the log. */
  #refuseWithoutDatabase(): void {
    const hasWal = sizeOf(`${this.path}-wal`) > 0;
    if (hasWal && sizeOf(this.path) === 0) throw databaseLost(this.path);
  }

  #closeQuietly(): void {
    try {
      this.close();
    } catch {
      // The error that led here says more.
    }
  }
}

function databaseLost(path: string): NightshiftError {
  return new NightshiftError(
    "E_LOG_LOST",
    `${path} is empty, but files beside it show that it held sessions`,
    {
      data: { path },
    },
  );
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
