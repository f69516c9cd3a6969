/** When a person's wish to begin a new attempt makes sense, and what helps instead where it does not. */
import type { SessionState } from "../state.ts";

/** Why there is nothing to try again. */
export type RetryRefusal = "not-begun" | "at-work" | "asked" | "verified" | "capped";

/** What stands against a new attempt of a session that is not over; null for nothing. */
export function retryRefusal(state: SessionState): RetryRefusal | null {
  const { command, attempts, thread, hold, stopReason } = state;
  if (command === null ? thread === null : attempts.number === 0) return "not-begun";
  // Each of a program's attempts is a fresh one, so the next is no other than the one that comes by itself.
  if (command !== null && attempts.open !== null && hold === null) return "at-work";
  if (hold === "requires_action" || stopReason?.type === "review") return "asked";
  if (stopReason?.type === "verified") return "verified";
  // A new attempt has spent nothing; of the other caps it would have no more than the last one.
  if (hold === "budget_reached" && !isOfAttempt(stopReason)) return "capped";
  return null;
}

function isOfAttempt(reason: SessionState["stopReason"]): boolean {
  return reason?.type === "budget_reached" && reason.cap.startsWith("attempt.");
}
