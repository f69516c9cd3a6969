/** SQLite's result codes and the system's error numbers as errors of ours. */
import { type ErrorCode, isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";

/** What went wrong, coarsely enough to act on. */
type Failure = "busy" | "full" | "io" | "read_only" | "corrupt" | "too_large" | "closed" | "other";

const CODES: Readonly<Record<Failure, ErrorCode>> = {
  busy: "E_STORE_BUSY",
  full: "E_STORE_FULL",
  io: "E_STORE_IO",
  read_only: "E_STORE_READ_ONLY",
  corrupt: "E_LOG_CORRUPT",
  too_large: "E_EVENT_TOO_LARGE",
  closed: "E_STORE_CLOSED",
  other: "E_INTERNAL",
};

/** By primary result code. Our own SQL has been tested, so where it does not fit the file, the file is wrong. */
const FAILURES: { readonly [resultCode: number]: Failure } = {
  1: "corrupt", // ERROR: no such table, no such column
  3: "read_only", // PERM
  5: "busy", // BUSY
  6: "busy", // LOCKED
  7: "io", // NOMEM
  8: "read_only", // READONLY
  10: "io", // IOERR
  11: "corrupt", // CORRUPT
  13: "full", // FULL
  14: "io", // CANTOPEN
  15: "busy", // PROTOCOL: lost a race for the WAL's locks too often
  18: "too_large", // TOOBIG
  19: "corrupt", // CONSTRAINT: a row exists that nobody has seen
  20: "corrupt", // MISMATCH
  23: "read_only", // AUTH
  26: "corrupt", // NOTADB
};

const SYSTEM_FAILURES: { readonly [code: string]: Failure } = {
  EACCES: "read_only",
  EPERM: "read_only",
  EROFS: "read_only",
  ENOSPC: "full",
  EDQUOT: "full",
  ERR_INVALID_STATE: "closed",
};

/** A transaction was committed, but it is unknown whether it is durable. */
export class InDoubtError extends Error {
  override readonly name = "InDoubtError";

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** @param path - the file, for the message */
export function storeError(error: unknown, path: string): NightshiftError {
  if (isNightshiftError(error)) return error;
  const failure = failureOf(error);
  const retryable = failure === "busy" || failure === "full" || failure === "io";
  return new NightshiftError(CODES[failure], `${path}: ${messageOf(error)}`, {
    retryable,
    cause: error,
    data: { path, ...(resultCode(error) !== undefined && { sqlite: resultCode(error) }) },
  });
}

/** May the database be in a state that only opening it anew can show? */
export function isPoison(error: unknown): boolean {
  return failureOf(error) === "io";
}

/** Did another connection hold a lock that we need? */
export function isBusy(error: unknown): boolean {
  return failureOf(error) === "busy";
}

/** Does the error concern everything that is in the transaction, not just one request of it? */
export function isOfTransaction(error: unknown): boolean {
  return ["busy", "full", "io", "read_only", "closed"].includes(failureOf(error));
}

function failureOf(error: unknown): Failure {
  if (error instanceof InDoubtError) return "io";
  const code = resultCode(error);
  if (code !== undefined) return FAILURES[code & 0xff] ?? "other";
  const systemCode = (error as { code?: unknown } | null)?.code;
  if (typeof systemCode !== "string") return "other";
  const isSystem = (error as { errno?: unknown }).errno !== undefined;
  return SYSTEM_FAILURES[systemCode] ?? (isSystem ? "io" : "other");
}

/** The (extended) result code of an error of SQLite. */
function resultCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode : undefined;
}
