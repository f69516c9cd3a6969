/** From the records of a run to what is known of its tests. */
import { posix } from "node:path";
import type { RunnerKind, TestReport, TestResult } from "../contract.ts";
import { childKey, type ProcessRecord, type RecordLine, readRecord } from "./record.ts";

const PROBLEMS_MAX = 50;
const SEPARATOR = " › ";

/** What is read. */
export interface RunRecords {
  readonly runner: RunnerKind;
  /** The exchange folder, outside. */
  readonly exchange: string;
  /** The check's folder, relative to the workspace. */
  readonly folder: string;
  readonly key: Buffer;
}

/** A test before it has its id. */
export interface NamedTest {
  /** Relative to the check's folder. */
  readonly file: string;
  readonly path: readonly string[];
  readonly status: TestResult["status"];
}

type LineOf<Type extends RecordLine["type"]> = Extract<RecordLine, { readonly type: Type }>;

function linesOf<Type extends RecordLine["type"]>(
  record: ProcessRecord,
  type: Type,
): readonly LineOf<Type>[] {
  return record.lines.filter((line): line is LineOf<Type> => line.type === type);
}

function hasEnded(record: ProcessRecord): boolean {
  return record.problems.length === 0 && record.lines.at(-1)?.type === "end";
}

/** Reads all records of a run, from the main one downwards. Never throws for what they hold. */
export function reportOf(run: RunRecords): TestReport {
  const main = readRecord(run.exchange, "main", run.key);
  const read = ({ id }: { readonly id: string }): ProcessRecord =>
    readRecord(run.exchange, id, childKey(run.key, id));
  const children = linesOf(main, "child").map((child) => ({ file: child.file, record: read(child) }));
  // One that never came to a test has nothing to say; one that was deleted will be missed by what it had to confirm.
  const workers = linesOf(main, "worker")
    .map(read)
    .filter(({ isMissing }) => !isMissing);
  const all = [main, ...children.map(({ record }) => record), ...workers];
  const problems = all.flatMap((each) => [
    ...each.problems,
    ...linesOf(each, "problem").map(({ message }) => message),
  ]);
  const own = linesOf(main, "test");
  const tests = [
    ...own.map((line) => ({ ...line, file: line.file ?? "" })),
    ...children.flatMap(({ file, record }) => testsOfFile(main, file, record)),
  ];
  problems.push(...unconfirmed(own, [main, ...workers]));
  // Nobody but the process that ran them could say so with a key: a runner in a browser, or one of the project's own.
  const isPlain = own.some(({ status, confirm }) => status === "passed" && confirm === false);
  return {
    runner: run.runner,
    channel: isPlain ? "plain" : "authenticated",
    tests: withIds(run.folder, tests),
    isComplete: hasEnded(main) && children.every(({ record }) => hasEnded(record)),
    canary: isPlain && all.every((each) => linesOf(each, "canary").length === 0) ? "absent" : canaryOf(all),
    problems: problems.slice(0, PROBLEMS_MAX),
  };
}

/** A file of `node --test`; without tests in it, the file is the test, and so is one that fails outside of its tests. */
function testsOfFile(main: ProcessRecord, file: string, record: ProcessRecord): readonly NamedTest[] {
  const code = linesOf(main, "exited").find(({ id }) => id === record.id)?.code;
  const tests = linesOf(record, "test").map((line) => ({ ...line, file: line.file ?? file }));
  const hasFailed = tests.some(({ status }) => status === "failed");
  if (tests.length > 0 && (code === 0 || hasFailed)) return tests;
  // A script that has ended itself has shown something else than one that has come to its end.
  const isNatural = linesOf(record, "end").at(-1)?.natural === true;
  const path =
    file === ""
      ? ["outside of the tests"]
      : isNatural || tests.length > 0 || code !== 0
        ? []
        : ["ended itself"];
  return [...tests, { file, path, status: code === 0 ? "passed" : "failed" }];
}

/** A process that was ended in the middle of something has shown nothing since it was last done. */
function settledLines(record: ProcessRecord): readonly LineOf<"seen">[] {
  const last = record.lines.findLastIndex(({ type }) => type === "settled");
  return record.lines.slice(0, last + 1).filter((line) => line.type === "seen");
}

/** What the main process has been told has to be what the processes that ran the tests have seen. */
function unconfirmed(
  told: readonly LineOf<"test">[],
  witnesses: readonly ProcessRecord[],
): readonly string[] {
  const name = ({ file, path }: LineOf<"test" | "seen">): string => [file ?? "", ...path].join("\0");
  const seen = new Map<string, number>();
  for (const line of witnesses.flatMap(settledLines)) {
    if (line.status === "passed") seen.set(name(line), (seen.get(name(line)) ?? 0) + 1);
  }
  const problems: string[] = [];
  for (const line of told.filter(({ status, confirm }) => status === "passed" && confirm === true)) {
    const count = seen.get(name(line)) ?? 0;
    seen.set(name(line), count - 1);
    if (count > 0) continue;
    problems.push(
      `${[line.file, ...line.path].join(SEPARATOR)}: told as passed, but the process that ran it has not seen that`,
    );
  }
  return problems;
}

function canaryOf(records: readonly ProcessRecord[]): TestReport["canary"] {
  const canaries = records.flatMap((each) => linesOf(each, "canary"));
  if (canaries.some(({ survivors }) => survivors !== "")) return "passed";
  const isMissing = records.some(
    (each) =>
      (linesOf(each, "seen").length > 0 ||
        linesOf(each, "test").some(({ confirm }) => confirm === undefined)) &&
      linesOf(each, "canary").length === 0,
  );
  return isMissing || canaries.length === 0 ? "missing" : "failed as it must";
}

/** Gives each test its id. Of several with the same names, the later ones are numbered. */
export function withIds(folder: string, tests: readonly NamedTest[]): readonly TestResult[] {
  const counts = new Map<string, number>();
  return tests.map((test) => {
    const file = test.file === "" ? "" : posix.join(folder, test.file);
    const name = [...(file === "" ? [] : [file]), ...test.path].map(plain).join(SEPARATOR);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { id: count === 1 ? name : `${name} (${count})`, file, status: test.status };
  });
}

/** On one line, whatever somebody has called it. */
function plain(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return name.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ");
}
