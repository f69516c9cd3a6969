/** Contexts that are thrown away before anything was done in them. */
import type { Breaker } from "./breaker.ts";

/** The next context would begin as this one did, so there is nobody to tell. */
export const resets: Breaker = {
  cause: "resets",
  limit: 3,
  isTold: false,
  measure: ({ breakers }) => breakers.resets,
  describe: (_state, times) =>
    `the context was begun anew ${times} times in a row without a change of any file`,
  advice: "",
};
