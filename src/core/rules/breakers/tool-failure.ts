/** One tool that fails whatever it is asked. */
import type { Breaker } from "./breaker.ts";

/** A command that exits with an error has not failed as a tool. */
export const toolFailure: Breaker = {
  cause: "tool_failure",
  limit: 10,
  isTold: true,
  measure: ({ breakers }) => breakers.failures.reduce((most, { times }) => Math.max(most, times), 0),
  describe: ({ breakers }, times) => {
    const tool = breakers.failures.find((each) => each.times === times)?.tool ?? "a tool";
    return `${tool} failed ${times} times in a row`;
  },
  advice: "Read what it says, look at its description, and use it in another way or do without it.",
};
