/** How fast people have decided about changes of files: approving that has become a habit shows in it. */
import type { Approval } from "../contract/account.ts";

/** Of the decisions about changes. */
export interface Pace {
  readonly count: number;
  /** Most that fell into one hour. */
  readonly mostInAnHour: number;
  /** What each had for itself, since it was asked or the decision before it: half of them had no more. */
  readonly medianMs: number;
}

const HOUR_MS = 3_600_000;

/** Null where there are not two to compare. */
export function paceOf(approvals: readonly Pick<Approval, "at" | "askedAt">[]): Pace | null {
  const decided = approvals.flatMap(({ at, askedAt }) => (askedAt === null ? [] : [{ at, askedAt }]));
  if (decided.length < 2) return null;
  const times = decided
    .map(({ at, askedAt }, index) => Math.max(0, at - Math.max(askedAt, decided[index - 1]?.at ?? 0)))
    .toSorted((left, right) => left - right);
  const inHourOf = (start: number): number =>
    decided.filter(({ at }) => at >= start && at < start + HOUR_MS).length;
  return {
    count: decided.length,
    mostInAnHour: Math.max(...decided.map(({ at }) => inHourOf(at))),
    medianMs: times[Math.floor((times.length - 1) / 2)] ?? 0,
  };
}
