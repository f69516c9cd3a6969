/** Erases the texts of one event from every file of a state folder. */
import { bodyHash } from "../../core/chain.ts";
import { NightshiftError } from "../../core/errors.ts";
import { asSessionId } from "../../core/ids.ts";
import { blobHashes, hydrate } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import { upcast } from "../../core/upcast.ts";
import { sessionUnknown } from "../failures.ts";
import type { EraseRequest, EraseResult, EventPlace } from "../integrity/contract.ts";
import { erasedBody, type JsonObject } from "../integrity/erase.ts";
import type { Validate } from "../integrity/fsck.ts";
import type { Connection } from "./connection.ts";
import { type EventRow, readEvents, readRows } from "./events.ts";
import type { HeadsFile } from "./heads.ts";
import { bytesOf, checkedSession, type SessionRow } from "./rows.ts";
import { inTransaction } from "./transaction.ts";

const REPLACE = "UPDATE events SET body = ? WHERE session = ? AND seq = ?";
// Of an event that is erased twice, the first hash is the one that the chain covers.
const NOTE = `INSERT INTO erasures (session, seq, at, body_hash, replacement_hash, reason) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (session, seq) DO UPDATE SET replacement_hash = excluded.replacement_hash`;
const SELECT_MENTIONS = `SELECT s.id, e.seq, e.body FROM events e JOIN sessions s ON s.key = e.session
  WHERE instr(e.body, ?) > 0`;
const SELECT_COPIES = `SELECT s.id, e.seq FROM events e JOIN sessions s ON s.key = e.session WHERE e.body = ?`;
const DELETE_BLOB = "DELETE FROM blobs WHERE hash = ?";
const DELETE_SNAPSHOT = "DELETE FROM snapshots WHERE session = ?";
const FORGET_SUMMARY = "UPDATE sessions SET summary = NULL WHERE key = ?";

/**
 * Replaces the body, in one transaction. Snapshot and summary are folds of what is erased, so they go too.
 * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_EVENT_INVALID`, `E_LOG_CORRUPT`; SQLite's errors
 */
export function eraseEvent(
  connection: Connection,
  heads: HeadsFile,
  request: EraseRequest,
  validate: Validate,
): EraseResult {
  connection.statement("PRAGMA secure_delete = ON").get();
  return inTransaction(connection, () => {
    const session = checkedSession(connection, heads, request.sessionId);
    if (session === undefined) throw sessionUnknown(request.sessionId);
    const event = eventAt(connection, session, request);
    const body = erasedFrom(event, validate);
    const replacement = JSON.stringify(body);
    const { key } = session;
    connection.statement(REPLACE).run(replacement, key, event.seq);
    const hashes = [bytesOf(bodyHash(event.body)), bytesOf(bodyHash(replacement))];
    const [before = null, after = null] = hashes;
    connection.statement(NOTE).run(key, event.seq, request.at, before, after, request.reason);
    connection.statement(DELETE_SNAPSHOT).run(key);
    connection.statement(FORGET_SUMMARY).run(key);
    const copies = connection.statement(SELECT_COPIES).all(event.body).map(placeOf);
    const blobs = deleteUnused(connection, blobHashes(JSON.parse(event.body) as Json));
    const places = new Map(
      [...copies, ...blobs.heldBy].map((place) => [`${place.sessionId} ${place.seq}`, place]),
    );
    return { body, blobsDeleted: blobs.deleted, alsoIn: [...places.values()] };
  });
}

/**
 * Makes the bytes disappear: what was deleted still stands in free pages, and what was replaced in the WAL.
 * @throws NightshiftError `E_STORE_BUSY` while others read; SQLite's errors
 */
export function forgetBytes(connection: Connection): void {
  connection.statement("VACUUM").run();
  const [busy] = connection.statement("PRAGMA wal_checkpoint(TRUNCATE)").get() ?? [];
  if (busy === 0) return;
  throw new NightshiftError(
    "E_STORE_BUSY",
    "another process reads the log, so its WAL still has the old text",
    {
      retryable: true,
      hint: "The event is erased; erase it again when no other process runs, to clear the files too.",
    },
  );
}

/** The stored event, verified. */
function eventAt(connection: Connection, session: SessionRow, { seq }: EraseRequest): EventRow {
  if (!Number.isSafeInteger(seq) || seq < 1 || seq > session.seq) {
    throw new NightshiftError("E_EVENT_INVALID", `${session.id} has no event ${seq}`, {
      hint: `Its events are 1 to ${session.seq}.`,
    });
  }
  const range = { after: seq - 1, limit: 1 };
  readEvents(connection, session, { ...range, hydrate: false });
  const [event] = readRows(connection, session, range, false);
  if (event === undefined) throw new NightshiftError("E_INTERNAL", `event ${seq} went away`);
  return event;
}

function erasedFrom(event: EventRow, validate: Validate): Json {
  return erasedBody(JSON.parse(event.body) as JsonObject, (candidate) => {
    // Whatever is still a reference stands for some text.
    const body = hydrate(candidate, (blobHash) => blobHash);
    return validate(upcast(event, body)) === undefined;
  });
}

/** Deletes the texts that no event refers to any more. */
function deleteUnused(
  connection: Connection,
  hashes: ReadonlySet<string>,
): { readonly deleted: number; readonly heldBy: readonly EventPlace[] } {
  const heldBy: EventPlace[] = [];
  let deleted = 0;
  for (const blobHash of hashes) {
    const holders = connection
      .statement(SELECT_MENTIONS)
      .all(blobHash)
      .filter(([, , body]) => blobHashes(JSON.parse(String(body)) as Json).has(blobHash));
    heldBy.push(...holders.map(placeOf));
    if (holders.length > 0) continue;
    connection.statement(DELETE_BLOB).run(bytesOf(blobHash));
    deleted += 1;
  }
  return { deleted, heldBy };
}

function placeOf([id, seq]: readonly unknown[]): EventPlace {
  return { sessionId: asSessionId(String(id)), seq: Number(seq) };
}
