/** The tables, and how a database of an older release becomes one of this release. */
import { NightshiftError } from "../../core/errors.ts";
import type { SqlDatabase, SqlValue } from "./database.ts";

/** Marks a database as ours: "NSLG". */
export const APPLICATION_ID = 0x4e534c47;

/**
 * Step n leads from schema version n to n + 1; a released step never changes. The version is the database's
 * `user_version`.
 *
 * - `sessions`: `key` names a session in the other tables and in the heads file; `lease_until` is monotonic.
 * - `events`: a rowid table, because that is the fastest to append to. `append_id` stands on the first event of a
 *   batch only. `body` comes last, so that reading the rest of a row never touches its overflow pages.
 * - `erasures`: bodies that were erased later. `body_hash` is that of the body as it was, which the chain covers.
 * - `blobs`: long texts, in parts of bounded size.
 * - `snapshots`: `digest` is the SHA-256 of the body; a snapshot that does not match it is as good as none.
 * - `days`: what all sessions together were charged on a day (UTC, since 1970) under a cap on it.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT,
    lease_until INTEGER,
    due INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    summary TEXT
  ) STRICT;
  CREATE INDEX sessions_by_due ON sessions (due) WHERE due IS NOT NULL;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    v INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    append_id TEXT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (session, seq)
  ) STRICT;
  CREATE UNIQUE INDEX events_by_append ON events (session, append_id) WHERE append_id IS NOT NULL;
  CREATE TABLE erasures (
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    replacement_hash BLOB NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (hash, part)
  ) STRICT;
  CREATE TABLE snapshots (
    session INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    digest BLOB NOT NULL,
    fold TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  `,
  // In few characters: the whole schema is on the first page of the file, and each opening reads it.
  "CREATE TABLE days (day INTEGER PRIMARY KEY, requests INTEGER NOT NULL, tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL) STRICT;",
];

/** What a database is to us. */
export type SchemaState = "empty" | "older" | "current";

/**
 * Looks without writing.
 * @throws NightshiftError `E_STORE_NEWER`; `E_LOG_CORRUPT` for a database that is none of ours
 */
export function schemaState(database: SqlDatabase, path: string, migrations = MIGRATIONS): SchemaState {
  const application = readPragma(database, "application_id");
  const version = Number(readPragma(database, "user_version"));
  if (
    application === 0 &&
    version === 0 &&
    database.prepare("SELECT 1 FROM sqlite_schema").all().length === 0
  ) {
    return "empty";
  }
  if (application !== APPLICATION_ID) {
    throw new NightshiftError("E_LOG_CORRUPT", `${path} is a database, but not one of Nightshift's`, {
      hint: "Pass --state with another folder; if this one held your sessions, run `nightshift fsck`.",
      data: { path, application },
    });
  }
  if (version > migrations.length) {
    const message = `${path} has schema version ${version}; this release knows ${migrations.length}`;
    throw new NightshiftError("E_STORE_NEWER", message, { data: { path, version } });
  }
  return version === migrations.length ? "current" : "older";
}

/** Brings the tables up to date in one transaction. Safe against others who do the same at this moment. */
export function migrate(database: SqlDatabase, path: string, migrations = MIGRATIONS): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been faster since the caller looked.
    schemaState(database, path, migrations);
    for (const step of migrations.slice(Number(readPragma(database, "user_version")))) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back already; the first error is the one to tell.
    }
    throw error;
  }
}

/** The value of a pragma that has one. */
export function readPragma(database: SqlDatabase, name: string): SqlValue | undefined {
  return database.prepare(`PRAGMA ${name}`).get()?.[0];
}
