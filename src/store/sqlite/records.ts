/** Rows of sessions as records, listings of them, and which of them are due. */
import { NightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { asSessionId } from "../../core/ids.ts";
import type { DueSessions, Owner, SessionRecord } from "../contract.ts";
import type { OwnerProbe } from "../owner.ts";
import type { Connection } from "./connection.ts";
import type { SqlRow, SqlValue } from "./database.ts";
import { hexOf } from "./rows.ts";

const COLUMNS = "id, created_at, updated_at, seq, hash, epoch, owner, lease_until, due, summary";
const SELECT_ONE = `SELECT ${COLUMNS} FROM sessions WHERE id = ?`;
const SELECT_PAGE = `SELECT ${COLUMNS} FROM sessions WHERE key < ? ORDER BY key DESC LIMIT ?`;
const SELECT_READY = `SELECT id, due FROM sessions
  WHERE due <= ? AND (owner IS NULL OR lease_until <= ?) ORDER BY due LIMIT ?`;
const SELECT_HELD = `SELECT id, due, owner, lease_until FROM sessions
  WHERE due <= ? AND owner IS NOT NULL AND lease_until > ? ORDER BY due LIMIT ?`;
const SELECT_NEXT = "SELECT min(due) AS next FROM sessions WHERE due > ?";

/** Most leases of due sessions that one look compares; they are bounded by what runs, not by what is parked. */
const HELD_MAX = 10_000;

/** What tells whether a lease is in force. */
export interface Liveness {
  readonly probe: OwnerProbe;
  readonly monotonicMs: number;
}

/** One session's record. */
export function readRecord(
  connection: Connection,
  sessionId: SessionId,
  liveness: Liveness,
): SessionRecord | undefined {
  const row = connection.statement(SELECT_ONE).get(sessionId);
  return row === undefined ? undefined : decode(row, liveness);
}

/** Records by descending key, which is the order of creation turned round. */
export function readPage(
  connection: Connection,
  range: { readonly beforeKey: number; readonly limit: number },
  liveness: Liveness,
): SessionRecord[] {
  const rows = connection.statement(SELECT_PAGE).all(range.beforeKey, range.limit);
  return rows.map((row) => decode(row, liveness));
}

/** What is due; reads the index of due times only as far as something is due. */
export function readDue(
  connection: Connection,
  query: { readonly now: number; readonly limit: number },
  { probe, monotonicMs }: Liveness,
): DueSessions {
  const { now, limit } = query;
  const nowMonotonic = Math.floor(monotonicMs);
  const ready = connection.statement(SELECT_READY).all(now, nowMonotonic, limit).map(dueSession);
  let firstExpiry: number | null = null;
  for (const row of connection.statement(SELECT_HELD).all(now, nowMonotonic, HELD_MAX)) {
    const leaseUntil = Number(row[3]);
    if (probe.isDead(ownerOf(row[2]))) ready.push(dueSession(row));
    else firstExpiry = Math.min(firstExpiry ?? leaseUntil, leaseUntil);
  }
  const next = connection.statement(SELECT_NEXT).get(now)?.[0];
  return {
    ready: ready
      .sort((one, other) => one.due - other.due)
      .slice(0, limit)
      .map(({ id }) => id),
    nextDue: typeof next === "number" ? next : null,
    heldForMs: firstExpiry === null ? null : firstExpiry - monotonicMs,
  };
}

/** An owner as it is stored. @throws NightshiftError `E_LOG_CORRUPT` */
export function ownerOf(text: SqlValue | undefined): Owner {
  try {
    return JSON.parse(String(text)) as Owner;
  } catch (error) {
    throw new NightshiftError("E_LOG_CORRUPT", "the owner of a session is unreadable", { cause: error });
  }
}

function dueSession([id, due]: SqlRow): { readonly id: SessionId; readonly due: number } {
  return { id: asSessionId(String(id)), due: Number(due) };
}

function decode(row: SqlRow, { probe, monotonicMs }: Liveness): SessionRecord {
  const [id, createdAt, updatedAt, seq, hash, epoch, ownerText, leaseUntil, due, summary] = row;
  const owner = ownerText === null ? null : ownerOf(ownerText);
  return {
    sessionId: asSessionId(String(id)),
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
    seq: Number(seq),
    hash: hexOf(hash),
    epoch: Number(epoch),
    owner,
    held: owner !== null && Number(leaseUntil) > monotonicMs && !probe.isDead(owner),
    due: due === null ? null : Number(due),
    summary: summary === null ? null : String(summary),
  };
}
