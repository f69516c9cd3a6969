/** Rows of the tables, and the few look-ups that reading and writing share. */
import { NightshiftError } from "../../core/errors.ts";
import type { Sequence, SessionId } from "../../core/ids.ts";
import { logLost, sessionUnknown } from "../failures.ts";
import type { Connection } from "./connection.ts";
import type { SqlRow, SqlValue } from "./database.ts";
import { type HeadsFile, headDigest, type Slot } from "./heads.ts";

/** The part of a session's row that every operation needs. */
export interface SessionRow {
  readonly id: SessionId;
  /** Names the session in the other tables and in the heads file. */
  readonly key: number;
  readonly seq: Sequence;
  /** Hash of the event at `seq`, hex. */
  readonly hash: string;
  readonly epoch: number;
  readonly isOwned: boolean;
}

const SELECT_SESSION = "SELECT key, seq, hash, epoch, owner IS NOT NULL AS owned FROM sessions WHERE id = ?";
const SELECT_HASH = "SELECT hash FROM events WHERE session = ? AND seq = ?";

/** The session's row as the database has it, unchecked. */
export function findSession(connection: Connection, sessionId: SessionId): SessionRow | undefined {
  const row = connection.statement(SELECT_SESSION).get(sessionId);
  return row === undefined ? undefined : decodeSession(sessionId, row);
}

/** Hash of one event, hex; undefined when there is no such event. */
export function hashAt(connection: Connection, key: number, seq: Sequence): string | undefined {
  const row = connection.statement(SELECT_HASH).get(key, seq);
  return row === undefined ? undefined : hexOf(row[0]);
}

/**
 * Compares a log with its head.
 * @param slot - read before the row, or inside the transaction, so that it cannot be newer than the row by right
 * @returns `E_LOG_LOST`, `E_LOG_CORRUPT`, or undefined when they agree
 */
export function headProblem(
  connection: Connection,
  row: SessionRow,
  slot: Slot,
): NightshiftError | undefined {
  if (typeof slot !== "object") return undefined;
  if (slot.digest !== digestOf(row.id)) {
    return corrupt(
      row.id,
      slot.seq,
      "the heads file says that its place in the database is another session's",
    );
  }
  if (slot.seq > row.seq) return logLost(row.id, row.seq, slot.seq);
  if (slot.epoch > row.epoch) {
    const message = `${row.id} had lease ${slot.epoch}, but the database knows only ${row.epoch}`;
    return new NightshiftError("E_LOG_LOST", message, { data: { sessionId: row.id, epoch: row.epoch } });
  }
  const hash = slot.seq === row.seq ? row.hash : hashAt(connection, row.key, slot.seq);
  return hash === slot.hash
    ? undefined
    : corrupt(row.id, slot.seq, "its hash is not the one that was acknowledged");
}

/**
 * The session's row, outside of a transaction, checked against its head; undefined when there never was such a session.
 * @throws NightshiftError `E_LOG_LOST`, `E_LOG_CORRUPT`
 */
export function checkedSession(
  connection: Connection,
  heads: HeadsFile,
  sessionId: SessionId,
): SessionRow | undefined {
  const row = findSession(connection, sessionId);
  const slot = row === undefined ? (heads.find(digestOf(sessionId))?.head ?? "empty") : heads.read(row.key);
  if (row === undefined ? slot === "empty" : headProblem(connection, row, slot) === undefined) return row;
  // Another process may have written between the two looks, so only a row that was read after the slot counts.
  const later = findSession(connection, sessionId);
  const problem = later === undefined ? absent(heads, sessionId) : headProblem(connection, later, slot);
  if (problem !== undefined) throw problem;
  return later;
}

/**
 * What to say of a session that the database does not have.
 * @returns `E_SESSION_UNKNOWN`, or `E_LOG_LOST` when its head shows that it existed
 */
export function absent(heads: HeadsFile, sessionId: SessionId): NightshiftError {
  const found = heads.find(digestOf(sessionId));
  return found === undefined ? sessionUnknown(sessionId) : logLost(sessionId, 0, found.head.seq);
}

/** A damaged event. */
export function corrupt(sessionId: SessionId, seq: Sequence, finding: string): NightshiftError {
  return new NightshiftError("E_LOG_CORRUPT", `event ${seq} of ${sessionId} is damaged: ${finding}`, {
    data: { sessionId, seq },
  });
}

/** A hash as it is stored. */
export function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

/** A stored hash as text. */
export function hexOf(value: SqlValue | undefined): string {
  if (!(value instanceof Uint8Array)) return "";
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
}

const DIGESTS_MAX = 10_000;
const digests = new Map<string, string>();

/** {@link headDigest}, remembered: it is needed in every commit. */
export function digestOf(sessionId: SessionId): string {
  const known = digests.get(sessionId);
  if (known !== undefined) return known;
  if (digests.size >= DIGESTS_MAX) digests.clear();
  const digest = headDigest(sessionId);
  digests.set(sessionId, digest);
  return digest;
}

/** A session's row from its first columns: key, seq, hash, epoch, whether it has an owner. */
export function decodeSession(id: SessionId, [key, seq, hash, epoch, owned]: SqlRow): SessionRow {
  return {
    id,
    key: Number(key),
    seq: Number(seq),
    hash: hexOf(hash),
    epoch: Number(epoch),
    isOwned: owned === 1,
  };
}
