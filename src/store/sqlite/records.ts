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
// Not a bare `LIMIT ?`: SQLite plans for its value, and so prepares the statement anew each time.
const SELECT_PAGE = `SELECT ${COLUMNS} FROM sessions WHERE key < ? ORDER BY key DESC LIMIT ? + 0`;
const SELECT_DUE =
  "SELECT id, owner, lease_until FROM sessions WHERE due <= ? ORDER BY due, key LIMIT ? + 0 OFFSET ? + 0";
const SELECT_NEXT = "SELECT min(due) AS next FROM sessions WHERE due > ?";

/** Due sessions that are looked at together. */
const DUE_PAGE = 200;

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

/**
 * What is due. Reads the index of due times only as far as something is due, and stops when enough is ready: then
 * the caller has work, and held leases further on do not matter yet.
 */
export function readDue(
  connection: Connection,
  query: { readonly now: number; readonly limit: number },
  liveness: Liveness,
): DueSessions {
  const { now, limit } = query;
  const ready: SessionId[] = [];
  let firstExpiry: number | null = null;
  for (let from = 0; ready.length < limit; from += DUE_PAGE) {
    const rows = connection.statement(SELECT_DUE).all(now, DUE_PAGE, from);
    for (const [id, owner, leaseUntil] of rows) {
      const expiry = owner === null ? null : expiryOf(ownerOf(owner), Number(leaseUntil), liveness);
      if (expiry !== null) firstExpiry = Math.min(firstExpiry ?? expiry, expiry);
      else if (ready.length < limit) ready.push(asSessionId(String(id)));
    }
    if (rows.length < DUE_PAGE) break;
  }
  const next = connection.statement(SELECT_NEXT).get(now)?.[0];
  return {
    ready,
    nextDue: typeof next === "number" ? next : null,
    heldForMs: firstExpiry === null ? null : firstExpiry - liveness.monotonicMs,
  };
}

/** When a lease that is in force will expire; null when it is not in force. */
function expiryOf(owner: Owner, leaseUntil: number, { probe, monotonicMs }: Liveness): number | null {
  return leaseUntil > monotonicMs && !probe.isDead(owner) ? leaseUntil : null;
}

/** An owner as it is stored. @throws NightshiftError `E_LOG_CORRUPT` */
export function ownerOf(text: SqlValue | undefined): Owner {
  try {
    return JSON.parse(String(text)) as Owner;
  } catch (error) {
    throw new NightshiftError("E_LOG_CORRUPT", "the owner of a session is unreadable", { cause: error });
  }
}

function decode(row: SqlRow, liveness: Liveness): SessionRecord {
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
    held: owner !== null && expiryOf(owner, Number(leaseUntil), liveness) !== null,
    due: due === null ? null : Number(due),
    summary: summary === null ? null : String(summary),
  };
}
