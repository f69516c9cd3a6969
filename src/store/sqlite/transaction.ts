/** A transaction for rare operations that are not requests of a writer. */
import type { Connection } from "./connection.ts";

/** All of it or nothing; durable when it returns. */
export function inTransaction<Result>(connection: Connection, run: () => Result): Result {
  connection.statement("BEGIN IMMEDIATE").run();
  try {
    const result = run();
    connection.commit();
    return result;
  } catch (error) {
    try {
      connection.statement("ROLLBACK").run();
    } catch {
      // SQLite has rolled back already; the first error is the one to tell.
    }
    throw error;
  }
}
