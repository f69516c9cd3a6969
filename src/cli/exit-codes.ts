/** The one table of exit codes: how a session rests, and what a command that watched it ends with. */
import { ERROR_CODES, type ErrorCode, unreachable } from "../core/errors.ts";
import type { SessionState, StopReason } from "../core/state.ts";

/** Exit codes by meaning. Those of errors are in `ERROR_CODES`. */
export const EXIT = {
  ok: 0,
  unmet: 1,
  usage: 2,
  budget: 3,
  person: 4,
  stalled: 5,
  unavailable: 69,
  internal: 70,
  rateLimited: 75,
  authentication: 77,
  interrupted: 130,
  terminated: 143,
} as const;

/** @param rateLimited - did the provider's rate limit exhaust the retries? */
export function exitOfState(state: SessionState, rateLimited = false): number {
  if (state.phase === "terminated") return EXIT.interrupted;
  if (state.stopReason === null) return EXIT.interrupted;
  return exitOfStop(state.stopReason, rateLimited);
}

function exitOfStop(reason: StopReason, rateLimited: boolean): number {
  switch (reason.type) {
    case "end_turn":
    case "verified":
    case "already_green":
      return EXIT.ok;
    case "unmet":
      return EXIT.unmet;
    case "review":
    case "requires_action":
    case "refusal":
    case "max_tokens":
      return EXIT.person;
    case "budget_reached":
      return EXIT.budget;
    case "stalled":
      return EXIT.stalled;
    case "rate_limited":
      return EXIT.rateLimited;
    case "paused":
    case "stopped":
      return EXIT.interrupted;
    case "retries_exhausted":
      return rateLimited ? EXIT.rateLimited : EXIT.unavailable;
    case "failed":
      return isErrorCode(reason.code) ? ERROR_CODES[reason.code].exit : EXIT.internal;
    default:
      return unreachable(reason);
  }
}

/** Codes come out of logs too, perhaps of a newer release. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
