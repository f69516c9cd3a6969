/** Medians and spreads of what was measured. */

/** The value in the middle; the mean of the two in the middle for an even number of them. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the neighbours. @param fraction - 0 for the least, 1 for the greatest */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const place = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Two things measured side by side, once per repetition. */
export interface Pair {
  readonly ours: number;
  readonly baseline: number;
}

/** Medians of both sides, and of the ratios of each repetition: what slows the machine down slows both. */
export interface PairSummary {
  readonly ours: number;
  readonly baseline: number;
  readonly ratio: number;
  /** Half of all repetitions lie between these. */
  readonly spread: readonly [number, number];
}

/** @returns what the pairs have in common */
export function summarizePairs(pairs: readonly Pair[]): PairSummary {
  const ratios = pairs.map(({ ours, baseline }) => ours / baseline);
  return {
    ours: median(pairs.map((pair) => pair.ours)),
    baseline: median(pairs.map((pair) => pair.baseline)),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}
