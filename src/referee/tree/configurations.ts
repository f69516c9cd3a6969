/**
 * Configurations of test runners, which look for them in an order of their own: a new one that comes before the one
 * that was in force takes its place without a byte of that being changed.
 */
import { posix } from "node:path";
import type { Contract, Finding } from "../../core/contract/contract.ts";
import type { RunnerKind, RunnerMatch } from "../contract.ts";
import { type Difference, folderOf, foldersOf, nameOf } from "./difference.ts";
import { finding } from "./finding.ts";
import { sectionsOf } from "./sections.ts";
import { hasTestName } from "./test-files.ts";

type Side = "base" | "candidate";

/** One kind of configuration: what a runner looks for, the first that is found counts. */
interface Family {
  readonly names: readonly string[];
  /** Is it also looked for in the folders of tests, and from there upwards? */
  readonly isByTest?: boolean;
}

const SCRIPTS: readonly string[] = ["ts", "mts", "cts", "js", "mjs", "cjs"];
const VITEST: readonly Family[] = [
  { names: [...SCRIPTS.map((end) => `vitest.config.${end}`), ...SCRIPTS.map((end) => `vite.config.${end}`)] },
  {
    names: ["vitest.workspace", "vitest.projects"].flatMap((name) =>
      [...SCRIPTS, "json"].map((end) => `${name}.${end}`),
    ),
  },
];
const BABEL: Family = {
  names: ["babel.config", ".babelrc"]
    .flatMap((name) => ["js", "cjs", "mjs", "json", "cts", "ts"].map((end) => `${name}.${end}`))
    .concat(".babelrc", "package.json#babel"),
};
const FAMILIES: Readonly<Record<RunnerKind, readonly Family[]>> = {
  vitest: VITEST,
  jest: [
    {
      names: [
        ...["js", "ts", "mjs", "cjs", "cts", "json"].map((end) => `jest.config.${end}`),
        "package.json#jest",
      ],
    },
    BABEL,
  ],
  mocha: [
    {
      names: [
        ...["cjs", "js", "mjs", "yaml", "yml", "jsonc", "json"].map((end) => `.mocharc.${end}`),
        ".mocharc",
        "package.json#mocha",
      ],
    },
  ],
  pytest: [
    {
      names: [
        "pytest.toml",
        ".pytest.toml",
        "pytest.ini",
        ".pytest.ini",
        "pyproject.toml#",
        "tox.ini#",
        "setup.cfg#",
      ],
      isByTest: true,
    },
  ],
  "node-test": [{ names: ["node.config.json"] }],
  tap: [{ names: [".taprc", "package.json#tap"] }],
  cargo: [{ names: ["rust-toolchain", "rust-toolchain.toml"] }],
  go: [{ names: ["go.work"] }],
  junit: [],
};
const MAKE: Family = { names: ["GNUmakefile", "makefile", "Makefile"] };

/** Refuses configurations that take the place of one that is still there. */
export async function findNewConfigurations(
  difference: Difference,
  contract: Contract,
  matches: readonly RunnerMatch[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const testFolders = new Set([...difference.base.keys()].filter(hasTestName).map(folderOf));
  for (const { folder, family } of searchesOf(contract, matches, testFolders)) {
    const before = await inForce(difference, "base", family, folder);
    const after = await inForce(difference, "candidate", family, folder);
    if (before === undefined || after === undefined || before === after) continue;
    // Where the old one is gone, that is what a person is asked about.
    if (!(await isConfiguration(difference, "candidate", before))) continue;
    const detail = `it takes the place of ${before}, which was in force`;
    findings.push(finding("configuration", after.replace(/#.*$/, ""), "refuse", detail));
  }
  return findings;
}

function* searchesOf(
  contract: Contract,
  matches: readonly RunnerMatch[],
  testFolders: ReadonlySet<string>,
): Generator<{ readonly folder: string; readonly family: Family }> {
  for (const { kind, folder } of matches) {
    for (const family of FAMILIES[kind]) {
      yield { folder: plain(folder), family };
      if (family.isByTest) for (const each of testFolders) yield { folder: each, family };
    }
  }
  const checks = contract.criteria.flatMap(({ check }) => check ?? []);
  for (const { argv, folder } of checks) {
    if (/(^|[/\s])g?make\b/.test(argv.join(" "))) yield { folder: plain(folder), family: MAKE };
  }
}

function plain(folder: string): string {
  const path = posix.normalize(folder).replace(/\/$/, "");
  return path === "." ? "" : path;
}

/** The configuration that counts in a folder: its own, or that of the nearest folder above. */
async function inForce(
  difference: Difference,
  side: Side,
  { names }: Family,
  folder: string,
): Promise<string | undefined> {
  for (const place of folder === "" ? [""] : [folder, ...foldersOf(folder), ""]) {
    for (const name of names) {
      const path = posix.join(place, name);
      if (await isConfiguration(difference, side, path)) return path;
    }
  }
  return undefined;
}

/** @param place - a path; after `#` the key of it that has to be there, or none for sections by its name */
async function isConfiguration(difference: Difference, side: Side, place: string): Promise<boolean> {
  const [path = "", key] = place.split("#");
  if (!difference[side].has(path)) return false;
  if (key === undefined) return true;
  const text = (await difference.text(side, path)) ?? "";
  if (key !== "") return hasKey(text, key);
  const sections = sectionsOf(nameOf(path), text);
  if (sections === undefined || "problem" in sections) return true;
  return ["tool.pytest", "tool:pytest", "pytest"].some((section) => section in sections.value);
}

function hasKey(text: string, key: string): boolean {
  try {
    const manifest: unknown = JSON.parse(text);
    return typeof manifest === "object" && manifest !== null && Object.hasOwn(manifest, key);
  } catch {
    return false;
  }
}
