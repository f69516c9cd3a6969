/** Globs of git's kind on the files of a repository. */
import type { LintFacts } from "../core/contract/lint.ts";
import { GlobPattern } from "../sandbox/daemon/glob-pattern.ts";

/** What the linter asks of the files of a repository. @param paths - of all files */
export function lintFactsOf(paths: readonly string[]): LintFacts {
  return { fileCount: paths.length, countMatches: (glob) => paths.filter(matcherOf(glob)).length };
}

/**
 * As in `.gitignore`: without a slash in it a glob matches at any depth, and what it matches, it matches with all that
 * is below. A glob that cannot be understood matches nothing.
 */
function matcherOf(glob: string): (path: string) => boolean {
  const body = glob.replace(/\/$/, "");
  const anchored = body.includes("/") ? body : `**/${body}`;
  const parsed = body === "" ? undefined : GlobPattern.parse(anchored);
  if (parsed === undefined || !parsed.ok) return () => false;
  const pattern = parsed.value;
  return (path) => {
    let state = pattern.start;
    for (const name of path.split("/")) {
      state = pattern.step(state, name);
      if (pattern.isMatch(state)) return true;
    }
    return false;
  };
}
