/**
 * Tests whose ids name no file (TAP, Go), and files of tests that a person looks at. By the names nobody can tell which
 * tests are whose, so the others are held apart: what the base reports *without* those files has to be reported by the
 * candidate without them, too. Everything in such a base run is the base's own; where it tells nothing, nothing is
 * excused.
 */
import { posix } from "node:path";
import type { ComposedEntry } from "../workspace/contract.ts";
import { learnTests } from "./base-runs.ts";
import type { TestReport, TreeReader } from "./contract.ts";
import { type BaseRecord, type CheckResult, isFileless, type Judgement } from "./gates.ts";
import { idMatcher } from "./test-ids.ts";

const SCRIPT = /\.[cm]?[jt]sx?$/;
/** Loads what its text does not name. */
const LOADS_ANY =
  /\breaddir|\bglob|\brequire\.context\b|\b(?:require|import)\s*\(\s*(?!["'`][^"'`$]*["'`]\s*\))/;
const ENDINGS: readonly string[] = [
  "",
  ".js",
  ".cjs",
  ".mjs",
  ".ts",
  ".cts",
  ".mts",
  "/index.js",
  "/index.ts",
];

/** The base's tests that are none of the looked-at files'; or why nobody can tell. */
export type Apart =
  | { readonly record: BaseRecord; readonly problem: null }
  | { readonly record: null; readonly problem: string };

/** Is a run held to have lost tests, of which some may be those of looked-at files? */
export function mayBeExcused({ status, gate }: Judgement, base: BaseRecord): boolean {
  return status === "unmet" && isFileless(base) && (gate === "base-tests" || gate === "earned-tests");
}

/**
 * The tree without what is in these files: scripts are empty, so that a command that names them goes on, and others
 * are gone. Undefined: none of them has anything in it.
 */
export async function entriesWithout(
  tree: TreeReader,
  paths: ReadonlySet<string>,
): Promise<readonly ComposedEntry[] | undefined> {
  const items = await tree.list();
  const meant = items.filter(({ path }) => paths.has(path));
  if (meant.length === 0) return undefined;
  return items.flatMap((item): ComposedEntry[] => {
    if (!paths.has(item.path)) return [item];
    const { path, mode } = item;
    return SCRIPT.test(path) ? [{ path, mode, content: Buffer.alloc(0) }] : [];
  });
}

/** A file that loads others stands for their tests, too; without it they would be taken for its own. */
export async function whatLoadsOthers(base: TreeReader, paths: ReadonlySet<string>): Promise<string | null> {
  const all = new Set((await base.list()).map(({ path }) => path));
  for (const path of paths) {
    if (!SCRIPT.test(path) || !all.has(path)) continue;
    const text = (await base.read(path))?.toString("utf8") ?? "";
    if (LOADS_ANY.test(text)) return `${path} may load other files of tests`;
    const named = [...text.matchAll(/["'`](\.{1,2}\/?[^"'`\n]*)["'`]/g)].map(([, name = ""]) =>
      posix.join(posix.dirname(path), name),
    );
    const others = named
      .flatMap((name) => ENDINGS.map((ending) => name + ending))
      .filter((each) => all.has(each));
    const beside = others.find((other) => other !== path && isBeside(other, path));
    if (beside !== undefined) return `${path} loads ${beside}`;
  }
  return null;
}

/** Sources are elsewhere; what is in the folder of a test, or below, may hold tests itself. */
function isBeside(other: string, path: string): boolean {
  const folder = posix.dirname(path);
  return SCRIPT.test(other) && (folder === "." ? /test|spec/i.test(other) : other.startsWith(`${folder}/`));
}

/** @param results - of the base without those files @param exempt - patterns of ids that a person has exempted */
export function recordApart(
  base: BaseRecord,
  results: readonly CheckResult[],
  exempt: readonly string[],
): Apart {
  const reports = results.flatMap(({ report }): TestReport[] => (report === null ? [] : [report]));
  const known = new Set([...base.failing, ...base.exempt]);
  const isSound = results.every((result) => isTelling(result, known));
  if (!isSound || reports.length !== results.length)
    return { record: null, problem: "the base does not run without them" };
  const tests = learnTests(reports);
  const isExempt = idMatcher(exempt);
  const failing = tests.failing.filter((id) => !isExempt(id));
  const record: BaseRecord = {
    ...base,
    passing: tests.passing.filter((id) => !isExempt(id)),
    failing: base.role === "earn" ? failing : [],
    exempt: new Set([
      ...(base.role === "earn" ? [] : failing),
      ...[...tests.passing, ...tests.failing].filter(isExempt),
      ...tests.flaking,
    ]),
    unstable: 0,
  };
  return { record, problem: null };
}

/** It came to its end, and nothing fails in it that did not before: no file was missed by another one. */
function isTelling({ run, report, fault }: CheckResult, known: ReadonlySet<string>): boolean {
  if (fault !== null || report === null || run.ending !== "exited" || report.problems.length > 0)
    return false;
  const failed = report.tests.filter(({ status }) => status === "failed");
  if (report.tests.length === 0) return run.exit_code === 0;
  const isExplained = run.exit_code === 0 || failed.length > 0;
  return report.isComplete && isExplained && failed.every(({ id }) => known.has(id));
}

/** What is asked of the whole run: the tests that are none of the looked-at files'. */
export function withoutLookedAt(base: BaseRecord, apart: BaseRecord): BaseRecord {
  const [passing, failing] = [new Set(apart.passing), new Set(apart.failing)];
  return {
    ...base,
    passing: base.passing.filter((id) => passing.has(id)),
    failing: base.failing.filter((id) => failing.has(id)),
  };
}

/** Is there any test left to be asked for by itself? */
export function hasTests({ passing, failing }: BaseRecord): boolean {
  return passing.length + failing.length > 0;
}
