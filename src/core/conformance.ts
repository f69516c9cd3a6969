/**
 * Conformance suites define each seam's contract. They are cases, not tests: they run under any test runner and
 * from the command line (`nightshift conformance <seam> --backend <name>`), on a user's own machine.
 */

/** One sentence of a contract and the way to see that it holds. Fails by throwing. */
export interface ConformanceCase<Subject> {
  /** The obligation, in the contract's words. */
  readonly name: string;
  run(subject: Subject): Promise<void>;
}

/** A case that a backend cannot pass by nature; the reason is printed with the results. */
export interface ConformanceSkip {
  readonly name: string;
  readonly reason: string;
}
