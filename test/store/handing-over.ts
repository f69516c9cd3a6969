/** The store with a writer's thread that commits nothing on the caller's: what many sessions at work get. */
import { join } from "node:path";
import type { Store } from "../../src/store/contract.ts";
import { Connection } from "../../src/store/sqlite/connection.ts";
import { fileSystemOf, HEADS_FILE, prepareFolder } from "../../src/store/sqlite/folder.ts";
import { HeadsFile } from "../../src/store/sqlite/heads.ts";
import { SqliteStore } from "../../src/store/sqlite/store.ts";
import { ThreadWriter } from "../../src/store/sqlite/thread-writer.ts";
import { timerTicker, Watch } from "../../src/store/sqlite/watch.ts";
import { openDatabase, type SqliteStoreOptions } from "../../src/store/sqlite.ts";

/** Most cases have one session at a time, which `createSqliteStore` would not hand over. */
export async function openHandingOver(
  options: Pick<SqliteStoreOptions, "folder" | "clock" | "probe" | "ticker">,
): Promise<Store> {
  const { folder, clock, probe, ticker = timerTicker } = options;
  prepareFolder(folder, fileSystemOf);
  const heads = new HeadsFile(join(folder, HEADS_FILE));
  const reader = new Connection({ folder, heads, openDatabase });
  const writer = new ThreadWriter(folder, null);
  const watch = new Watch(reader, ticker, () => writer.foreignVersion());
  return new SqliteStore({ reader, heads, writer, watch, clock, probe });
}
