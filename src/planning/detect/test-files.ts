/** Files that hold tests, by the names that runners look for. */

const PATTERNS: readonly RegExp[] = [
  /\.(test|spec|tests|specs)\.[cm]?[jt]sx?$/,
  /(^|\/)__tests__\/.*\.[cm]?[jt]sx?$/,
  /(^|\/)(test|tests)\/.*\.[cm]?[jt]sx?$/,
  /(^|\/)test[-_.][^/]*\.[cm]?[jt]s$/,
  /(^|\/)test_[^/]*\.py$/,
  /_test\.(py|go)$/,
  /(^|\/)tests\/[^/]*\.rs$/,
];

/** True for paths that look like tests. */
export function isTestFile(path: string): boolean {
  return PATTERNS.some((pattern) => pattern.test(path));
}

/** Those among them that JavaScript runners take without being told. */
export function isScriptTest(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path) && isTestFile(path);
}

/** Those that pytest and unittest take. */
export function isPythonTest(path: string): boolean {
  return /(^|\/)(test_[^/]*|[^/]*_test)\.py$/.test(path);
}
