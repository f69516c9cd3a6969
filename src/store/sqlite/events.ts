/** Reading a log: rows, the check of its chain, and the events that they hold. */
import { bodyHash, eventHash, genesisHash } from "../../core/chain.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import type { Sequence } from "../../core/ids.ts";
import { hydrate } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import { type StoredEvent, upcast } from "../../core/upcast.ts";
import type { EventRange } from "../contract.ts";
import { readBlob } from "./blobs.ts";
import type { Connection } from "./connection.ts";
import type { SqlRow } from "./database.ts";
import { corrupt, hashAt, hexOf, type SessionRow } from "./rows.ts";

/** An event exactly as it is stored. */
export interface EventRow {
  readonly seq: Sequence;
  readonly at: number;
  readonly type: string;
  readonly v: number;
  readonly body: string;
  /** Hex; empty when it was not asked for. */
  readonly hash: string;
  /** Hash of the event before, hex; empty when it was not asked for, or when there is no such event. */
  readonly previous: string;
}

const SELECT_APPEND = "SELECT seq FROM events WHERE session = ? AND append_id = ?";
const ERASED = "SELECT body_hash, replacement_hash FROM erasures WHERE session = ? AND seq = ?";

/**
 * Reads a range of one log.
 * @param row - the session's row, read before: every event up to its `seq` must be there
 * @throws NightshiftError `E_LOG_CORRUPT`, `E_BLOB_MISSING`, `E_EVENT_NEWER`
 */
export function readEvents(connection: Connection, row: SessionRow, range: EventRange): SessionEvent[] {
  const verify = range.verify ?? true;
  const blobs = new Map<string, string>();
  const lookup = (blobHash: string): string => {
    const text = blobs.get(blobHash) ?? readBlob(connection, blobHash, verify);
    blobs.set(blobHash, text);
    return text;
  };
  const place = (range.hydrate ?? true) ? lookup : undefined;
  if (!verify) return selectRows(connection, row, range, false).map((each) => eventOf(row, each, place));
  const rows = readRows(connection, row, range, true);
  if (range.types === undefined) checkDensity(row, rows, range);
  // In the order of the log, so that the first bad event is named.
  for (const each of range.backwards ? rows.toReversed() : rows) checkRow(connection, row, each);
  return rows.map(({ seq, at, type, v, body }) => eventOf(row, [seq, at, type, v, body], place));
}

/** Position of the first event of an append. */
export function findAppend(connection: Connection, key: number, appendId: string): Sequence | undefined {
  const row = connection.statement(SELECT_APPEND).get(key, appendId);
  return row === undefined ? undefined : Number(row[0]);
}

/** The event in a row; without any detour, because thousands of them are read before a long session goes on. */
function eventOf(
  row: SessionRow,
  [seq, at, type, v, text]: SqlRow,
  place: ((blobHash: string) => string) | undefined,
): SessionEvent {
  const stored = {
    seq: seq as number,
    at: at as number,
    type: type as string,
    v: v as number,
    body: text as string,
  };
  const body = parse(row, stored);
  // The text tells at once whether there is anything to put back; walking every body would cost far more.
  return upcast(stored, place !== undefined && stored.body.includes("$blob") ? hydrate(body, place) : body);
}

/** Reads rows without any check; with `hashes`, each with its own and the previous event's hash. */
export function readRows(
  connection: Connection,
  row: SessionRow,
  range: EventRange,
  hashes: boolean,
): EventRow[] {
  const events = selectRows(connection, row, range, hashes).map(decode);
  const isFiltered = range.types !== undefined;
  return hashes && !isFiltered ? withPrevious(connection, row, events, range.backwards ?? false) : events;
}

function selectRows(
  connection: Connection,
  row: SessionRow,
  range: EventRange,
  hashes: boolean,
): readonly SqlRow[] {
  const { after, types, backwards = false, limit } = range;
  if (types?.length === 0) return [];
  const statement = connection.statement(selectEvents(types?.length ?? 0, backwards, hashes));
  return statement.all(row.key, after ?? (backwards ? Number.MAX_SAFE_INTEGER : 0), ...(types ?? []), limit);
}

/**
 * A limit to be given later. SQLite plans for the value of a bare `LIMIT ?`, and so prepares the statement anew each
 * time that it is given one.
 */
const SOME = "? + 0";

/** One statement per shape of range; each is prepared once. */
function selectEvents(types: number, backwards: boolean, hashes: boolean): string {
  const beyond = backwards ? "e.seq < ?" : "e.seq > ?";
  const filter = types > 0 ? ` AND e.type IN (${Array(types).fill("?").join(", ")})` : "";
  // Without a filter the previous hash is in the row before; with one it has to be looked up.
  const previous =
    types > 0 ? "(SELECT p.hash FROM events p WHERE p.session = e.session AND p.seq = e.seq - 1)" : "NULL";
  const hashColumns = hashes ? `, e.hash, ${previous} AS previous` : "";
  const order = backwards ? "DESC" : "ASC";
  return `SELECT e.seq, e.at, e.type, e.v, e.body${hashColumns} FROM events e
    WHERE e.session = ? AND ${beyond}${filter} ORDER BY e.seq ${order} LIMIT ${SOME}`;
}

function decode([seq, at, type, v, body, hash, previous]: SqlRow): EventRow {
  return {
    seq: seq as number,
    at: at as number,
    type: type as string,
    v: v as number,
    body: body as string,
    hash: hash === undefined ? "" : hexOf(hash),
    previous: previous == null ? "" : hexOf(previous),
  };
}

/** Each row's previous hash from its neighbour; that of the lowest row from the log. */
function withPrevious(
  connection: Connection,
  row: SessionRow,
  events: readonly EventRow[],
  backwards: boolean,
): EventRow[] {
  const lowest = backwards ? events.at(-1) : events[0];
  const before = lowest === undefined || lowest.seq === 1 ? "" : hashAt(connection, row.key, lowest.seq - 1);
  return events.map((event, index) => {
    const neighbour = events[backwards ? index + 1 : index - 1];
    return { ...event, previous: neighbour?.hash ?? before ?? "" };
  });
}

/** No gap between the rows, none before them, and none between them and the head. */
function checkDensity(row: SessionRow, rows: readonly EventRow[], range: EventRange): void {
  const { backwards = false, limit } = range;
  let expected = backwards ? lastExpected(row, rows, range.after) : (range.after ?? 0) + 1;
  for (const { seq } of rows) {
    if (seq !== expected) throw corrupt(row.id, expected, "it is missing");
    expected += backwards ? -1 : 1;
  }
  const isAtEnd = backwards ? expected < 1 : expected > row.seq;
  if (rows.length < limit && !isAtEnd) throw corrupt(row.id, expected, "it is missing");
}

/** Where reading backwards must start. Beyond the head, later events may have come since the row was read. */
function lastExpected(row: SessionRow, rows: readonly EventRow[], after: Sequence | undefined): Sequence {
  if (after !== undefined && after - 1 <= row.seq) return after - 1;
  return Math.max(row.seq, rows[0]?.seq ?? 0);
}

/** Body, header and place against the chain; an erased body against its erasure. */
function checkRow(connection: Connection, row: SessionRow, event: EventRow): void {
  const previous = event.seq === 1 ? genesisHash(row.id) : event.previous;
  if (previous === "") throw corrupt(row.id, event.seq - 1, "it is missing");
  const header = { session: row.id, seq: event.seq, type: event.type, v: event.v, at: event.at };
  const hashOfBody = bodyHash(event.body);
  if (eventHash(previous, header, hashOfBody) === event.hash) return;
  const erased = connection.statement(ERASED).get(row.key, event.seq);
  const isReplacement = erased !== undefined && hexOf(erased[1]) === hashOfBody;
  if (isReplacement && eventHash(previous, header, hexOf(erased[0])) === event.hash) return;
  throw corrupt(row.id, event.seq, "it does not match its hash");
}

function parse(row: SessionRow, event: StoredEvent): Json {
  try {
    return JSON.parse(event.body) as Json;
  } catch {
    throw corrupt(row.id, event.seq, "its body is not JSON");
  }
}
