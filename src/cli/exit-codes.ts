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
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** Whoever has driven it and whoever has only looked on end with the same. */
export function exitOfState(state: SessionState): number {
  if (state.phase === "terminated") return EXIT.interrupted;
  if (state.stopReason === null) return EXIT.interrupted;
  return exitOfStop(state.stopReason, state);
}

function exitOfStop(reason: StopReason, { contract, retry, hold }: SessionState): number {
  switch (reason.type) {
    case "end_turn":
      // Under a contract only a verdict ends work: somebody has cut this turn short.
      return contract === null ? EXIT.ok : EXIT.interrupted;
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
      // Lifted, and nothing was left to do: the stop came when the turn had ended.
      return hold === null && contract === null ? EXIT.ok : EXIT.interrupted;
    case "retries_exhausted":
      return retry?.errorClass === "rate_limit" ? EXIT.rateLimited : EXIT.unavailable;
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
