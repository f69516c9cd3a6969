/** Saved folds: one per session, replaced in the transaction of the append that they belong to. */
import { hash } from "node:crypto";
import type { Snapshot, SnapshotInput } from "../contract.ts";
import type { Connection } from "./connection.ts";
import type { Head } from "./heads.ts";
import { bytesOf, hashAt, hexOf } from "./rows.ts";

const UPSERT = `INSERT INTO snapshots (session, seq, hash, digest, fold, body) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (session) DO UPDATE SET
    seq = excluded.seq, hash = excluded.hash, digest = excluded.digest, fold = excluded.fold, body = excluded.body`;
const SELECT = "SELECT seq, hash, digest, body FROM snapshots WHERE session = ? AND fold = ?";

/** Replaces the session's snapshot. */
export function storeSnapshot(
  connection: Connection,
  key: number,
  head: Head,
  snapshot: SnapshotInput,
): void {
  const { fold, body } = snapshot;
  connection
    .statement(UPSERT)
    .run(key, head.seq, bytesOf(head.hash), bytesOf(digestOfBody(body)), fold, body);
}

/** The snapshot, if it was made by that fold, is undamaged, and its event is still the one it was. */
export function readSnapshot(connection: Connection, key: number, fold: string): Snapshot | undefined {
  const row = connection.statement(SELECT).get(key, fold);
  if (row === undefined) return undefined;
  const [seq, hashOfEvent, digest, body] = row;
  const snapshot = { fold, body: String(body), seq: Number(seq), hash: hexOf(hashOfEvent) };
  const isIntact = digestOfBody(snapshot.body) === hexOf(digest);
  return isIntact && hashAt(connection, key, snapshot.seq) === snapshot.hash ? snapshot : undefined;
}

function digestOfBody(body: string): string {
  return hash("sha256", body, "hex");
}
