/** Spending under a contract without one more criterion that a verdict finds met. */
import type { Breaker } from "./breaker.ts";

/** Catches what no two steps show: work that differs each time and leads nowhere. */
export const noProgress: Breaker = {
  cause: "no_progress",
  limit: 150,
  isTold: true,
  measure: ({ breakers, contract }) => (contract === null ? 0 : breakers.fruitless),
  describe: (_state, requests) =>
    `${requests} model requests, and no verdict has found one more criterion met`,
  advice:
    "Commit to the shortest way to one criterion and ask for a verdict, or declare the criterion impossible or blocked and say why.",
};
