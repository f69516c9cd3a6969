/**
 * Constraints that a machine can hold an agent to. The others bind it as well, but nobody can tell by rule: they are
 * given to it word for word, and to the judge.
 *
 * `never touch: <glob>, <glob>` keeps files as they are; `no new dependencies` keeps manifests from asking for more.
 */
import type { Contract } from "./contract.ts";
import { globTest } from "./globs.ts";

const NEVER_TOUCH = /^\s*never touch:\s*(.+?)\s*$/i;
const NO_DEPENDENCIES = /^\s*no new dependencies\s*\.?\s*$/i;

/** What the constraints of a contract say that can be checked. */
export interface CheckableConstraints {
  /** The constraint that a change of this path would break; null for none. */
  readonly forbids: (path: string) => string | null;
  /** The constraint that allows no new dependencies; null for none. */
  readonly keepsDependencies: string | null;
}

/** Made once for many paths. */
export function checkableConstraints({ constraints }: Pick<Contract, "constraints">): CheckableConstraints {
  const rules = constraints.flatMap((text) => {
    const globs =
      NEVER_TOUCH.exec(text)?.[1]
        ?.split(/[,\s]+/)
        .filter((glob) => glob !== "") ?? [];
    return globs.map((glob) => ({ text, matches: globTest(glob) }));
  });
  return {
    forbids: (path) => rules.find(({ matches }) => matches(path))?.text ?? null,
    keepsDependencies: constraints.find((text) => NO_DEPENDENCIES.test(text)) ?? null,
  };
}
