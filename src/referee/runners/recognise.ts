/** Which runner a command starts. */
import { posix } from "node:path";
import type { RunnerKind } from "../contract.ts";
import { isPlain, writesJunit } from "./plain-run.ts";
import type { ScriptCommand } from "./script-text.ts";

const BY_NAME: Readonly<Record<string, RunnerKind>> = {
  vitest: "vitest",
  jest: "jest",
  mocha: "mocha",
  _mocha: "mocha",
  pytest: "pytest",
  "py.test": "pytest",
  tape: "tap",
};

/** Runs that do not end, that rewrite what they should compare with, or that do something other than running tests. */
const NOT_A_RUN: ReadonlySet<string> = new Set([
  ...["--watch", "-w", "--watchAll", "--ui", "watch", "dev", "bench", "list", "init", "related"],
  ...[
    "--update",
    "-u",
    "--updateSnapshot",
    "--ci=false",
    "--collect-only",
    "--co",
    "--listTests",
    "--list-tests",
  ],
  ...[
    "--test-update-snapshots",
    "--test-force-exit",
    "--test-global-setup",
    "--test-shard",
    "--shard",
    "--version",
    "--help",
    "-h",
  ],
  ...["--passWithNoTests", "--pass-with-no-tests", "--snapshot-update", "--init", "--showConfig"],
]);

/** Take patterns themselves; for the others a shell would have to be asked. */
const TAKES_PATTERNS: ReadonlySet<RunnerKind> = new Set(["node-test", "mocha", "tap"]);

/** The runner that a command starts, if it is one of those that are understood. */
export function recognise(command: ScriptCommand): RunnerKind | undefined {
  const [program = "", ...rest] = command.words;
  const kind = kindOf(posix.basename(program), rest);
  if (kind === undefined) return undefined;
  const flags = rest.map((word) => word.replace(/=.*$/s, (value) => (value === "=false" ? value : "")));
  if (!isPlain(kind) && flags.some((word) => NOT_A_RUN.has(word))) return undefined;
  return command.hasPatterns && !TAKES_PATTERNS.has(kind) ? undefined : kind;
}

function kindOf(program: string, rest: readonly string[]): RunnerKind | undefined {
  if (program === "node") return ofNode(rest);
  if (/^python(3(\.\d+)?)?$/.test(program)) {
    const at = rest.findIndex((word) => !/^-[bBEIsuW]+$/.test(word));
    return rest[at] === "-m" && rest[at + 1] === "pytest" ? "pytest" : undefined;
  }
  if (program === "go") return rest[0] === "test" ? "go" : undefined;
  if (program === "cargo") return rest[0] === "test" || rest[0] === "t" ? "cargo" : undefined;
  if (program === "tap")
    return rest.some((word) => /^(?:--reporter=tap|-Rtap)$/.test(word)) ? "tap" : undefined;
  if (!Object.hasOwn(BY_NAME, program) && writesJunit(rest)) return "junit";
  return Object.hasOwn(BY_NAME, program) ? BY_NAME[program] : undefined;
}

/** `node --test …`, or a runner's own program given to node. */
function ofNode(rest: readonly string[]): RunnerKind | undefined {
  if (rest.includes("--test")) return "node-test";
  const program = rest.find((word) => !word.startsWith("-"));
  const found = /(?:^|\/)node_modules\/(vitest|jest|mocha|tape)\//.exec(program ?? "")?.[1];
  return found === undefined ? undefined : BY_NAME[found];
}
