/** Writes a fork into a database: the whole log in one transaction, so that no half of it can ever be driven. */
import type { Sequence } from "../../core/ids.ts";
import { sessionExists } from "../failures.ts";
import type { ForkRequest } from "../integrity/contract.ts";
import type { ForkEvent } from "../integrity/fork.ts";
import { storeBlobs } from "./blobs.ts";
import type { Connection } from "./connection.ts";
import type { HeadsFile } from "./heads.ts";
import { absent, bytesOf, digestOf, findSession } from "./rows.ts";
import { inTransaction } from "./transaction.ts";

const NEXT_KEY = "SELECT coalesce(max(key), 0) + 1 FROM sessions";
const INSERT_SESSION = `INSERT INTO sessions (key, id, seq, hash, epoch, due, created_at, updated_at)
  VALUES (?, ?, ?, ?, 0, ?, ?, ?)`;
const INSERT_EVENT = `INSERT INTO events (session, seq, v, at, hash, append_id, type, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** A log that is to be stored under a new name. */
export interface Fork {
  readonly request: ForkRequest;
  readonly events: Iterable<ForkEvent>;
  /** Looks up a long text. */
  textOf(blobHash: string): string;
}

/** @throws NightshiftError `E_SESSION_EXISTS`, `E_LOG_LOST`; SQLite's errors */
export function storeFork(
  connection: Connection,
  heads: HeadsFile,
  fork: Fork,
): { readonly seq: Sequence; readonly hash: string } {
  const { to, at, due } = fork.request;
  const digest = digestOf(to);
  const { key, head } = inTransaction(connection, () => {
    if (findSession(connection, to) !== undefined) throw sessionExists(to);
    if (heads.find(digest) !== undefined) throw absent(heads, to);
    // A slot beyond the last key belongs to a session that the database has lost; it must stay readable.
    const key = Math.max(Number(connection.statement(NEXT_KEY).get()?.[0]), heads.slots);
    heads.reserve(key);
    const head = storeEvents(connection, key, fork);
    connection.statement(INSERT_SESSION).run(key, to, head.seq, bytesOf(head.hash), due, at, at);
    return { key, head };
  });
  heads.advance(new Map([[key, { digest, ...head, epoch: 0 }]]));
  return head;
}

function storeEvents(
  connection: Connection,
  key: number,
  { events, textOf }: Fork,
): { readonly seq: Sequence; readonly hash: string } {
  let last = { seq: 0, hash: "" };
  for (const { seq, v, at, hash, appendId, type, body, blobs } of events) {
    for (const blobHash of blobs) {
      const text = textOf(blobHash);
      storeBlobs(connection, [{ hash: blobHash, text, bytes: Buffer.byteLength(text) }]);
    }
    connection.statement(INSERT_EVENT).run(key, seq, v, at, bytesOf(hash), appendId, type, body);
    last = { seq, hash };
  }
  return last;
}
