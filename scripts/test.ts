// `npm test`: every check of this repository, one after another, and one line at the end that sums them up.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counts, formatCounts, readCounts, sumCounts } from "./counts.ts";

const STAGES: readonly string[] = ["build", "lint", "typecheck"];

/** A stage is one check of its own: it passes or fails as a whole. */
function runStage(script: string): Counts {
  const startedAt = performance.now();
  const { status } = spawnSync("npm", ["run", "--silent", script], { stdio: "inherit" });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${script}: ${status === 0 ? "passed" : "failed"} (${seconds} s)\n`);
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
}

function runVitest(vitestArguments: readonly string[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-test-"));
  const countsPath = join(folder, "counts.json");
  try {
    const { status } = spawnSync("vitest", ["run", ...vitestArguments], {
      stdio: "inherit",
      env: { ...process.env, NIGHTSHIFT_TEST_COUNTS: countsPath },
    });
    return readCounts(countsPath, status === 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const counts = sumCounts([...STAGES.map(runStage), runVitest(process.argv.slice(2))]);
process.stdout.write(`${formatCounts(counts)}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
