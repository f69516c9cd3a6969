/** Protected globs on the files of a repository, as the referee will take them. */
import type { LintFacts } from "../core/contract/lint.ts";
import { isNightshiftError } from "../core/errors.ts";
import { type Matcher, matcherOf } from "../referee/tree/globs.ts";

/** What the linter asks of the files of a repository. @param paths - of all files */
export function lintFactsOf(paths: readonly string[]): LintFacts {
  return {
    fileCount: paths.length,
    countMatches: (glob) => {
      const matcher = compiled(glob);
      return matcher === undefined ? undefined : paths.filter(matcher).length;
    },
  };
}

function compiled(glob: string): Matcher | undefined {
  try {
    return matcherOf([glob]);
  } catch (error) {
    if (isNightshiftError(error, "E_CONTRACT_INVALID")) return undefined;
    throw error;
  }
}
