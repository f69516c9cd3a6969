import { readFileSync } from "node:fs";

/** How many checks passed, failed and were skipped. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Adds up counts. */
export function sumCounts(all: readonly Counts[]): Counts {
  return all.reduce(
    (sum, next) => ({
      passed: sum.passed + next.passed,
      failed: sum.failed + next.failed,
      skipped: sum.skipped + next.skipped,
    }),
    NO_COUNTS,
  );
}

/** The one line that every suite ends with; `.ci/run` reads it back. */
export function formatCounts(counts: Counts): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}

/** Reads what a suite wrote down; one that failed without a failed check (a crash) counts as a failure. */
export function readCounts(path: string, succeeded: boolean): Counts {
  const counts = parseCounts(path);
  if (counts === undefined) return { ...NO_COUNTS, failed: 1 };
  return succeeded ? counts : { ...counts, failed: Math.max(1, counts.failed) };
}

function parseCounts(path: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Counts;
  } catch {
    return undefined;
  }
}
