/**
 * Runs seeds against one mutant, in a process of its own: the mistake is put into the source while it is loaded, so
 * the files stay as they are. Prints one line of JSON.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { MUTANTS } from "./mutant-table.ts";

const [, , name = "", seeds = "1"] = process.argv;
/** Away from the seeds that the main run begins with; a prime step meets all kinds of aims, or those of the mutant. */
const FIRST_SEED = 500_000;
const SEED_STEP = 97;

const mutant = MUTANTS.find((candidate) => candidate.name === name);
if (mutant === undefined) throw new Error(`there is no mutant named ${name}`);
const root = fileURLToPath(new URL("../../", import.meta.url));
let isLoaded = false;

registerHooks({
  load(url, context, nextLoad) {
    if (url !== new URL(mutant.file, `file://${root}`).href) return nextLoad(url, context);
    const source = readFileSync(fileURLToPath(url), "utf8");
    const parts = source.split(mutant.find);
    if (parts.length !== 2)
      throw new Error(`${mutant.file} holds what ${name} changes ${parts.length - 1} times, not once`);
    isLoaded = true;
    return { format: "module", shortCircuit: true, source: stripTypeScriptTypes(parts.join(mutant.replace)) };
  },
});

const { runSeedsHere } = await import("./seeds.ts");
let tried = 0;
let caught: { readonly promise: string; readonly detail: string } | null = null;
const range = {
  firstSeed: FIRST_SEED,
  seeds: Number(seeds),
  runsPerSeed: 1,
  keepsTraces: false,
  step: SEED_STEP,
  ...(mutant.aim !== undefined && { aim: mutant.aim }),
};
await runSeedsHere(
  range,
  ({ violation }) => {
    tried += 1;
    caught = violation;
  },
  true,
);
if (!isLoaded) throw new Error(`${mutant.file} was never loaded`);
process.stdout.write(`${JSON.stringify({ tried, caught })}\n`);
process.exit(0);
