/**
 * The seam to SQLite: as little of it as the store needs, so that the simulator can stand between and fail any
 * statement. A transaction is ended by the statement `COMMIT`, prepared like every other.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { WalFile } from "./wal.ts";

/** What goes into a statement. */
export type SqlValue = null | number | string | Uint8Array;
/** A row, column by column. */
export type SqlRow = readonly SqlValue[];

/** A prepared statement. No method leaves it open, because an open one would keep the WAL from being recycled. */
export interface SqlStatement {
  run(...parameters: readonly SqlValue[]): void;
  all(...parameters: readonly SqlValue[]): readonly SqlRow[];
  get(...parameters: readonly SqlValue[]): SqlRow | undefined;
}

/** One handle on a database. */
export interface SqlDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** Called inside each write transaction, just before its `COMMIT`: takes room for the WAL in larger steps. */
  reserve(): void;
  /** Makes every commit so far durable, whoever made it. */
  sync(): void;
  close(): void;
}

/**
 * Opens (and makes, if need be) the database at `path`.
 * @param walBytes - how large the WAL becomes before it is started over
 */
export type OpenDatabase = (path: string, walBytes?: number) => SqlDatabase;

/** The real thing. */
export function openDatabase(path: string, walBytes = 0): SqlDatabase {
  const database = new DatabaseSync(path);
  const wal = new WalFile(`${path}-wal`, walBytes);
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => prepare(database, sql),
    reserve: () => wal.reserve(),
    sync: () => wal.sync(),
    close() {
      wal.close();
      database.close();
    },
  };
}

function prepare(database: DatabaseSync, sql: string): SqlStatement {
  const statement = database.prepare(sql);
  if (typeof statement.setReturnArrays !== "function") return new ObjectStatement(statement);
  statement.setReturnArrays(true);
  return statement as unknown as SqlStatement;
}

/** For releases of Node whose statements give rows as objects only. Columns must have different names. */
class ObjectStatement implements SqlStatement {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  run(...parameters: readonly SQLInputValue[]): void {
    this.#statement.run(...parameters);
  }

  all(...parameters: readonly SQLInputValue[]): readonly SqlRow[] {
    return this.#statement.all(...parameters).map((row) => Object.values(row) as SqlValue[]);
  }

  get(...parameters: readonly SQLInputValue[]): SqlRow | undefined {
    const row = this.#statement.get(...parameters);
    return row === undefined ? undefined : (Object.values(row) as SqlValue[]);
  }
}
