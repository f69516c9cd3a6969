/** `package.json` by key: what decides what checks do is the base's, the rest the candidate's. */
import { canonicalJson } from "../../core/contract/canonical.ts";
import type { KeyedChange } from "./keyed-change.ts";

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
/** Run by whoever installs it. */
const LIFECYCLE: ReadonlySet<string> = new Set([
  ...["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"],
  ...["prepack", "postpack", "prepublishOnly", "dependencies"],
]);

type Manifest = Readonly<Record<string, unknown>>;

/** What of a changed `package.json` counts, and what there is to say about it. */
export function compareManifests(base: string, candidate: string): KeyedChange {
  const [before, after] = [parse(base), parse(candidate)];
  if (before === undefined) return { forChecks: "base", problem: "it was no JSON object on the base" };
  if (after === undefined) return { forChecks: "base", problem: "it is no JSON object" };
  const changed = DECIDING.filter((key) => canonicalJson([before[key]]) !== canonicalJson([after[key]]));
  const noted = NOTED.filter((key) => canonicalJson([before[key]]) !== canonicalJson([after[key]]));
  const note = noted.length === 0 ? {} : { note: `changed: ${noted.join(", ")}` };
  if (changed.length === 0) return { forChecks: "candidate", problem: null, ...note };
  const serious = changed.flatMap((key) => seriousOf(key, before[key], after[key]));
  return {
    forChecks: Buffer.from(`${JSON.stringify(composed(before, after), null, indentOf(base))}\n`),
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
