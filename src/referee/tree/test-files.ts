/** Which files hold tests, by the runners and by their names. */
import { posix } from "node:path";
import type { RunnerMatch } from "../contract.ts";
import { nameOf } from "./difference.ts";
import { type Matcher, matcherOf } from "./globs.ts";

/** Names that tests have nearly everywhere, for projects whose runner is not known. */
const TEST_NAME =
  /\.(test|spec|test-d|cy)\.[cm]?[jt]sx?$|^test_.*\.py$|_test\.(py|go|rb|exs|dart|cc|cpp)$|(Test|Tests|IT|Spec)\.(java|kt|cs|scala|swift|php|groovy)$|_spec\.rb$/;
const TEST_FOLDER = /(^|\/)(tests?|__tests__|specs?|testing|e2e|testdata|fixtures|__fixtures__)(\/|$)/;

/** Is it a file of tests, or one beside them that a runner takes for one? */
export function testFileMatcher(matches: readonly RunnerMatch[]): Matcher {
  const byRunners = matcherOf(matches.flatMap(({ testFiles }) => testFiles));
  return (path) => byRunners(path) || TEST_NAME.test(nameOf(path));
}

/** Is it in a folder of tests, by the folder's name? */
export function isInTestFolder(path: string): boolean {
  return TEST_FOLDER.test(posix.dirname(path));
}

/** Has it the name of a test that is collected by itself? */
export function hasTestName(path: string): boolean {
  return TEST_NAME.test(nameOf(path)) || /(^|\/)(test|tests)\.[cm]?[jt]sx?$/.test(path);
}
