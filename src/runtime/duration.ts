/** Lengths of time as people write them. */

/** A whole number and a unit. */
export const DURATION_PATTERN = /^[1-9]\d{0,8}(ms|s|m|h|d)$/;

/** The longest that a timer can wait, rounded. */
export const DURATION_MAX_MS = 2_000_000_000;

const UNIT_MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `"500ms"`, `"90s"`, `"10m"`, `"2h"` or `"1d"`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  const [, count, unit] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
  return Number(count) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
}
