/** The gates by name, each of which can be turned off to see what it carries. */

/**
 * Every gate that can be turned off by itself; in verdicts and findings each goes by this name.
 *
 * - `protected`, `submodule`: pass A has the base's protected paths, and what was edited there waits for a person.
 * - `constraints`: what the contract says of files and dependencies that a machine can check.
 * - `size`: how much is changed, where the contract has a limit.
 * - `swap`, `names`, `configuration`, `shadowing`: what composing refuses.
 * - `tests`, `suppressions`, `placeholders`, `clocks`, and `configuration` by key: what must not get worse.
 * - `runner`: a known runner is run by the harness itself, and reports to it; without it only the exit status counts.
 * - `record`, `canary`, `failed-tests`, `base-tests`, `earned-tests`, `no-tests`, `test-count`: more than exit status 0.
 * - `delivered`: pass B, the candidate exactly as delivered.
 * - `held-out`: criteria whose files the worker never sees.
 * - `judge-failure`, `rubric-lines`: a judge that failed, or left out a line, has found nothing met.
 */
export const GATES = [
  ...([
    "constraints",
    "protected",
    "size",
    "submodule",
    "swap",
    "names",
    "configuration",
    "shadowing",
  ] as const),
  ...(["tests", "suppressions", "placeholders", "clocks"] as const),
  ...([
    "runner",
    "record",
    "canary",
    "failed-tests",
    "base-tests",
    "earned-tests",
    "no-tests",
    "test-count",
  ] as const),
  ...(["delivered", "held-out", "judge-failure", "rubric-lines"] as const),
] as const;

/** One of them. */
export type Gate = (typeof GATES)[number];

/** All of them are on. */
export const ALL_GATES_ON: ReadonlySet<Gate> = new Set();
