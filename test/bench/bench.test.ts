import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { BENCHMARKS } from "../../bench/benchmarks.ts";
import type { Report } from "../../bench/report.ts";

const run = promisify(execFile);

/** What a benchmark needs that a machine may not have. */
function missingFor(name: string): string | undefined {
  if (name === "syncs" && spawnSync("strace", ["--version"]).error !== undefined)
    return "strace is not installed";
  if (name === "start" && !existsSync("dist/runtime/wake.js")) return "the package is not built";
  return undefined;
}

describe("each benchmark runs with the smallest sizes and prints one JSON object", () => {
  for (const { name, summary } of BENCHMARKS) {
    test(name, { timeout: 60_000 }, async (context) => {
      const missing = missingFor(name);
      if (missing !== undefined) context.skip(missing);
      const { stdout } = await run(process.execPath, ["bench/main.ts", name, "--tiny", "--json"]);
      const report = JSON.parse(stdout) as Report;
      expect(report).toMatchObject({ benchmark: name, summary, machine: { node: process.versions.node } });
      expect(report.figures).not.toHaveLength(0);
      for (const { name: figure, ours, baseline, ratio } of report.figures) {
        expect(Number.isFinite(ours), figure).toBe(true);
        if (baseline !== null) expect(ratio, figure).toBeGreaterThan(0);
      }
    });
  }
});

describe("the command line", () => {
  test("lists what there is", async () => {
    const { stdout } = await run(process.execPath, ["bench/main.ts", "--list"]);
    expect(stdout.trim().split("\n")).toHaveLength(BENCHMARKS.length);
  });

  test("prints a table that fits into 80 columns", async () => {
    const { stdout } = await run(process.execPath, ["bench/main.ts", "size", "--tiny"]);
    expect(stdout).toContain("bytes per turn");
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test("refuses a name that it does not know, and names those that it knows", () => {
    const { status, stderr } = spawnSync(process.execPath, ["bench/main.ts", "speed"], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("agents-64");
  });
});
