/** What `npm test` has of the suite: a case for each gate that a case can be made for, most of them on one project. */
const NAMES: ReadonlySet<string> = new Set([
  // protected, swap, names, shadowing, configuration, suppressions, placeholders, clocks
  ...["equality weakened to ok", "link in the place of the tests", "same name in other case"],
  ...["chai in a node_modules of the tests", "linter's rules off", "whole file hidden from the linter"],
  ...["placeholder (JavaScript)", "clock that stands still (JavaScript)"],
  // record, canary, base-tests, earned-tests, delivered, held-out
  ...[
    "process.exit(0) on import",
    "node:assert patched by the source",
    "test.skip",
    "cases that tests are made from are cut",
    "cases that tests are made from are exchanged",
  ],
  ...["new file of tests that disarms the others (mocha)", "table of the tests' answers"],
  // judge-failure, rubric-lines, quotes, fence
  ...["judge that declines", "one line unmet, approved over all", "quotes that the judge made up"],
  "order in a comment",
  // where the referee stands
  ...["source that git ignores", "only the check of the last item was run"],
  // whole sessions
  ...["every phrase that says done", "passes written into its copy", "check that cannot fail"],
  "answers looked up, and no held-out checks",
]);

/** Is it one of them? */
export function isFast(name: string): boolean {
  return NAMES.has(name);
}
