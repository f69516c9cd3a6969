// `npm run bench -- <name> [--json] [--reps N] [--tiny]`, and `npm run bench -- --list`.
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { BENCHMARKS } from "./benchmarks.ts";
import { machineFacts, makeScratch, removeScratch } from "./machine.ts";
import { type Report, tableOf } from "./report.ts";

const USAGE = `npm run bench -- <name> [--json] [--reps N] [--tiny]
npm run bench -- --list

--json   one JSON object on standard output
--reps   repetitions; more of them make the medians steadier
--tiny   the smallest sizes, to see that it works; the figures mean nothing
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      tiny: { type: "boolean", default: false },
      reps: { type: "string" },
    },
  });
  if (values.list) {
    for (const { name, summary } of BENCHMARKS) process.stdout.write(`${name.padEnd(12)}${summary}\n`);
    return 0;
  }
  const benchmark = BENCHMARKS.find(({ name }) => name === positionals[0]);
  const reps = values.reps === undefined ? undefined : Number(values.reps);
  if (benchmark === undefined || positionals.length !== 1 || !isCount(reps)) {
    process.stderr.write(`${USAGE}\nNames: ${BENCHMARKS.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  const report = await measure(benchmark, reps, values.tiny);
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : tableOf(report));
  return 0;
}

function isCount(value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 1);
}

async function measure(benchmark: Benchmark, reps: number | undefined, isTiny: boolean): Promise<Report> {
  const folder = makeScratch();
  const startedMs = performance.now();
  try {
    const machine = machineFacts(folder);
    const onProgress = (text: string) => process.stderr.write(`${benchmark.name}: ${text}\n`);
    const result = await benchmark.run({ reps, isTiny, folder, onProgress });
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const date = new Date().toISOString().slice(0, 10);
    return { benchmark: benchmark.name, summary: benchmark.summary, date, seconds, machine, ...result };
  } finally {
    removeScratch(folder);
  }
}

process.exitCode = await main();
