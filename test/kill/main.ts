/**
 * Kills real processes: `npm run kill -- [--kills N] [--seed S] [--json]`. N kills each of the harness, of the
 * daemon, and of both.
 */
import { parseArgs } from "node:util";
import { runCampaign, type Victim } from "./harness/campaign.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "70" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error("--kills and --seed take whole numbers");
  process.exit(2);
}

const victims: readonly Victim[] = ["harness", "daemon", "both"];
const rows = [];
for (const victim of victims) {
  const outcome = await runCampaign({ kills, victim, seed, log: (line) => values.json || console.log(line) });
  rows.push({ victim, ...outcome });
}
const problems = rows.flatMap((row) => row.problems.map((problem) => `${row.victim}: ${problem}`));
if (values.json) console.log(JSON.stringify({ rows }));
for (const row of values.json ? [] : rows) {
  console.log(
    `${row.victim}: ${row.kills} kills in ${row.sessions} sessions, ${row.events} events, ${row.effects} effects, ${row.inDoubt} flagged in doubt`,
  );
}
for (const problem of problems) console.error(problem);
const failed = rows.filter((row) => row.problems.length > 0).length;
if (!values.json) console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
