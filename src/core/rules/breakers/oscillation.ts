/** Going back and forth: the same change made, undone, and made again. */
import type { Breaker } from "./breaker.ts";

/** Trying one thing after another from the same start is none: each of these changes is made once. */
export const oscillation: Breaker = {
  cause: "oscillation",
  limit: 3,
  isTold: true,
  measure: ({ breakers }) => breakers.changes.reduce((most, { times }) => Math.max(most, times), 0),
  describe: (_state, times) =>
    `the same change of the same file was made ${times} times, and undone in between`,
  advice:
    "Neither of the two states is the solution. Say what each of them fails to do before you change the file again.",
};
