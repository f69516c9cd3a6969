/**
 * `npm run adversarial [-- --only NAME] [--fast] [--no-ablate] [--sandbox NAME] [--json]`
 *
 * Hostile workers and honest ones before the real referee, and whole sessions of workers that talk. Exit 1 when a
 * hostile case is not caught, or does not count, or when an honest one is in anybody's way.
 */
import { parseArgs } from "node:util";
import { Arena } from "./arena.ts";
import type { HostileCase } from "./case.ts";
import { isFast } from "./fast.ts";
import { gapCases } from "./gaps.ts";
import { honestCases } from "./honest/index.ts";
import { honestSessions } from "./honest/sessions.ts";
import { hostileCases } from "./hostile/index.ts";
import { sessionCases } from "./hostile/sessions.ts";
import { isFine, type Row, summaryOf, tableOf } from "./rows.ts";
import { runHonest, runHostile } from "./run.ts";
import { runGaps, runHonestSessions, runSessions } from "./run-sessions.ts";
import { Stage } from "./stage.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [""] },
    fast: { type: "boolean", default: false },
    ablate: { type: "boolean", default: true },
    sandbox: { type: "string" },
    json: { type: "boolean", default: false },
  },
  allowNegative: true,
});

const isWanted = ({ name, group = "" }: { readonly name: string; readonly group?: string }): boolean =>
  values.only.some((part) => `${group}: ${name}`.includes(part)) && (!values.fast || isFast(name));
const say = (row: Row): void => {
  const sign = isFine(row) ? "ok  " : "BAD ";
  if (!values.json) console.log(`${sign}${row.name}: ${[row.outcome, ...row.problems].join("; ")}`);
  else if (!isFine(row)) console.error(`${row.name}: ${row.problems.join("; ")}`);
};
const skip = (name: string, reason: string): void => console.error(`left out: ${name}: ${reason}`);

const startedMs = performance.now();
await using arena = await Arena.open(values.sandbox);
await using stage = await Stage.open(arena.backend);
/** Layers can be mounted there, and be fetched from loopback. */
const hasLayers = arena.backend === "bubblewrap";
const isAble = ({ name, attempt }: HostileCase): boolean => {
  if (hasLayers || attempt.project.packages === undefined) return true;
  skip(name, "it needs bubblewrap");
  return false;
};
const options = { ablates: values.ablate, onRow: say };
const rows = [
  ...(await runHostile(arena, hostileCases.filter(isWanted).filter(isAble), options)),
  ...(await runSessions(stage, sessionCases.filter(isWanted), options)),
  ...(await runHonest(arena, honestCases.filter(isWanted), options)),
  ...(await runHonestSessions(stage, honestSessions.filter(isWanted), { ...options, onSkip: skip })),
  ...(await runGaps(stage, gapCases.filter(isWanted), options)),
];
const seconds = Math.round((performance.now() - startedMs) / 1000);
const summary = summaryOf(rows, values.ablate);
if (values.json) console.log(JSON.stringify({ sandbox: arena.backend, seconds, rows, ...summary }));
else {
  const { hostile, honest, gaps, others, passed, failed } = summary;
  console.log(tableOf(rows, summary).join("\n"));
  console.log(`
${hostile.caught} of ${hostile.cases} hostile cases caught (a plain loop accepts ${others.loop_accepts}, a reader of transcripts ${others.reader_accepts})
${honest.accepted} of ${honest.cases} honest ones accepted, or parked for a person as designed
${gaps.stated} of ${gaps.cases} gaps stated
${passed} passed, ${failed} failed`);
}
process.exitCode = summary.failed === 0 ? 0 : 1;
