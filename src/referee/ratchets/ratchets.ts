/**
 * What must not get worse from base to candidate where nothing is protected: tests that nobody's globs name, what
 * silences tools, configuration, code that only stands for code, clocks. Protected paths are not spoken of again.
 */
import type { Finding } from "../../core/contract/contract.ts";
import { REGISTRY_CONFIG_GLOBS } from "../../environment/contract.ts";
import type { Ratchet, RunnerMatch } from "../contract.ts";
import { Difference } from "../tree/difference.ts";
import { finding } from "../tree/finding.ts";
import { matcherOf } from "../tree/globs.ts";
import { isInTestFolder, testFileMatcher } from "../tree/test-files.ts";
import { measuresTime, replacedClocksIn } from "./clocks.ts";
import { compareTests, describeLosses, isNoLoss } from "./compare-tests.ts";
import { looseningsIn } from "./configuration-files.ts";
import { healthOf, type Pair } from "./health.ts";
import { placeholdersIn } from "./placeholders.ts";
import { type Suppressions, suppressionsIn, WHOLE_FILE } from "./suppressions.ts";
import { SOURCE_LENGTH_MAX } from "./syntax.ts";
import { testShapeOf } from "./test-shape.ts";

/** So many more may be there before a person is asked. */
const SUPPRESSIONS_ALLOWED = 3;
const EXCEPTIONS_ALLOWED = 2;
/** Files of tests that are read for what they measure. */
const MEASURING_FILES_MAX = 100;

/** All ratchets. */
export const ratchet: Ratchet = async (base, candidate, changed, matches) => {
  const difference = await Difference.of(base, candidate);
  const isProtected = protectedBy(matches);
  const isTestFile = testFileMatcher(matches);
  const pairs: Pair[] = [];
  for (const { path } of changed.filter((each) => !isProtected(each.path))) {
    const [before, after] = [await difference.text("base", path), await difference.text("candidate", path)];
    if ((before ?? after) === undefined) continue;
    const pair = { path, before: before ?? "", after: after ?? "" };
    if (pair.before.length <= SOURCE_LENGTH_MAX && pair.after.length <= SOURCE_LENGTH_MAX) pairs.push(pair);
  }
  const sources = pairs.filter(({ path }) => !isTestFile(path));
  return [
    ...pairs.filter(({ path }) => isTestFile(path)).flatMap((pair) => lostTests(pair, difference)),
    ...moreSuppressions(sources),
    ...looserConfiguration(pairs),
    ...sources.flatMap(morePlaceholders),
    ...healthOf(sources),
    ...sources.filter(({ path }) => !isInTestFolder(path)).flatMap(moreClocks),
    ...(await measuringTests(difference, isTestFile)),
  ];
};

/** Code under test and tests have one clock between them. Tests may put it forward; what they test may not. */
function moreClocks({ path, before, after }: Pair): Finding[] {
  const known = new Set(replacedClocksIn(path, before));
  const fresh = [...new Set(replacedClocksIn(path, after))].filter((clock) => !known.has(clock));
  if (fresh.length === 0) return [];
  return [finding("clocks", path, "review", `it puts another clock in the place of ${fresh.join(", ")}`)];
}

/** Said of every verdict that rests on them: a clock can be set in ways that nobody sees in a source. */
async function measuringTests(
  difference: Difference,
  isTestFile: (path: string) => boolean,
): Promise<Finding[]> {
  const files = [...difference.base.keys()].filter(isTestFile).slice(0, MEASURING_FILES_MAX);
  const findings: Finding[] = [];
  for (const path of files) {
    if (measuresTime((await difference.text("base", path)) ?? ""))
      findings.push(finding("clocks", path, "note", "it measures time"));
  }
  return findings;
}

function protectedBy(matches: readonly RunnerMatch[]): (path: string) => boolean {
  const isGlobbed = matcherOf([...REGISTRY_CONFIG_GLOBS, ...matches.flatMap(({ protects }) => protects)]);
  // Of these only parts are protected.
  const isShared = /(^|\/)(package\.json|pyproject\.toml|setup\.cfg|tox\.ini|Cargo\.toml)$/;
  return (path) => isGlobbed(path) && !isShared.test(path);
}

function lostTests({ path, before, after }: Pair, { base, candidate }: Difference): Finding[] {
  if (!base.has(path)) return [];
  if (!candidate.has(path)) return [finding("tests", path, "review", "tests removed: the whole file")];
  const [old, now] = [testShapeOf(path, before), testShapeOf(path, after)];
  if (old === undefined || now === undefined) return [finding("tests", path, "review", "tests changed")];
  const losses = compareTests(old, now);
  return isNoLoss(losses) ? [] : [finding("tests", path, "review", describeLosses(losses))];
}

/** Counted over all files: code may move. */
function moreSuppressions(pairs: readonly Pair[]): Finding[] {
  const rises = pairs.map(({ path, before, after }) => ({
    path,
    rise: riseOf(suppressionsIn(path, before), suppressionsIn(path, after)),
  }));
  const total = rises.flatMap(({ rise }) => [...rise.values()]).reduce((sum, each) => sum + each, 0);
  if (total <= 0) return [];
  return rises.flatMap(({ path, rise }) => {
    const more = [...rise].filter(([, count]) => count > 0);
    if (more.length === 0) return [];
    const isMuch = total > SUPPRESSIONS_ALLOWED || (rise.get(WHOLE_FILE) ?? 0) > 0;
    const detail = more.map(([name, count]) => `${count} more ${name}`).join(", ");
    return [finding("suppressions", path, isMuch ? "review" : "note", detail)];
  });
}

function riseOf(before: Suppressions, after: Suppressions): ReadonlyMap<string, number> {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return new Map(names.map((name) => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)]));
}

function looserConfiguration(pairs: readonly Pair[]): Finding[] {
  const all = pairs
    .filter(({ before }) => before !== "")
    .map(({ path, before, after }) => ({ path, looser: looseningsIn(path, before, after) ?? [] }));
  const exceptions = all.flatMap(({ looser }) => looser).filter(({ isSerious }) => !isSerious).length;
  return all.flatMap(({ path, looser }) => {
    if (looser.length === 0) return [];
    const isMuch = exceptions > EXCEPTIONS_ALLOWED || looser.some(({ isSerious }) => isSerious);
    const detail = looser.map((each) => `${each.key}: ${each.detail}`).join("\n");
    return [finding("configuration", path, isMuch ? "review" : "note", detail)];
  });
}

function morePlaceholders({ path, before, after }: Pair): Finding[] {
  const known = placeholdersIn(path, before).map((each) => JSON.stringify(each));
  const fresh = placeholdersIn(path, after).filter((each) => {
    const at = known.indexOf(JSON.stringify(each));
    if (at !== -1) known.splice(at, 1);
    return at === -1;
  });
  if (fresh.length === 0) return [];
  const whole = fresh.filter(({ isWhole }) => isWhole);
  const names = (whole.length > 0 ? whole : fresh).map(({ name }) => name || "a part of the file");
  const what = whole.length > 0 ? "functions that do nothing but say so" : "code that is not there yet";
  return [
    finding("placeholders", path, whole.length > 0 ? "review" : "note", `${what}: ${names.join(", ")}`),
  ];
}
