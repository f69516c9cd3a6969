/** Reads the files beside the store, by other means: plain SQL and the bytes of the heads file. */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { asSessionId, type SessionId } from "../../src/core/ids.ts";
import type { LogRow } from "./log.ts";

/** What the table of sessions says about one of them. */
export interface SessionRest {
  readonly session: SessionId;
  readonly key: number;
  readonly due: number | null;
  readonly isOwned: boolean;
  /** Name of the harness that holds the lease, and until when; the lease may have lapsed. */
  readonly holder: string | null;
  readonly leaseUntilMs: number;
}

/** A head as the heads file has it. */
export interface HeadBytes {
  readonly seq: number;
  readonly hash: string;
}

interface SessionRow {
  readonly id: string;
  readonly key: number;
  readonly due: number | null;
  readonly owner: string | null;
  readonly lease_until: number | null;
}

const SLOT_BYTES = 64;

/** A reader of its own on one folder. */
export class Observer {
  readonly #database: DatabaseSync;
  readonly #heads: number;
  readonly #events: StatementSync;
  readonly #blob: StatementSync;
  readonly #sessions: StatementSync;
  readonly #session: StatementSync;
  readonly #restless: StatementSync;
  readonly #slot = Buffer.alloc(SLOT_BYTES);
  /** A session keeps its key for good. */
  readonly #keys = new Map<SessionId, number>();

  constructor(folder: string) {
    this.#database = new DatabaseSync(join(folder, "log.db"));
    this.#heads = openSync(join(folder, "heads"), "r");
    this.#events = this.#database.prepare(
      `SELECT seq, at, type, v, body, lower(hex(hash)) AS hash FROM events
       WHERE session = ? AND seq > ? ORDER BY seq`,
    );
    this.#blob = this.#database.prepare("SELECT bytes FROM blobs WHERE hash = ? ORDER BY part");
    const columns = "id, key, due, owner, lease_until";
    this.#sessions = this.#database.prepare(`SELECT ${columns} FROM sessions ORDER BY key`);
    this.#session = this.#database.prepare(`SELECT ${columns} FROM sessions WHERE id = ?`);
    this.#restless = this.#database.prepare(
      `SELECT ${columns} FROM sessions WHERE due IS NOT NULL OR owner IS NOT NULL`,
    );
  }

  rows(session: SessionId, after: number): LogRow[] {
    return this.#events.all(this.#keyOf(session), after) as unknown as LogRow[];
  }

  blob(hash: string): string {
    const parts = this.#blob.all(Buffer.from(hash, "hex")) as { bytes: Uint8Array }[];
    return Buffer.concat(parts.map(({ bytes }) => bytes)).toString("utf8");
  }

  sessions(): SessionRest[] {
    return (this.#sessions.all() as unknown as SessionRow[]).map(restOf);
  }

  find(session: SessionId): SessionRest | undefined {
    const row = this.#session.get(session) as unknown as SessionRow | undefined;
    return row === undefined ? undefined : restOf(row);
  }

  /** Sessions that want to be woken at some time, or are driven. */
  restless(): SessionRest[] {
    return (this.#restless.all() as unknown as SessionRow[]).map(restOf);
  }

  /** The head of a session; position 0 when there is none. */
  head(session: SessionId): HeadBytes {
    const length = readSync(this.#heads, this.#slot, 0, SLOT_BYTES, this.#keyOf(session) * SLOT_BYTES);
    if (length < SLOT_BYTES) return { seq: 0, hash: "" };
    return { seq: Number(this.#slot.readBigUInt64LE(8)), hash: this.#slot.toString("hex", 32, 64) };
  }

  #keyOf(session: SessionId): number {
    const key = this.#keys.get(session) ?? this.find(session)?.key ?? 0;
    if (key > 0) this.#keys.set(session, key);
    return key;
  }

  close(): void {
    this.#database.close();
    closeSync(this.#heads);
  }
}

function restOf({ id, key, due, owner, lease_until }: SessionRow): SessionRest {
  return {
    session: asSessionId(id),
    key,
    due,
    isOwned: owner !== null,
    holder: owner === null ? null : (JSON.parse(owner) as { readonly harness: string }).harness,
    leaseUntilMs: lease_until ?? 0,
  };
}
