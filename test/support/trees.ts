/** Trees in memory, for what only reads them. */
import { CONTRACT_DEFAULTS, type Contract } from "../../src/core/contract/contract.ts";
import type { RunnerMatch } from "../../src/referee/contract.ts";
import { blobName } from "../../src/workspace/blobs.ts";
import type { TreeItem, TreeReader } from "../../src/workspace/contract.ts";

/** Path → content; `link:` before a target, `commit:` before a submodule's. A path that ends in `*` is executable. */
export type Files = Readonly<Record<string, string>>;

/** A tree of these files. */
export function treeOfFiles(files: Files): TreeReader & { readonly items: readonly TreeItem[] } {
  const contents = new Map<string, Buffer>();
  const items = Object.entries(files).map(([name, text]): TreeItem => {
    const path = name.replace(/\*$/, "");
    const [, kind = "", target = text] = /^(link|commit):(.*)$/s.exec(text) ?? [];
    if (kind === "commit") return { path, mode: "160000", object: blobName(Buffer.from(target), "sha1") };
    contents.set(path, Buffer.from(target));
    const mode = kind === "link" ? "120000" : name.endsWith("*") ? "100755" : "100644";
    return { path, mode, object: blobName(Buffer.from(target), "sha1") };
  });
  items.sort((one, other) => (one.path < other.path ? -1 : 1));
  return { items, list: async () => items, read: async (path) => contents.get(path) };
}

/** What is recognised of a check, with globs as the runners of that kind have them. */
export function matchOf(kind: RunnerMatch["kind"], fields: Partial<RunnerMatch> = {}): RunnerMatch {
  const globs = GLOBS[kind] ?? { testFiles: [], others: [] };
  return {
    kind,
    before: [],
    after: [],
    argv: [kind],
    folder: "",
    protects: [...globs.testFiles, ...globs.others],
    testFiles: globs.testFiles,
    ...fields,
  };
}

interface Globs {
  readonly testFiles: readonly string[];
  readonly others: readonly string[];
}

const SCRIPT_TESTS = ["**/*.test.*", "**/__tests__/**", "**/test/**", "**/tests/**"];
const SCRIPT_OTHERS = [
  "**/tsconfig*.json",
  "**/babel.config.*",
  "**/*.snap",
  "**/__mocks__/**",
  "**/__snapshots__/**",
];
const GLOBS: Readonly<Partial<Record<RunnerMatch["kind"], Globs>>> = {
  vitest: {
    testFiles: SCRIPT_TESTS,
    others: [...SCRIPT_OTHERS, "**/vitest.config.*", "**/vite.config.*", "**/vitest.setup.*"],
  },
  jest: { testFiles: SCRIPT_TESTS, others: [...SCRIPT_OTHERS, "**/jest.config.*"] },
  mocha: { testFiles: SCRIPT_TESTS, others: [...SCRIPT_OTHERS, "**/.mocharc.*"] },
  "node-test": { testFiles: SCRIPT_TESTS, others: SCRIPT_OTHERS },
  pytest: {
    testFiles: ["**/test_*.py", "**/*_test.py", "**/tests/**"],
    others: ["**/conftest.py", "**/pytest.ini", "**/tox.ini", "**/sitecustomize.py", "**/*.pth"],
  },
  go: { testFiles: ["**/*_test.go"], others: ["**/testdata/**"] },
};

/** A contract with one check, run by its words. */
export function contractOf(check: string, fields: Partial<Contract> = {}): Contract {
  const argv = check.split(" ");
  const criterion = { id: "works", description: "it works", steps: [], role: null, rubric: [], needs: [] };
  const criteria = [{ ...criterion, check: { argv, folder: "", shell: false } }];
  return { ...CONTRACT_DEFAULTS, goal: "make it work", criteria, ...fields };
}
