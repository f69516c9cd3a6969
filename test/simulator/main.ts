/**
 * `npm run simulate -- --seeds N [--seed S] [--once] [--json] [--trace] [--pairs] [--mutants]`
 *
 * Runs the real harness in virtual time, each seed twice. Exit 1 when a promise was broken, when two runs of a seed
 * differ, or when a full run (5,000 seeds) leaves a pair of fault and point uncovered.
 */
import { parseArgs } from "node:util";
import { Coverage, type Summary } from "./coverage.ts";
import { runMutants } from "./mutants.ts";
import { EXCLUDED_PAIRS } from "./pairs.ts";
import { runSeeds, type SeedReport } from "./seeds.ts";

const TRACES_PRINTED = 3;
/** The end of a story is what explains it; `--trace` prints all of it. */
const LINES_PRINTED = 150;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      seed: { type: "string", default: "1" },
      once: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      pairs: { type: "boolean", default: false },
      mutants: { type: "boolean", default: false },
      mutant: { type: "string" },
    },
  });
  if (values.mutants || values.mutant !== undefined)
    return runMutants({ json: values.json, ...(values.mutant !== undefined && { only: values.mutant }) });
  const firstSeed = Number(values.seed);
  const seeds = Number(values.seeds ?? (values.trace ? 1 : 200));
  if (!Number.isSafeInteger(firstSeed) || !Number.isSafeInteger(seeds) || seeds < 1) {
    process.stderr.write("--seeds and --seed take whole numbers\n");
    return 2;
  }
  const runsPerSeed = values.once ? 1 : 2;
  const coverage = new Coverage();
  const startedMs = performance.now();
  await runSeeds({ firstSeed, seeds, runsPerSeed, keepsTraces: values.trace }, (report) => {
    coverage.add(report);
    if (values.trace) process.stdout.write(`${report.trace}\n`);
  });
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  const summary = coverage.summary({ firstSeed, runsPerSeed, seconds });
  if (values.pairs) printPairs(coverage);
  for (const report of coverage.failures.slice(0, TRACES_PRINTED)) printFailure(report, values.trace);
  process.stdout.write(values.json ? `${JSON.stringify(summary)}\n` : describe(summary));
  return summary.failed > 0 ? 1 : 0;
}

function printFailure({ seed, violation, trace }: SeedReport, isTraced: boolean): void {
  const story = isTraced ? "" : `${(trace ?? "").split("\n").slice(-LINES_PRINTED).join("\n")}\n`;
  process.stderr.write(
    `${story}seed ${seed} broke ${violation?.promise}: ${violation?.detail}\n` +
      `repeat it with: npm run simulate -- --seed ${seed} --trace\n\n`,
  );
}

function printPairs(coverage: Coverage): void {
  for (const { pair, count } of coverage.counts())
    process.stdout.write(`${String(count).padStart(6)}  ${pair}\n`);
  for (const { pair, reason } of EXCLUDED_PAIRS) process.stdout.write(`  never  ${pair}: ${reason}\n`);
}

function describe(summary: Summary): string {
  const { seeds, runsPerSeed, seconds, events, crashes, strikes, violations, pairs, pairsCovered } = summary;
  return [
    `${seeds} seeds, each ${runsPerSeed}×, in ${seconds} s (${summary.seedsPerSecond} runs/s): ${events} events, ${strikes} faults, ${crashes} crashes`,
    `${pairsCovered} of ${pairs} pairs covered; least: ${summary.leastCovered.slice(0, 4).join(", ")}`,
    violations === 0
      ? "no promise was broken"
      : `broken in ${violations} seeds: ${summary.failingSeeds.join(", ")}`,
    `${summary.passed} passed, ${summary.failed} failed`,
    "",
  ].join("\n");
}

process.exitCode = await main();
