/** What a benchmark is. */
import type { Result } from "./report.ts";

/** How to run one. */
export interface RunOptions {
  /** Repetitions; absent for the benchmark's own number. */
  readonly reps: number | undefined;
  /** Only to see that it works: the smallest of everything. */
  readonly isTiny: boolean;
  /** A folder on a disk, for this run alone. */
  readonly folder: string;
  /** Says how far it is. */
  readonly onProgress: (text: string) => void;
}

/** Measures one thing. */
export interface Benchmark {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  run(options: RunOptions): Promise<Result>;
}
