/** Which files decide what a runner does. Globs of git's kind: without a slash they hold in every folder. */
import { posix } from "node:path";
import type { RunnerKind, RunnerMatch, TreeReader } from "../contract.ts";

const SCRIPT = "{js,cjs,mjs,ts,cts,mts,jsx,tsx}";
const DATA = "{json,yaml,yml,js,cjs,mjs,ts,cts,mts}";

/** Compilers stand between a test and what runs, so their settings are part of every runner for JavaScript. */
const COMPILERS: readonly string[] = [
  "**/tsconfig*.json",
  "**/jsconfig*.json",
  "**/.swcrc",
  "**/babel.config.*",
  "**/.babelrc",
  "**/.babelrc.*",
  "**/node_modules/**",
];

const JS_TESTS: readonly string[] = [
  `**/*.{test,spec,test-d}.${SCRIPT}`,
  `**/__tests__/**`,
  `**/test/**`,
  `**/tests/**`,
  `**/spec/**`,
];
const SNAPSHOTS: readonly string[] = ["**/__snapshots__/**", "**/*.snap", "**/*.snapshot"];
const MOCKS: readonly string[] = ["**/__mocks__/**", "**/__fixtures__/**", "**/fixtures/**"];

/** Kinds of files of one runner. */
interface Protection {
  readonly tests: readonly string[];
  readonly others: readonly string[];
}

const PROTECTIONS: Readonly<Record<RunnerKind, Protection>> = {
  "node-test": {
    tests: [...JS_TESTS, `**/*{-,_}test.${SCRIPT}`, `**/test-*.${SCRIPT}`, `**/test.${SCRIPT}`],
    others: [...COMPILERS, ...SNAPSHOTS, "**/node.config.json"],
  },
  vitest: {
    tests: JS_TESTS,
    others: [
      ...COMPILERS,
      ...SNAPSHOTS,
      ...MOCKS,
      `**/{vitest,vite}.config.${SCRIPT}`,
      `**/vitest.workspace.${DATA}`,
      `**/vitest.projects.${DATA}`,
      "**/vitest.setup.*",
      "**/vitest-setup.*",
    ],
  },
  jest: {
    tests: JS_TESTS,
    others: [
      ...COMPILERS,
      ...SNAPSHOTS,
      ...MOCKS,
      `**/jest.config.${DATA}`,
      "**/jest.setup.*",
      "**/jest-setup.*",
      "**/setupTests.*",
    ],
  },
  mocha: {
    tests: JS_TESTS,
    others: [...COMPILERS, ...SNAPSHOTS, "**/.mocharc", "**/.mocharc.*", "**/test/mocha.opts"],
  },
  tap: {
    tests: [...JS_TESTS, `**/test-*.${SCRIPT}`, `**/test.${SCRIPT}`],
    others: [...COMPILERS, ...SNAPSHOTS, "**/.taprc", "**/tap-snapshots/**"],
  },
  pytest: {
    tests: ["**/test_*.py", "**/*_test.py", "**/test/**", "**/tests/**", "**/testing/**"],
    others: [
      ...[
        "**/conftest.py",
        "**/pytest.ini",
        "**/.pytest.ini",
        "**/pytest.toml",
        "**/.pytest.toml",
        "**/tox.ini",
      ],
      ...["**/sitecustomize.py", "**/usercustomize.py", "**/*.pth"],
      ...["**/.coveragerc", "**/__snapshots__/**", "**/.venv/**", "**/venv/**", "**/noxfile.py"],
    ],
  },
  go: { tests: ["**/*_test.go"], others: ["**/testdata/**", "**/go.work", "**/go.work.sum"] },
  cargo: {
    tests: ["**/tests/**"],
    others: [
      "**/build.rs",
      "**/.cargo/**",
      "**/rust-toolchain",
      "**/rust-toolchain.toml",
      "**/snapshots/**",
      "**/*.snap",
    ],
  },
  junit: { tests: [], others: [] },
};

/** Options that name a file of the project, by which a runner is set up. */
const FILE_OPTIONS: ReadonlySet<string> = new Set([
  ...["--config", "-c", "--setupFiles", "--setup-files", "--globalSetup", "--global-setup", "--rootdir"],
  ...["--require", "-r", "--import", "--loader", "--experimental-loader", "--file", "--env-file", "-p", "-o"],
]);
/** Keys of configurations whose values name such files. */
const FILE_KEYS =
  /\b(?:setupFiles|setupFilesAfterEnv|globalSetup|globalTeardown|testEnvironment|testRunner|runner|environment|resolver|transform|require|import|file|loader|preset|snapshotSerializers|reporters|sequencer|testSequencer|moduleNameMapper)\b/;
const SETTINGS =
  /(?:^|\/)(?:(?:vitest|vite)\.config\.\w+|vitest\.(?:workspace|projects)\.\w+|jest\.config\.\w+|\.mocharc(?:\.\w+)?|package\.json)$/;
/** Of `package.json`; the same as in a file of their own. */
const RUNNER_KEYS: readonly string[] = ["jest", "mocha", "vitest", "tap", "ava", "babel"];
const CONFIGURATIONS_MAX = 200;

/** What of a project's files a runner goes by. */
export async function protectionOf(
  kind: RunnerKind,
  words: readonly string[],
  folder: string,
  tree: TreeReader,
): Promise<Pick<RunnerMatch, "protects" | "testFiles">> {
  const { tests, others } = PROTECTIONS[kind];
  const entries = await tree.list();
  const files = new Set(entries.map(({ path }) => path));
  const named = [
    ...namedFiles(words, folder),
    ...(await namedByConfigurations([...files], tree)),
    ...(kind === "pytest" ? await sharedSettings([...files], tree) : []),
  ];
  const existing = named.flatMap((path) => resolveFile(path, files)).sort();
  const testFiles = [...tests, ...testArguments(kind, words, folder, files)].flatMap(withoutBraces);
  return {
    protects: [...new Set([...testFiles, ...others.flatMap(withoutBraces), ...existing])],
    testFiles: [...new Set(testFiles)],
  };
}

/** Files and patterns that the command itself gives the runner as tests. */
function testArguments(
  kind: RunnerKind,
  words: readonly string[],
  folder: string,
  files: ReadonlySet<string>,
): readonly string[] {
  if (kind === "go" || kind === "cargo") return [];
  return words.slice(1).flatMap((word) => {
    if (word.startsWith("-") || word.startsWith("/") || word.includes("..")) return [];
    const path = posix.join(folder, word.replace(/::.*$/s, ""));
    if (/[*?[{]/.test(path)) return /\.\w+$|\*$/.test(path) ? [path] : [];
    if (files.has(path)) return [path];
    const isFolder =
      path !== "." && [...files].some((each) => each.startsWith(`${path.replace(/\/$/, "")}/`));
    return isFolder && kind !== "vitest" && kind !== "jest" ? [`${path.replace(/\/$/, "")}/**`] : [];
  });
}

function namedFiles(words: readonly string[], folder: string): readonly string[] {
  return words.flatMap((word, index) => {
    const [option = "", value = words[index + 1] ?? ""] = word.split(/=(.*)/s);
    return FILE_OPTIONS.has(option) ? [posix.join(folder, value)] : [];
  });
}

/** Paths in quotes, on lines of configurations that set something up. */
async function namedByConfigurations(files: readonly string[], tree: TreeReader): Promise<readonly string[]> {
  const settings = files.filter((path) => SETTINGS.test(path) && !path.includes("node_modules/"));
  const named: string[] = [];
  for (const path of settings.slice(0, CONFIGURATIONS_MAX)) {
    const content = (await tree.read(path))?.toString("utf8") ?? "";
    const text = posix.basename(path) === "package.json" ? runnerSettings(content) : content;
    if (!FILE_KEYS.test(text)) continue;
    for (const [, value = ""] of text.matchAll(/["'`]((?:<rootDir>\/)?\.{0,2}\/?[\w@./-]+)["'`]/g))
      named.push(posix.join(posix.dirname(path), value.replace("<rootDir>/", "")));
    for (const [, value = ""] of text.matchAll(/^\s*-\s+([\w@./-]+)\s*$/gm))
      named.push(posix.join(posix.dirname(path), value));
  }
  return named;
}

/** What a manifest has for runners: its entries are sources, whatever else there is beside them. */
function runnerSettings(manifest: string): string {
  try {
    const parsed = JSON.parse(manifest.replace(/^\ufeff/, "")) as Readonly<Record<string, unknown>> | null;
    return JSON.stringify(RUNNER_KEYS.map((key) => parsed?.[key]));
  } catch {
    return manifest;
  }
}

/** Files of many purposes count when they have a part for pytest; other parts of them are not its business. */
async function sharedSettings(files: readonly string[], tree: TreeReader): Promise<readonly string[]> {
  const settings = files.filter((path) => /(?:^|\/)(?:setup\.cfg|pyproject\.toml)$/.test(path));
  const named: string[] = [];
  for (const path of settings.slice(0, CONFIGURATIONS_MAX)) {
    if (/^\s*\[tool[.:]pytest/m.test((await tree.read(path))?.toString("utf8") ?? "")) named.push(path);
  }
  return named;
}

const ENDINGS: readonly string[] = [
  "",
  ".js",
  ".cjs",
  ".mjs",
  ".ts",
  ".cts",
  ".mts",
  ".jsx",
  ".tsx",
  "/index.js",
  "/index.ts",
];

/** As a module path: the file may have any of the usual endings. Entries of the package itself are sources. */
function resolveFile(path: string, files: ReadonlySet<string>): readonly string[] {
  return ENDINGS.map((ending) => path + ending).filter((each) => files.has(each) && /\.(?:\w+)$/.test(each));
}

/** Git's globs know no braces. */
function withoutBraces(glob: string): readonly string[] {
  const braces = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(glob);
  if (braces === null) return [glob];
  const [, before = "", choices = "", after = ""] = braces;
  return choices.split(",").flatMap((choice) => withoutBraces(before + choice + after));
}
