/** Contracts in few words. */
import {
  type Check,
  CONTRACT_DEFAULTS,
  type Contract,
  type Criterion,
} from "../../src/core/contract/contract.ts";

/** A contract of these criteria. */
export function contractOf(
  criteria: readonly (Partial<Criterion> & { readonly id: string })[],
  changes: Partial<Contract> = {},
): Contract {
  const whole = criteria.map(
    (given): Criterion => ({
      description: given.id,
      ...{ steps: [], check: null, role: null, rubric: [], needs: [] },
      ...given,
    }),
  );
  return { ...CONTRACT_DEFAULTS, goal: "The tests pass.", criteria: whole, ...changes };
}

/** A command as a check, in the top folder. */
export function checkOf(...argv: readonly string[]): Check {
  return { argv: [...argv], folder: "", shell: false };
}

/** The contract that `run --check` makes of one command. */
export function oneCheck(...argv: readonly string[]): Contract {
  return contractOf([{ id: "tests", check: checkOf(...argv) }]);
}
