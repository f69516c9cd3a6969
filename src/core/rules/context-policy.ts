/**
 * What becomes of a context: it goes on, is shortened, or is replaced, with or without the files. By what was measured
 * and by the model's profile, never by the clock or by how the model feels about it.
 */
import type { ContextProfile } from "../attempt/profiles.ts";
import type { EventBody } from "../events/index.ts";

/** What was measured. */
export type ContextSignals = EventBody<"context.decided">["signals"];
/** What is done, and for which signal. */
export type ContextChoice = Pick<EventBody<"context.decided">, "choice" | "cause">;

/** What a rewind or a restart could go back to. */
export interface WaysBack {
  /** Is there a checkpoint by whose verdict more was met than by the base, other than the current one? */
  readonly canRewind: boolean;
  /** Has the session a base, and was it not gone back to yet? */
  readonly canRestart: boolean;
}

/** Answers in a thread below which to shorten it would win nothing. */
const TURNS_TO_COMPACT = 4;
/** Times that one attempt is shortened: after that, what is left out is more than what is kept. */
const COMPACTIONS_MAX = 2;
/** Calls in a row that end with an error. */
const ERRORS_MAX = 10;
/** Verdicts in a row that find the same criteria unmet. */
const SAME_VERDICTS_MAX = 3;
/** Attempts without progress after which their files count as the wrong way. */
const FRUITLESS_TO_REWIND = 2;
const FRUITLESS_TO_RESTART = 3;

/** @returns null to go on as it is */
export function chooseContext(
  signals: ContextSignals,
  profile: ContextProfile,
  ways: WaysBack,
): ContextChoice | null {
  if (profile.mode === "continue") return null;
  const cause = causeOf(signals, profile);
  switch (cause) {
    case null:
      return null;
    case "fill":
    case "overflow":
      // An empty thread that is too much already would be the same again.
      if (signals.turns === 0) return null;
      return mayCompact(signals, profile)
        ? { choice: "compact", cause }
        : { choice: replacement(signals, ways), cause };
    default:
      return { choice: replacement(signals, ways), cause };
  }
}

function causeOf(
  signals: ContextSignals,
  { fill_max, resets_help }: ContextProfile,
): ContextChoice["cause"] | null {
  const { fill_tokens, window_tokens, overflowed, errors_in_row, same_verdicts, turns } = signals;
  if (overflowed) return "overflow";
  if (window_tokens !== null && fill_tokens >= window_tokens * fill_max) return "fill";
  if (!resets_help || turns === 0) return null;
  if (same_verdicts >= SAME_VERDICTS_MAX) return "same_verdicts";
  return errors_in_row >= ERRORS_MAX ? "errors" : null;
}

function mayCompact({ turns, compactions }: ContextSignals, { mode, compact }: ContextProfile): boolean {
  return mode === "auto" && compact && turns >= TURNS_TO_COMPACT && compactions < COMPACTIONS_MAX;
}

/** The attempt that ends now counts. */
function replacement(
  { fruitless_attempts }: ContextSignals,
  { canRewind, canRestart }: WaysBack,
): ContextChoice["choice"] {
  const fruitless = fruitless_attempts + 1;
  if (fruitless >= FRUITLESS_TO_REWIND && canRewind) return "rewind";
  return fruitless >= FRUITLESS_TO_RESTART && canRestart ? "restart" : "reset";
}
