/** Command lines of node, as far as its test runner is concerned. */

/** What `node --test …` is about. */
export interface NodeTestOptions {
  /** For the process of each test file. */
  readonly fileOptions: readonly string[];
  /** Modules that are to be loaded with `require` first. */
  readonly requires: readonly string[];
  readonly patterns: readonly string[];
  readonly concurrency?: number;
}

/** Take their value from the next word, unless it is in the same one. */
const VALUED: ReadonlySet<string> = new Set([
  ...[
    "--import",
    "--loader",
    "--experimental-loader",
    "--conditions",
    "-C",
    "--env-file",
    "--env-file-if-exists",
  ],
  ...[
    "--test-name-pattern",
    "--test-skip-pattern",
    "--test-timeout",
    "--test-concurrency",
    "--test-reporter",
  ],
  ...[
    "--test-reporter-destination",
    "--test-coverage-include",
    "--test-coverage-exclude",
    "--test-isolation",
  ],
  ...[
    "--require",
    "-r",
    "--input-type",
    "--title",
    "--stack-trace-limit",
    "--disable-warning",
    "--watch-path",
  ],
]);
/** Are about the runner as a whole, its output or its coverage; it is run file by file here. */
const LEFT_OUT =
  /^--(?:test|test-reporter|test-reporter-destination|test-concurrency|test-isolation|experimental-test-isolation|experimental-test-coverage|test-coverage-.*)$/;

/** @param words - what follows `node` */
export function parseNodeTest(words: readonly string[]): NodeTestOptions {
  const fileOptions: string[] = [];
  const requires: string[] = [];
  const patterns: string[] = [];
  let concurrency: number | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      patterns.push(word);
      continue;
    }
    const [name = "", given] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const value = given ?? (VALUED.has(name) ? words[++at] : undefined);
    if (name === "--test-concurrency") concurrency = Number(value) || undefined;
    if (name === "--require" || name === "-r") requires.push(value ?? "");
    else if (!LEFT_OUT.test(name))
      fileOptions.push(...(value === undefined ? [name] : given === undefined ? [name, value] : [word]));
  }
  return { fileOptions, requires, patterns, ...(concurrency === undefined ? {} : { concurrency }) };
}
