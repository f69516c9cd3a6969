/** Counts what many simulations have met. */
import { EXCLUDED_PAIRS, PAIRS, type Pair } from "./pairs.ts";
import type { SeedReport } from "./seeds.ts";

/** Strikes that a pair needs to count as covered. */
const STRIKES_WANTED = 50;
/** A run of so many seeds must cover every pair; a shorter one tells how many it has covered. */
const FULL_RUN_SEEDS = 5000;

/** What `--json` prints. */
export interface Summary {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly runsPerSeed: number;
  readonly events: number;
  readonly steps: number;
  readonly crashes: number;
  readonly strikes: number;
  readonly violations: number;
  readonly failingSeeds: readonly number[];
  readonly pairs: number;
  readonly pairsCovered: number;
  readonly pairsExcluded: number;
  readonly leastCovered: readonly string[];
  readonly seconds: number;
  readonly seedsPerSecond: number;
  readonly passed: number;
  readonly failed: number;
}

/** Adds up the reports of seeds. */
export class Coverage {
  readonly #strikes = new Map<Pair, number>();
  readonly #failures: SeedReport[] = [];
  #seeds = 0;
  #events = 0;
  #steps = 0;
  #crashes = 0;

  add(report: SeedReport): void {
    this.#seeds += 1;
    this.#events += report.events;
    this.#steps += report.steps;
    this.#crashes += report.crashes;
    for (const [pair, count] of report.strikes)
      this.#strikes.set(pair, (this.#strikes.get(pair) ?? 0) + count);
    if (report.violation !== null) this.#failures.push(report);
  }

  get failures(): readonly SeedReport[] {
    return this.#failures.toSorted((one, other) => one.seed - other.seed);
  }

  /** Pairs by how often they have struck, the rarest first. */
  counts(): { readonly pair: Pair; readonly count: number }[] {
    return PAIRS.map((pair) => ({ pair, count: this.#strikes.get(pair) ?? 0 })).sort(
      (a, b) => a.count - b.count,
    );
  }

  summary(options: {
    readonly firstSeed: number;
    readonly runsPerSeed: number;
    readonly seconds: number;
  }): Summary {
    const counts = this.counts();
    const uncovered = counts.filter(({ count }) => count < STRIKES_WANTED);
    const isFull = this.#seeds >= FULL_RUN_SEEDS;
    const violations = this.#failures.length;
    return {
      seeds: this.#seeds,
      ...options,
      events: this.#events,
      steps: this.#steps,
      crashes: this.#crashes,
      strikes: counts.reduce((sum, { count }) => sum + count, 0),
      violations,
      failingSeeds: this.failures.slice(0, 20).map(({ seed }) => seed),
      pairs: PAIRS.length,
      pairsCovered: PAIRS.length - uncovered.length,
      pairsExcluded: EXCLUDED_PAIRS.length,
      leastCovered: counts.slice(0, 10).map(({ pair, count }) => `${pair}: ${count}`),
      seedsPerSecond: Math.round((this.#seeds * options.runsPerSeed) / Math.max(0.001, options.seconds)),
      passed: this.#seeds - violations + (isFull ? PAIRS.length - uncovered.length : 0),
      failed: violations + (isFull ? uncovered.length : 0),
    };
  }
}
