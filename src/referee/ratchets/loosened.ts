/** Configuration by key: what demands less than it did. */

/** One of it. */
export interface Loosening {
  /** Keys with dots between. */
  readonly key: string;
  readonly detail: string;
  /** A rule, a threshold or strictness; else a list of exceptions that grew. */
  readonly isSerious: boolean;
}

/** Where true demands less. */
const INVERTED =
  /^(skipLibCheck|suppress\w*|allowUnreachableCode|allowUnusedLabels|ignore_\w+|allow_\w+|follow_untyped_imports|skip_\w+|passWithNoTests|noEmit\w*Error)$/i;
const EXCEPTIONS =
  /(ignore\w*|exclude\w*|omit|disable\w*|per-file-ignores|skip\w*|exempt\w*|allow\w*|exclude_lines|exclude_also)$/i;
const DEMANDS = /^(include\w*|files|select|extend-select|enable\w*|plugins|extends|source)$/i;
const THRESHOLD =
  /^(lines|branches|functions|statements|fail_under|fail-under|threshold\w*|global|autofail|target|min\w*)$/i;
const DEPTH_MAX = 30;

type Values = Readonly<Record<string, unknown>>;

/** Compares two configurations of the same kind. */
export function looseningsOf(before: unknown, after: unknown): Loosening[] {
  return compare("", before, after, 0);
}

function compare(key: string, before: unknown, after: unknown, depth: number): Loosening[] {
  if (depth > DEPTH_MAX) return [{ key, detail: "it is too deep to be compared", isSerious: true }];
  if (Array.isArray(before) || Array.isArray(after)) return compareLists(key, asList(before), asList(after));
  if (!isValues(before) && !isValues(after)) return compareValues(key, before, after);
  const [old, now] = [isValues(before) ? before : {}, isValues(after) ? after : {}];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...names].flatMap((name) =>
    compare(key === "" ? name : `${key}.${name}`, old[name], now[name], depth + 1),
  );
}

function compareLists(key: string, before: readonly unknown[], after: readonly unknown[]): Loosening[] {
  const severity = compareValues(key, before[0], after[0]);
  if (severity.length > 0 && key.includes("rules")) return severity;
  const name = lastOf(key);
  const added = difference(after, before);
  if (EXCEPTIONS.test(name) && added.length > 0)
    return [{ key, detail: `more exceptions: ${added.join(", ")}`, isSerious: false }];
  const removed = difference(before, after);
  if (DEMANDS.test(name) && removed.length > 0 && before.length > 0)
    return [{ key, detail: `no longer: ${removed.join(", ")}`, isSerious: true }];
  return [];
}

function compareValues(key: string, before: unknown, after: unknown): Loosening[] {
  if (before === after) return [];
  const name = lastOf(key);
  const change = `${JSON.stringify(before) ?? "absent"} → ${JSON.stringify(after) ?? "absent"}`;
  const isRule = /(^|\.)rules(\.|$)/.test(key);
  if (typeof before === "number" && THRESHOLD.test(name) && !isRule) {
    const isLower = typeof after !== "number" || after < before;
    return isLower ? [{ key, detail: change, isSerious: true }] : [];
  }
  const [old, now] = [demandOf(before, isRule), demandOf(after, isRule)];
  if (old === undefined && now === undefined) return [];
  const isLess = INVERTED.test(name)
    ? after === true
    : (old ?? (now === 0 ? 1 : 0)) > (now ?? (old === 2 ? 0 : 2));
  return isLess ? [{ key, detail: change, isSerious: true }] : [];
}

/** 2 for what is an error, 1 for a warning, 0 for what is off; undefined when it is no such value. */
function demandOf(value: unknown, isRule: boolean): number | undefined {
  if (value === true || value === "error" || value === "on" || (isRule && value === 2)) return 2;
  if (value === "warn" || value === "info" || (isRule && value === 1)) return 1;
  if (value === false || value === "off" || value === "none" || (isRule && value === 0)) return 0;
  return undefined;
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

function difference(of: readonly unknown[], without: readonly unknown[]): string[] {
  const known = new Set(without.map((each) => JSON.stringify(each)));
  return of.map((each) => JSON.stringify(each)).filter((each) => !known.has(each));
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
