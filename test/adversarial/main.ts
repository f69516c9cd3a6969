/**
 * `npm run adversarial [-- --only NAME] [--ablate] [--sandbox NAME] [--json]`
 *
 * Hostile workers and honest ones before the real referee. Exit 1 when a hostile case is not caught, or does not count,
 * or when an honest one is in anybody's way.
 */
import { parseArgs } from "node:util";
import { Arena } from "./arena.ts";
import { honestCases } from "./honest/index.ts";
import { hostileCases } from "./hostile/index.ts";
import { type HonestRow, type HostileRow, runHonest, runHostile } from "./run.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    ablate: { type: "boolean", default: false },
    sandbox: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const isWanted = ({ name }: { readonly name: string }): boolean => name.includes(values.only);
const say = (row: HostileRow | HonestRow): void => {
  const sign = row.problems.length === 0 ? "ok  " : "BAD ";
  if (!values.json) console.log(`${sign}${row.name}: ${[row.outcome, ...row.problems].join("; ")}`);
  else if (row.problems.length > 0) console.error(`${row.name}: ${row.problems.join("; ")}`);
};

await using arena = await Arena.open(values.sandbox);
const options = { ablates: values.ablate, onRow: say };
const hostile = await runHostile(arena, hostileCases.filter(isWanted), options);
const honest = await runHonest(arena, honestCases.filter(isWanted), options);
const isFine = ({ problems }: HostileRow | HonestRow): boolean => problems.length === 0;
const [caught, accepted] = [hostile.filter(isFine).length, honest.filter(isFine).length];
const failed = hostile.length - caught + (honest.length - accepted);
if (values.json) {
  const summary = {
    hostile: { cases: hostile.length, caught },
    honest: { cases: honest.length, accepted },
    ...{ passed: caught + accepted, failed },
  };
  console.log(JSON.stringify(summary));
} else console.log(`${caught + accepted} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
