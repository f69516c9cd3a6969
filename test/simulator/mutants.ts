/** Runs every mutant until a seed catches it, and tells which promise gave it away. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutant.ts";
import { MUTANTS } from "./mutant-table.ts";

/** A mutant that so many seeds do not notice has survived. */
const SEEDS_MAX = 400;
const CONCURRENT = 2;
const TIMEOUT_MS = 240_000;

/** What became of a mutant. */
export interface MutantReport {
  readonly name: string;
  readonly promise: string;
  /** Seeds that were tried, the last one included. */
  readonly seeds: number;
  /** The promise that was seen broken; null when the mutant survived. */
  readonly caughtBy: string | null;
  readonly detail: string;
}

/** Runs all mutants, or one by name, and prints what became of them. @returns the exit code */
export async function runMutants(options: {
  readonly json: boolean;
  readonly only?: string;
}): Promise<number> {
  const chosen = MUTANTS.filter(({ name }) => options.only === undefined || name === options.only);
  if (chosen.length === 0) {
    process.stderr.write(`there is no mutant named ${options.only}\n`);
    return 2;
  }
  const waiting = [...chosen];
  const reports: MutantReport[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const report = await tryMutant(mutant, SEEDS_MAX);
      reports.push(report);
      if (!options.json) process.stdout.write(describe(report));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  const survived = reports.filter(({ caughtBy }) => caughtBy === null).length;
  const counts = { passed: reports.length - survived, failed: survived };
  if (options.json)
    process.stdout.write(`${JSON.stringify({ mutants: reports.length, ...counts, reports })}\n`);
  else process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return survived === 0 ? 0 : 1;
}

/** Runs one mutant in a process of its own. */
export async function tryMutant(mutant: Mutant, seeds: number): Promise<MutantReport> {
  const { name, promise } = mutant;
  const { code, output } = await run(name, seeds);
  const line = output.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || !line.startsWith("{"))
    return {
      name,
      promise,
      seeds: 0,
      caughtBy: null,
      detail: `its process ended with ${code}: ${output.slice(-500)}`,
    };
  const { tried, caught } = JSON.parse(line) as {
    readonly tried: number;
    readonly caught: { readonly promise: string; readonly detail: string } | null;
  };
  return {
    name,
    promise,
    seeds: tried,
    caughtBy: caught?.promise ?? null,
    detail: caught?.detail ?? "not noticed",
  };
}

function run(
  name: string,
  seeds: number,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const script = fileURLToPath(new URL("./mutant-run.ts", import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      script,
      name,
      String(seeds),
    ]);
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

function describe({ name, seeds, caughtBy, detail }: MutantReport): string {
  const verdict = caughtBy === null ? "SURVIVED" : `caught by ${caughtBy}`;
  return `${String(seeds).padStart(4)} seeds  ${name.padEnd(58)} ${verdict}${caughtBy === null ? `: ${detail}` : ""}\n`;
}
