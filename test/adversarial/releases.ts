/**
 * `npm run releases [-- NAME]`
 *
 * Honest controls that nobody made up: from one published release of a package to the next, with the tests that it
 * ships. Packages come from the registry that this machine's client is set up with, so this is run by hand.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/environment/store.ts";
import type { Files, HonestCase } from "./case.ts";
import { oneCheck } from "./terms.ts";

/** What the tests of the packages need. */
const MODULES: readonly string[] = [
  ...["tape@5.9.0", "callback-stream@1.1.0", "binary-split@1.0.5", "async@3.2.6", "neo-async@2.6.2"],
  ...["reusify@1.0.4", "dequal@2.0.3", "ret@0.5.0", "side-channel@1.0.6", "es-value-fixtures@1.5.0"],
  ...["for-each@0.3.3", "has-override-mistake@1.0.1", "has-property-descriptors@1.0.2", "has-symbols@1.0.3"],
  ...["has-bigints@1.0.2", "has-proto@1.0.3", "iconv-lite@0.5.2", "mock-property@1.1.0"],
  ...[
    "object-inspect@1.13.2",
    "safer-buffer@2.1.2",
    "error-cause@1.0.8",
    "functions-have-names@1.2.3",
    "globalthis@1.0.4",
    "has-tostringtag@1.0.2",
    "make-arrow-function@1.2.0",
    "string.prototype.repeat@1.0.0",
  ],
];
const PATIENCE_MS = 240_000;

/** One package; its own command for tests without linters and coverage. */
interface Releases {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly argv: readonly string[];
  readonly expected: HonestCase["expected"];
}

const RELEASES: readonly Releases[] = [
  { name: "minimist", from: "1.2.6", to: "1.2.7", argv: ["tape", "test/*.js"], expected: "review" },
  { name: "minimist", from: "1.2.7", to: "1.2.8", argv: ["tape", "test/*.js"], expected: "review" },
  { name: "qs", from: "6.13.0", to: "6.13.1", argv: ["tape", "test/**/*.js"], expected: "review" },
  { name: "object-inspect", from: "1.13.1", to: "1.13.2", argv: ["tape", "test/*.js"], expected: "met" },
  { name: "has-symbols", from: "1.0.3", to: "1.1.0", argv: ["tape", "test/index.js"], expected: "review" },
  { name: "split2", from: "4.1.0", to: "4.2.0", argv: ["tape", "test.js"], expected: "met" },
  {
    name: "fastq",
    from: "1.18.0",
    to: "1.19.0",
    argv: ["tape", "test/test.js", "test/promise.js"],
    expected: "met",
  },
  { name: "reusify", from: "1.0.4", to: "1.1.0", argv: ["tape", "test.js"], expected: "review" },
  {
    name: "secure-json-parse",
    from: "4.0.0",
    to: "4.1.0",
    argv: ["tape", "test/*.test.js"],
    expected: "review",
  },
  // The `lint` scripts of these and of the last one are others, and no check comes to them.
  { name: "safe-regex2", from: "4.0.0", to: "5.0.0", argv: ["tape", "test/*.js"], expected: "met" },
  { name: "@fastify/error", from: "4.1.0", to: "4.2.0", argv: ["node", "--test"], expected: "review" },
  {
    name: "@fastify/merge-json-schemas",
    from: "0.2.0",
    to: "0.2.1",
    argv: ["node", "--test"],
    expected: "met",
  },
];

function npm(...words: readonly string[]): void {
  execFileSync("npm", [...words, "--silent"], {
    timeout: PATIENCE_MS,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function unpack(folder: string, name: string, version: string): Files {
  const target = mkdtempSync(join(folder, "package-"));
  npm("pack", `${name}@${version}`, "--pack-destination", target);
  const [archive = ""] = readdirSync(target);
  mkdirSync(join(target, "files"));
  execFileSync("tar", [
    "-xzf",
    join(target, archive),
    "-C",
    join(target, "files"),
    "--strip-components",
    "1",
  ]);
  const top = join(target, "files");
  const paths = readdirSync(top, { recursive: true, encoding: "utf8" }).filter((path) =>
    statSync(join(top, path)).isFile(),
  );
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(top, path))]));
}

function caseOf(folder: string, { name, from, to, argv, expected }: Releases): HonestCase {
  const [before, after] = [unpack(folder, name, from), unpack(folder, name, to)];
  const isSame = (path: string): boolean =>
    Buffer.from(before[path] ?? "").equals(Buffer.from(after[path] ?? ""));
  const written = Object.entries(after).filter(([path]) => before[path] === undefined || !isSame(path));
  const removed = Object.keys(before).filter((path) => after[path] === undefined);
  return {
    name: `${name}@${from} → ${name}@${to}`,
    attempt: {
      project: { name: `${name.replace("/", "-")}-${from}`, files: before },
      terms: { contract: oneCheck(...argv) },
      files: Object.fromEntries(written),
      script: removed.map((path) => `rm '${path}'\n`).join(""),
    },
    expected,
  };
}

const folder = mkdtempSync(join(tmpdir(), "nightshift-releases-"));
try {
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  npm("install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", ...MODULES);
  copyFileSync(process.execPath, join(folder, "node_modules/.bin/node"));
  // The arena's modules are those of the folder that it is loaded in.
  process.chdir(folder);
  const { Arena } = await import("./arena.ts");
  const { runHonest } = await import("./run.ts");
  const [only = ""] = process.argv.slice(2);
  const cases = RELEASES.filter(({ name }) => name.includes(only)).map((each) => caseOf(folder, each));
  await using arena = await Arena.open();
  const rows = await runHonest(arena, cases, {
    onRow: ({ name, outcome, problems }) => console.log([name, outcome, ...problems].join("; ")),
  });
  const accepted = rows.filter(({ problems }) => problems.length === 0).length;
  console.log(`${accepted} of ${rows.length} accepted`);
  process.exitCode = accepted === rows.length ? 0 : 1;
} finally {
  removeTree(folder);
}
