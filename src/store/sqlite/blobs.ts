/** Long texts: stored once each, in parts of bounded size. */
import { hash } from "node:crypto";
import { NightshiftError } from "../../core/errors.ts";
import type { SealedBlob } from "../../core/seal.ts";
import { blobMissing } from "../failures.ts";
import type { Connection } from "./connection.ts";
import { bytesOf } from "./rows.ts";

/** Most bytes of a text in one row. */
export const PART_BYTES = 65_536;

const HAS_BLOB = "SELECT 1 FROM blobs WHERE hash = ? AND part = 0";
const INSERT_PART = "INSERT INTO blobs (hash, part, parts, bytes) VALUES (?, ?, ?, ?)";
const SELECT_PARTS = "SELECT part, parts, bytes FROM blobs WHERE hash = ? ORDER BY part";

/** Adds those that are not there yet. */
export function storeBlobs(connection: Connection, blobs: readonly SealedBlob[]): void {
  for (const blob of blobs) {
    const key = bytesOf(blob.hash);
    if (connection.statement(HAS_BLOB).get(key) !== undefined) continue;
    const bytes = Buffer.from(blob.text);
    const parts = Math.max(1, Math.ceil(bytes.length / PART_BYTES));
    for (let part = 0; part < parts; part++) {
      const slice = bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      connection.statement(INSERT_PART).run(key, part, parts, slice);
    }
  }
}

/**
 * Reads a text.
 * @param verify - compare it with its hash
 * @throws NightshiftError `E_BLOB_MISSING`, `E_LOG_CORRUPT`
 */
export function readBlob(
  connection: Pick<Connection, "statement">,
  blobHash: string,
  verify: boolean,
): string {
  const rows = connection.statement(SELECT_PARTS).all(bytesOf(blobHash));
  if (rows.length === 0) throw blobMissing(blobHash);
  const isWhole = rows.every(([part, parts], index) => part === index && parts === rows.length);
  const bytes = Buffer.concat(
    rows.map(([, , part]) => (part instanceof Uint8Array ? part : new Uint8Array())),
  );
  if (!isWhole || (verify && hash("sha256", bytes, "hex") !== blobHash)) {
    throw new NightshiftError("E_LOG_CORRUPT", `blob ${blobHash} is damaged`, { data: { hash: blobHash } });
  }
  return bytes.toString("utf8");
}
