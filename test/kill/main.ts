/**
 * Kills real processes: `npm run kill -- [--kills N] [--checkout-kills N] [--seed S] [--json]`. N kills each of the
 * harness, of the daemon, and of both, with the sandbox `process`; and kills of harness, daemon and pod in sessions with
 * a checkout, where bubblewrap works.
 */
import { parseArgs } from "node:util";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { runCheckoutCampaign } from "./checkout/campaign.ts";
import { runCampaign, type Victim } from "./harness/campaign.ts";

const VICTIMS: readonly Victim[] = ["harness", "daemon", "both"];

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "70" },
    "checkout-kills": { type: "string", default: "16" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const [kills, checkoutKills, seed] = [values.kills, values["checkout-kills"], values.seed].map(Number);
if (!isCount(kills) || !isCount(checkoutKills) || seed === undefined || !Number.isInteger(seed)) {
  console.error("--kills, --checkout-kills and --seed take whole numbers");
  process.exit(2);
}

/** One campaign, for programs and in words. */
interface Row {
  readonly name: string;
  readonly words: string;
  readonly problems: readonly string[];
}

const say = (line: string): void => void (values.json || console.log(line));
const rows: Row[] = [];
for (const victim of VICTIMS) {
  const { problems, ...found } = await runCampaign({ kills, victim, seed, log: say });
  const words = `${found.kills} kills in ${found.sessions} sessions, ${found.events} events, ${found.effects} effects, ${found.inDoubt} flagged in doubt`;
  rows.push({ name: victim, words, problems });
}
if ((await chooseSandbox(process.env).catch(() => "")) === "bubblewrap") {
  const { problems, ...found } = await runCheckoutCampaign(checkoutKills, seed);
  const words = `${found.kills} kills in ${found.sessions} sessions, ${found.events} events, ${found.checkpoints} checkpoints, ${found.restores} restores`;
  rows.push({ name: "checkout", words, problems });
} else say("checkout: skipped, bubblewrap does not work on this machine");

for (const { name, words, problems } of rows) {
  say(`${name}: ${words}, ${problems.length} problems`);
  for (const problem of problems) console.error(`${name}: ${problem}`);
}
const failed = rows.filter(({ problems }) => problems.length > 0).length;
if (values.json) console.log(JSON.stringify({ rows }));
else console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 1;
}
