/** Errors that every store words alike. */
import { NightshiftError } from "../core/errors.ts";
import type { Sequence, SessionId } from "../core/ids.ts";

/** No such session. */
export function sessionUnknown(sessionId: string): NightshiftError {
  return new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${sessionId}`, {
    data: { sessionId },
  });
}

/** The id is taken. */
export function sessionExists(sessionId: string): NightshiftError {
  return new NightshiftError("E_SESSION_EXISTS", `session ${sessionId} exists already`, {
    data: { sessionId },
  });
}

/** A known append id came with other bytes. */
export function appendMismatch(sessionId: string, appendId: string): NightshiftError {
  return new NightshiftError("E_APPEND_MISMATCH", `append ${appendId} was stored before with other bytes`, {
    data: { sessionId, appendId },
  });
}

/** The log ends before a position that somebody has seen acknowledged. */
export function logLost(sessionId: SessionId, seq: Sequence, seen: Sequence): NightshiftError {
  return new NightshiftError(
    "E_LOG_LOST",
    `the log of ${sessionId} ends at event ${seq}, but event ${seen} was acknowledged`,
    { data: { sessionId, seq, seen } },
  );
}

/** A long text is not there. */
export function blobMissing(blobHash: string): NightshiftError {
  return new NightshiftError("E_BLOB_MISSING", `blob ${blobHash} is missing`, { data: { hash: blobHash } });
}

/** The store was closed before this call. */
export function storeClosed(): NightshiftError {
  return new NightshiftError("E_STORE_CLOSED", "the store is closed");
}
