/** What the agent of the crash suite does: a few commands, each with an effect outside and one in its files. */
import { COUNTER_FILE } from "../harness/workload.ts";

/** How many commands. */
export const EFFECTS = 3;
/** The one during which commands are interrupted. */
export const MIDDLE = 1;
/** The last one. */
export const LAST = 2;

/** By which name pods know the counter. */
export const COUNTER_HOST = "effects.test";

/** Asks the counter, writes its line whatever the answer was, and ends as the question did. */
export function commandOf(index: number, address: string): string {
  const ask = `curl --silent --fail --max-time 60 ${address}/${index}`;
  return `${ask}; answer=$?; echo effect-${index} >> ${COUNTER_FILE}; exit $answer`;
}
