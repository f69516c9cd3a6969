/**
 * Kills every part of a session in every step of its sandbox's life, on every backend that works here:
 * `npm run crashes -- [--backend B] [--step S] [--victim V] [--list] [--json]`.
 */
import { parseArgs } from "node:util";
import { createDiagnosisHost } from "../../../src/sandbox/diagnosis/host.ts";
import { diagnose } from "../../../src/sandbox/diagnosis/pick.ts";
import { OwnEngine } from "../leftovers/own-engine.ts";
import { allCells, type Cell, type CrashBackend } from "./matrix.ts";
import { type Finding, runCell } from "./run.ts";

const { values } = parseArgs({
  options: {
    backend: { type: "string" },
    step: { type: "string" },
    victim: { type: "string" },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const cells = allCells().filter(
  ({ backend, step, victim }) =>
    (values.backend ?? backend) === backend &&
    (values.step ?? step) === step &&
    (values.victim ?? victim) === victim,
);
if (cells.length === 0) {
  console.error("no such kill; --list names them all");
  process.exit(2);
}

const nameOf = ({ backend, step, victim }: Cell): string => `${backend}, ${step}: ${victim}`;
const say = (line: string): void => void (values.json || console.log(line));

/** Why a backend is left out; undefined when it works. */
async function reasonAgainst(backend: CrashBackend): Promise<string | undefined> {
  if (backend === "process") return undefined;
  if (backend === "docker" && !OwnEngine.isPossible) return "an engine of its own needs root and dockerd";
  if (backend === "docker") return undefined;
  const host = createDiagnosisHost({ path: process.env.PATH, dockerHost: undefined });
  const { code, text } = await diagnose(backend, host);
  return code === "ready" ? undefined : text;
}

async function runBackend(backend: CrashBackend): Promise<Finding[]> {
  const mine = cells.filter((cell) => cell.backend === backend);
  if (mine.length === 0) return [];
  const engine = backend === "docker" ? new OwnEngine() : undefined;
  const findings: Finding[] = [];
  try {
    await engine?.start();
    for (const cell of mine) {
      const finding = await runCell(cell, engine);
      findings.push(finding);
      say(
        `${nameOf(cell)}: ${finding.problems.length === 0 ? "passed" : "FAILED"} (${finding.durationMs} ms)`,
      );
      for (const problem of finding.problems) console.error(`  ${problem}`);
    }
  } finally {
    engine?.stop();
  }
  return findings;
}

async function main(): Promise<void> {
  if (values.list) {
    for (const cell of cells) console.log(nameOf(cell));
    return;
  }
  const findings: Finding[] = [];
  let skipped = 0;
  for (const backend of new Set(cells.map((cell) => cell.backend))) {
    const reason = await reasonAgainst(backend);
    if (reason === undefined) findings.push(...(await runBackend(backend)));
    else {
      skipped += cells.filter((cell) => cell.backend === backend).length;
      say(`${backend}: left out, ${reason}`);
    }
  }
  const failed = findings.filter(({ problems }) => problems.length > 0).length;
  const passed = findings.length - failed;
  if (values.json) console.log(JSON.stringify({ passed, failed, skipped, findings }));
  else console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
// What a failure has left open must not keep it.
process.exit();
