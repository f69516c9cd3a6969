/** Files of which only parts decide what checks do: those parts are protected, and the rest is the worker's. */
import type { KeyedChange } from "./keyed-change.ts";
import { compareManifests } from "./package-json.ts";
import { compareSections } from "./sections.ts";

const KEYED: ReadonlySet<string> = new Set([
  "package.json",
  "pyproject.toml",
  "setup.cfg",
  "tox.ini",
  "Cargo.toml",
]);

/** Does the name of a file say that only parts of it decide? */
export function isKeyed(name: string): boolean {
  return KEYED.has(name);
}

/**
 * Compares the parts that decide.
 * @param name - of the file, without its folder; one of the keyed ones
 * @param isReached - does a check come to the script of this name, in a `package.json`?
 */
export function compareKeyed(
  name: string,
  base: string,
  candidate: string,
  isReached: (script: string) => boolean,
): KeyedChange {
  if (name === "package.json") return compareManifests(base, candidate, isReached);
  return compareSections(name, base, candidate) ?? { forChecks: "base", problem: "it is changed" };
}
