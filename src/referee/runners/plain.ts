/**
 * Reports of runners that have no reporter of the harness's: read from what was printed or written where tests can
 * write too, and so of less weight.
 */
import { XMLParser } from "fast-xml-parser";
import { type EventLog, Parser, type Result } from "tap-parser";
import type { TestResult } from "../contract.ts";
import type { NamedTest } from "./report.ts";

/** What a text shows. */
export interface PlainReport {
  readonly tests: readonly NamedTest[];
  readonly isComplete: boolean;
  readonly problems: readonly string[];
}

const NESTING_MAX = 100;

/** TAP, as `tape` and `tap` print it. Comments before assertions are the names of what they belong to. */
export function parseTap(text: string): PlainReport {
  const tests: NamedTest[] = [];
  const problems: string[] = [];
  let isComplete = false;
  const walk = (log: EventLog, above: readonly string[], depth: number): void => {
    let group: readonly string[] = [];
    for (const [type, value] of log) {
      if (type === "comment") group = [value.replace(/^#\s*(Subtest:)?/, "").trim()];
      if (type === "child" && depth < NESTING_MAX)
        walk(value, depth === 0 ? [] : [...above, ...group], depth + 1);
      // After its own tests, a test is named beside them.
      if (type === "assert")
        tests.push(tapTest(value, depth === 0 && value.closingTestPoint ? [] : [...above, ...group]));
      if (type === "bailout") problems.push("it bailed out");
      if (type === "complete" && depth === 0) isComplete = value.plan.end === value.count;
    }
  };
  walk(Parser.parse(text), [], 0);
  return { tests, isComplete: isComplete && tests.length > 0 && problems.length === 0, problems };
}

function tapTest({ ok, name, skip, todo }: Result, above: readonly string[]): NamedTest {
  const isSkipped = Boolean(skip) || Boolean(todo);
  return { file: "", path: [...above, name], status: isSkipped ? "skipped" : ok ? "passed" : "failed" };
}

interface GoEvent {
  readonly Action?: string;
  readonly Package?: string;
  readonly Test?: string;
}

const GO_STATUS: Readonly<Record<string, TestResult["status"]>> = {
  pass: "passed",
  fail: "failed",
  skip: "skipped",
};

/** The lines of `go test -json`. A package that fails without a failing test is a failed test itself. */
export function parseGo(text: string): PlainReport {
  const tests: NamedTest[] = [];
  const open = new Set<string>();
  let packages = 0;
  for (const { Action = "", Package: name = "", Test } of text.split("\n").flatMap(goEvent)) {
    const status = GO_STATUS[Action];
    if (status === undefined) {
      if (name !== "") open.add(name);
    } else if (Test !== undefined) {
      tests.push({ file: "", path: [name, ...Test.split("/")], status });
    } else {
      packages += 1;
      open.delete(name);
      const isBroken =
        status === "failed" && !tests.some(({ path, status: each }) => path[0] === name && each === "failed");
      if (isBroken) tests.push({ file: "", path: [name], status });
    }
  }
  return { tests, isComplete: packages > 0 && open.size === 0, problems: [] };
}

function goEvent(line: string): readonly GoEvent[] {
  if (!line.startsWith("{")) return [];
  try {
    return [JSON.parse(line) as GoEvent];
  } catch {
    return [];
  }
}

const CARGO_STATUS: Readonly<Record<string, TestResult["status"]>> = {
  ok: "passed",
  FAILED: "failed",
  ignored: "skipped",
};

/** What `cargo test` prints: for each program a number of tests, a line for each, and a summary. */
export function parseCargo(text: string): PlainReport {
  const tests: NamedTest[] = [];
  let program = "";
  let [announced, summaries, programs] = [0, 0, 0];
  for (const line of text.split("\n")) {
    program = /^\s+Running (?:unittests )?(\S+)/.exec(line)?.[1] ?? program;
    program = /^\s+Doc-tests (\S+)/.exec(line)?.[1] ?? program;
    const count = /^running (\d+) tests?$/.exec(line)?.[1];
    if (count !== undefined) {
      announced += Number(count);
      programs += 1;
    }
    if (/^test result: (?:ok|FAILED)\./.test(line)) summaries += 1;
    const [, name = "", ending = ""] =
      /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b/.exec(line) ?? [];
    const status = CARGO_STATUS[ending];
    if (status !== undefined) tests.push({ file: "", path: [program, ...name.split("::")], status });
  }
  return {
    tests,
    isComplete: programs > 0 && programs === summaries && announced === tests.length,
    problems: [],
  };
}

/** One element of a JUnit file, as the parser gives it. */
interface Element {
  readonly name?: string;
  readonly classname?: string;
  readonly file?: string;
  readonly testsuite?: readonly Element[];
  readonly testcase?: readonly Element[];
  readonly failure?: unknown;
  readonly error?: unknown;
  readonly skipped?: unknown;
}

/** A JUnit file: suites in suites, with test cases in them. */
export function parseJunit(text: string): PlainReport {
  const parser = new XMLParser({
    ...{
      ignoreAttributes: false,
      attributeNamePrefix: "",
      parseAttributeValue: false,
      processEntities: true,
    },
    isArray: (name) => name === "testsuite" || name === "testcase",
  });
  let root: { readonly testsuites?: Element | ""; readonly testsuite?: readonly Element[] };
  try {
    root = parser.parse(text, true) as typeof root;
  } catch (error) {
    return { tests: [], isComplete: false, problems: [`its JUnit file cannot be read: ${String(error)}`] };
  }
  const tests: NamedTest[] = [];
  const walk = (element: Element, above: readonly string[], depth: number): void => {
    for (const each of element.testcase ?? []) {
      const names = [...above, ...(each.classname ? [each.classname] : []), each.name ?? ""];
      const hasFailed = each.failure !== undefined || each.error !== undefined;
      const status = hasFailed ? "failed" : each.skipped !== undefined ? "skipped" : "passed";
      tests.push({ file: each.file ?? "", path: names.filter((name, at) => name !== names[at - 1]), status });
    }
    if (depth > NESTING_MAX) return;
    for (const suite of element.testsuite ?? [])
      walk(suite, [...above, ...(suite.name ? [suite.name] : [])], depth + 1);
  };
  const top = root.testsuites === undefined ? root : root.testsuites;
  if (typeof top === "object") walk(top, [], 0);
  return { tests, isComplete: top !== undefined && tests.length > 0, problems: [] };
}
