/** The same calls with the same results on the same files, over and over: alone, or as a cycle of a few turns. */
import { turnsOf } from "../../reduce/breakers.ts";
import type { Breaker } from "./breaker.ts";

/** Turns of the longest cycle that is recognised. */
const CYCLE_MAX = 6;

/** Test runs after an edit are not the same: the files are part of what is compared. */
export const sameCall: Breaker = {
  cause: "same_call",
  limit: 3,
  isTold: true,
  measure: ({ breakers }) => {
    const turns = turnsOf(breakers);
    return Math.max(...Array.from({ length: CYCLE_MAX }, (_, index) => repeatsOf(turns, index + 1)));
  },
  describe: (_state, times) =>
    `the same calls gave the same results ${times} times in a row, and no file changed meanwhile`,
  advice: "Doing it again will not change the result. Find out why it is so, or take another way.",
};

/** How often the last `cycle` turns were done without a break. */
function repeatsOf(turns: readonly string[], cycle: number): number {
  const end = turns.length - 1;
  if (end + 1 < cycle) return 0;
  let same = 0;
  while (end - same - cycle >= 0 && turns[end - same] === turns[end - same - cycle]) same++;
  return Math.floor(same / cycle) + 1;
}
