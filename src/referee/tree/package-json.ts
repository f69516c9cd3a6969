/** `package.json` by key: what decides what checks do is the base's, the rest the candidate's. */
import { canonicalJson } from "../../core/contract/canonical.ts";
import type { KeyedChange } from "./keyed-change.ts";
import { LIFECYCLE } from "./script-reach.ts";

/** Commands, how modules are found and read, and configuration of test runners. */
const DECIDING: readonly string[] = [
  ...["scripts", "type", "name", "workspaces"],
  ...["jest", "mocha", "ava", "c8", "nyc", "babel", "vitest", "tap", "tape", "xo", "config"],
];
/** How its modules are found by others, and by its own tests. */
const NOTED: readonly string[] = [
  "imports",
  "exports",
  "main",
  "module",
  "browser",
  "overrides",
  "resolutions",
];

type Manifest = Readonly<Record<string, unknown>>;

/**
 * What of a changed `package.json` counts, and what there is to say about it.
 * @param isReached - does a check come to the script of this name?
 */
export function compareManifests(
  base: string,
  candidate: string,
  isReached: (script: string) => boolean,
): KeyedChange {
  const [before, after] = [parse(base), parse(candidate)];
  if (before === undefined) return { forChecks: "base", problem: "it was no JSON object on the base" };
  if (after === undefined) return { forChecks: "base", problem: "it is no JSON object" };
  const forChecks: Manifest = { ...before, scripts: scriptsForChecks(before, after, isReached) };
  const changed = DECIDING.filter((key) => canonicalJson([forChecks[key]]) !== canonicalJson([after[key]]));
  const noted = NOTED.filter((key) => canonicalJson([before[key]]) !== canonicalJson([after[key]]));
  const note = noted.length === 0 ? {} : { note: `changed: ${noted.join(", ")}` };
  if (changed.length === 0) return { forChecks: "candidate", problem: null, ...note };
  const serious = changed.flatMap((key) => seriousOf(key, forChecks[key], after[key]));
  return {
    forChecks: Buffer.from(`${JSON.stringify(composed(forChecks, after), null, indentOf(base))}\n`),
    problem: serious.length === 0 ? null : `changed: ${serious.join(", ")}`,
    ...note,
  };
}

function parse(text: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Manifest {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In the order of the candidate; keys that only the base has come last. */
function composed(before: Manifest, after: Manifest): Manifest {
  const keys = [...Object.keys(after), ...DECIDING.filter((key) => !Object.hasOwn(after, key))];
  const entries = keys.map((key): [string, unknown] => [key, (DECIDING.includes(key) ? before : after)[key]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The base's scripts that checks come to, and of the others the candidate's, in its order. */
function scriptsForChecks(
  { scripts: before }: Manifest,
  { scripts: after }: Manifest,
  isReached: (script: string) => boolean,
): Manifest | undefined {
  const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  const names = [...new Set([...Object.keys(now), ...Object.keys(old)])];
  const entries = names.flatMap((name): [string, unknown][] => {
    const owner = isReached(name) ? old : now;
    return Object.hasOwn(owner, name) ? [[name, owner[name]]] : [];
  });
  return entries.length === 0 && after === undefined ? undefined : Object.fromEntries(entries);
}

function indentOf(text: string): string {
  return /^\s*\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
}

/** What of one key is more than an addition that changes nothing of what was there. */
function seriousOf(key: string, before: unknown, after: unknown): string[] {
  if (key === "scripts" && isObject(after)) return seriousScripts(isObject(before) ? before : {}, after);
  if (key === "workspaces" && Array.isArray(before) && Array.isArray(after))
    return before.every((each) => after.includes(each)) ? [] : [key];
  return [key];
}

function seriousScripts(before: Manifest, after: Manifest): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => before[name] !== after[name])
    .filter((name) => Object.hasOwn(before, name) || LIFECYCLE.has(name) || isHook(name, before))
    .map((name) => `scripts.${name}`);
}

/** Runs before or after a script that was there. */
function isHook(name: string, scripts: Manifest): boolean {
  const [, script = ""] = /^(?:pre|post)(.+)$/.exec(name) ?? [];
  return (
    Object.hasOwn(scripts, script) ||
    ["test", "start", "stop", "restart", "version", "publish"].includes(script)
  );
}
