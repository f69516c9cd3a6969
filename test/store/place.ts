/** State folders for tests, and stores in them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach } from "vitest";
import type { Store } from "../../src/store/contract.ts";
import { createSqliteStore, type SqliteStoreOptions } from "../../src/store/sqlite.ts";

const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Undone after the test, the last first. */
export function later(cleanUp: () => Promise<void> | void): void {
  cleanUps.push(cleanUp);
}

/** A fresh folder that goes away after the test. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-sqlite-"));
  later(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a store that is closed after the test. */
export async function openStore(folder: string, options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await createSqliteStore({
    folder,
    clock: { monotonicMs: () => 1000 },
    probe: { isDead: () => false },
    writer: "inline",
    ...options,
  });
  later(() => store.close());
  return store;
}

/** Changes the database behind the store's back; no store may have it open. */
export function tamper(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, "log.db"));
  database.exec(sql);
  database.close();
}
