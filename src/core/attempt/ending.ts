/** How an attempt ended, in words for people. */
import type { EventBody } from "../events/index.ts";
import { isBlobRef, oneLine } from "../text.ts";

/** The ending of one attempt. */
export interface EndingText {
  /** `exit status 2`, `timed out`: what became of the worker, of which no verdict is made. */
  readonly how: string;
  /** The last line that a program has printed; empty for none. */
  readonly said: string;
  /** Did the program fail to come to its own good end? */
  readonly isFailure: boolean;
}

/** Characters of what was said last. */
const SAID_MAX = 500;
const BAD_ENDINGS: readonly string[] = ["timed_out", "killed", "refused"];

/** What became of an attempt and what its program said last. */
export function endingOf({ ending, exit_code, output }: EventBody<"attempt.ended">): EndingText {
  const hasFailed = ending === "exited" && (exit_code ?? 0) !== 0;
  return {
    how: hasFailed ? `exit status ${exit_code}` : ending.replaceAll("_", " "),
    // The end of what was long enough for a blob is where the log says.
    said: output === undefined || isBlobRef(output) ? "" : lastLine(output),
    isFailure: hasFailed || BAD_ENDINGS.includes(ending),
  };
}

function lastLine(output: string): string {
  const lines = output.split(/[\r\n]+/).map(oneLine);
  return lines.findLast((line) => line !== "")?.slice(0, SAID_MAX) ?? "";
}
