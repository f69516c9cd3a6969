/** Globs of git's kind: without a slash they hold in every folder, and what names a folder names all that is in it. */
import { NightshiftError } from "../../core/errors.ts";
import { GlobPattern, type MatchState } from "../../sandbox/daemon/glob-pattern.ts";

/** Does a path, or a folder that it is in, match one of the globs? @throws NightshiftError `E_CONTRACT_INVALID` */
export type Matcher = (path: string) => boolean;

/** Made once for many paths. */
export function matcherOf(globs: readonly string[]): Matcher {
  const patterns = [...new Set(globs)].map(compile);
  return (path) => {
    const names = path.split("/");
    return patterns.some((pattern) => matches(pattern, names));
  };
}

function compile(glob: string): GlobPattern {
  const plain = glob.replace(/\/+$/, "");
  const isAnchored = plain.includes("/");
  const parsed = GlobPattern.parse(isAnchored ? plain.replace(/^\//, "") : `**/${plain}`);
  if (parsed.ok && plain !== "") return parsed.value;
  const problem = parsed.ok ? "it names nothing" : parsed.problem;
  throw new NightshiftError(
    "E_CONTRACT_INVALID",
    `the glob ${JSON.stringify(glob)} cannot be used: ${problem}`,
  );
}

function matches(pattern: GlobPattern, names: readonly string[]): boolean {
  let state: MatchState = pattern.start;
  for (const name of names) {
    state = pattern.step(state, name);
    if (state.length === 0) return false;
    if (pattern.isMatch(state)) return true;
  }
  return false;
}
