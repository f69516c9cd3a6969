/**
 * `npm run power-loss -- [--seeds N] [--seed S] [--json]`: records real programs, crashes them in N ways each, and
 * shows that each mutant is caught.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { MUTANTS } from "./mutants.ts";
import { whyNotRecordable } from "./record.ts";
import { crashRecording, recordWorkload, scratchFolder, type Tally } from "./suite.ts";

interface Report {
  readonly modes: { readonly [writer: string]: Tally };
  /** By what was left out: states that showed it. */
  readonly mutants: { readonly [name: string]: number };
}

async function run(states: number, seed: string): Promise<Report> {
  const where = scratchFolder();
  try {
    const inline = await recordWorkload({ writer: "inline", sync: "synced" }, where);
    const thread = await recordWorkload({ writer: "thread", sync: "synced" }, where);
    const killed = await recordWorkload({ writer: "inline", sync: "killed" }, where);
    const unsynced = await recordWorkload({ writer: "inline", sync: "unsynced" }, where);
    const modes = {
      inline: await crashRecording(inline, { states, seed, where }),
      thread: await crashRecording(thread, { states, seed, where }),
      killed: await crashRecording(killed, { states, seed, where }),
    };
    const mutants: Record<string, number> = {};
    for (const [name, mutant] of Object.entries(MUTANTS)) {
      mutants[name] = await mutant(
        { synced: inline, unsynced },
        { states: Math.min(states, 100), seed, where },
      );
    }
    return { modes, mutants };
  } finally {
    rmSync(where, { recursive: true, force: true });
  }
}

function lines({ modes, mutants }: Report): string[] {
  const modeLines = Object.entries(modes).flatMap(([writer, { states, whole, lost, refused, failures }]) => [
    `${writer}: ${states} states, ${whole} whole, ${lost} lost, ${refused} refused`,
    ...failures.map((failure) => `  ${failure}`),
  ]);
  const mutantLines = Object.entries(mutants).map(
    ([name, count]) => `without ${name}: ${count === 0 ? "NOT caught" : `caught in ${count} states`}`,
  );
  return [...modeLines, ...mutantLines];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "500" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const reason = whyNotRecordable();
  if (reason !== undefined) throw new Error(reason);
  const report = await run(Number(values.seeds), values.seed);
  process.stdout.write(`${values.json ? JSON.stringify(report) : lines(report).join("\n")}\n`);
  const isSound = Object.values(report.modes).every(({ states, whole }) => whole === states);
  const areCaught = Object.values(report.mutants).every((count) => count > 0);
  process.exitCode = isSound && areCaught ? 0 : 1;
}

await main();
