/** A store that cannot answer now may answer soon, and a lost reply is resolved by asking the same again. */
import type { Clock } from "../core/clock.ts";
import { isNightshiftError } from "../core/errors.ts";

const TRIES = 5;
const FIRST_WAIT_MS = 100;

/**
 * Repeats `call` while it fails with a retryable error, for one and a half seconds at the most.
 * @param call - must mean the same however often it is made: a read, or a write under one append id
 * @throws what the last try threw
 */
export async function withRetries<T>(clock: Clock, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isNightshiftError(error) || !error.retryable || attempt >= TRIES) throw error;
      await clock.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}
