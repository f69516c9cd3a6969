/** Runs a runner that has no reporter of the harness's, with its output kept whole in the exchange folder. */
import { mkdir } from "node:fs/promises";
import { join, posix } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { InstrumentedCheck, InstrumentRequest, RunnerKind, TestReport } from "../contract.ts";
import { type PlainReport, parseCargo, parseGo, parseJunit, parseTap } from "./plain.ts";
import { withoutVariables } from "./programs.ts";
import { readPlainFile } from "./record.ts";
import { withIds } from "./report.ts";
import { inFolder, quote } from "./shell.ts";

const OUTPUT = "output";
const JUNIT_FILE = "junit.xml";

type PlainKind = Extract<RunnerKind, "go" | "cargo" | "tap" | "junit">;

const PARSERS: Readonly<Record<PlainKind, (text: string) => PlainReport>> = {
  go: parseGo,
  cargo: parseCargo,
  tap: parseTap,
  junit: parseJunit,
};

/** Flags by which programs are told to write a JUnit file, and where. */
const JUNIT_FLAG = /^(--log-junit|--junit-xml|--junitxml|--junit-output|--gtest_output)$/;

/** Has this runner no reporter of the harness's? */
export function isPlain(kind: RunnerKind): kind is PlainKind {
  return Object.hasOwn(PARSERS, kind);
}

/** Do these words tell a program to write a JUnit file? */
export function writesJunit(words: readonly string[]): boolean {
  return words.some((word) => JUNIT_FLAG.test(word.replace(/=.*$/s, "")));
}

/** Nothing of it needs a key: whoever can run a test can write what is read here. */
export async function instrumentPlain({ match, exchange }: InstrumentRequest): Promise<InstrumentedCheck> {
  await mkdir(exchange.outer, { recursive: true });
  const { variables, words } = withoutVariables(match.argv);
  const output = quote(posix.join(exchange.inner, OUTPUT));
  const argv = reportingWords(match.kind, words, exchange.inner).map(quote).join(" ");
  return {
    command: `${inFolder(match.folder)} && { ${argv} >${output} 2>&1; status=$?; cat ${output}; exit "$status"; }`,
    environment: variables,
    report: () => Promise.resolve(reportOf(match.kind, exchange.outer, match.folder)),
  };
}

function reportingWords(kind: RunnerKind, words: readonly string[], exchange: string): readonly string[] {
  if (kind === "go")
    return [...words.slice(0, 2), "-json", ...words.slice(2).filter((word) => word !== "-json")];
  if (kind !== "junit") return words;
  const file = posix.join(exchange, JUNIT_FILE);
  return words.map((word, at) => {
    const [flag = "", value] = word.split(/=(.*)/s);
    if (JUNIT_FLAG.test(flag) && value !== undefined)
      return `${flag}=${value.startsWith("xml:") ? "xml:" : ""}${file}`;
    return JUNIT_FLAG.test(words[at - 1] ?? "") ? file : word;
  });
}

function reportOf(kind: RunnerKind, folder: string, workingFolder: string): TestReport {
  const report = parse(kind, folder);
  return {
    runner: kind,
    channel: "plain",
    tests: withIds(workingFolder, report.tests),
    isComplete: report.isComplete,
    canary: "absent",
    problems: report.problems,
  };
}

/** Never throws: what cannot be read shows nothing. */
function parse(kind: RunnerKind, folder: string): PlainReport {
  try {
    const text = readPlainFile(join(folder, kind === "junit" ? JUNIT_FILE : OUTPUT));
    return isPlain(kind) ? PARSERS[kind](text) : { tests: [], isComplete: false, problems: [] };
  } catch (error) {
    return { tests: [], isComplete: false, problems: [`its report cannot be read: ${messageOf(error)}`] };
  }
}
