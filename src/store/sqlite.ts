/** The store on SQLite: one folder, any number of processes of one machine. */
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { isNightshiftError } from "../core/errors.ts";
import type { Store } from "./contract.ts";
import type { OwnerProbe } from "./owner.ts";
import { Committer } from "./sqlite/commit.ts";
import { Connection } from "./sqlite/connection.ts";
import { type OpenDatabase, openDatabase } from "./sqlite/database.ts";
import { type FileSystemOf, fileSystemOf, HEADS_FILE, prepareFolder } from "./sqlite/folder.ts";
import { HeadsFile } from "./sqlite/heads.ts";
import { storeError } from "./sqlite/sql-errors.ts";
import { SqliteStore } from "./sqlite/store.ts";
import { type Ticker, timerTicker, Watch } from "./sqlite/watch.ts";
import { InlineWriter, LOCK_TRIES_MAX } from "./sqlite/writer.ts";

export type { OpenDatabase, SqlDatabase, SqlRow, SqlStatement, SqlValue } from "./sqlite/database.ts";
export { openDatabase } from "./sqlite/database.ts";

/** Settings and parts of a SQLite store. */
export interface SqliteStoreOptions {
  /** Where the files are; made if it is not there. */
  readonly folder: string;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly probe: OwnerProbe;
  /** `inline` commits on the caller's thread; `thread` does so for a session alone at work, for many together on another one. */
  readonly writer: "inline" | "thread";
  /** For the simulator: stands between the store and SQLite. Not with `thread`. */
  readonly openDatabase?: OpenDatabase;
  /** For tests: what the folder lies on. */
  readonly fileSystemOf?: FileSystemOf;
  /** For the simulator: when to look for writes of other processes. */
  readonly ticker?: Ticker;
}

/**
 * Opens the store, and makes it where there is none.
 * @throws NightshiftError `E_STORE_*`, `E_LOG_LOST`, `E_LOG_CORRUPT`
 */
export async function createSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { folder, clock, probe } = options;
  prepareFolder(folder, options.fileSystemOf ?? fileSystemOf);
  const heads = openHeads(join(folder, HEADS_FILE));
  try {
    const open = options.openDatabase ?? openDatabase;
    const ticker = options.ticker ?? timerTicker;
    if (options.writer === "thread") {
      // Loaded only here: most processes drive one session.
      const { ThreadWriter, WAL_PAGES: walPages } = await import("./sqlite/thread-writer.ts");
      const reader = await connect(() => new Connection({ folder, heads, openDatabase: open, walPages }));
      const writer = new ThreadWriter(folder, new Committer(reader, heads));
      const watch = new Watch(reader, ticker, () => writer.foreignVersion());
      return new SqliteStore({ reader, heads, writer, watch, clock, probe });
    }
    const reader = await connect(() => new Connection({ folder, heads, openDatabase: open }));
    const writer = new InlineWriter(new Committer(reader, heads));
    const watch = new Watch(reader, ticker);
    return new SqliteStore({ reader, heads, writer, watch, clock, probe });
  } catch (error) {
    heads.close();
    throw error;
  }
}

/** Tries again while other processes open, close or upgrade the same database. */
async function connect(open: () => Connection): Promise<Connection> {
  for (let tries = 1; ; tries++) {
    try {
      return open();
    } catch (error) {
      if (!isNightshiftError(error, "E_STORE_BUSY") || tries >= LOCK_TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, tries));
    }
  }
}

function openHeads(path: string): HeadsFile {
  try {
    return new HeadsFile(path);
  } catch (error) {
    throw storeError(error, path);
  }
}
