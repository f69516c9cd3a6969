/** `conformance`: the contracts of the seams, case by case, on this machine. */
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { isTestedSeam, runSuite, suiteNames, type TestedSeam } from "../../runtime/registry.ts";
import { systemClock } from "../../runtime/system.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatDuration } from "../render/format.ts";
import { singleLine } from "../render/text.ts";

/** Flags of `conformance`. */
export interface ConformanceFlags {
  readonly backend?: string;
  readonly json?: boolean;
}

const SEAMS = ["store", "sandbox", "model"] as const satisfies readonly TestedSeam[];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: { readonly case: string; readonly message: string }[];
}

/** @param seam - absent for all */
export async function conformance(
  context: CommandContext,
  seam: string | undefined,
  flags: ConformanceFlags,
): Promise<number> {
  const seams = seam === undefined ? SEAMS : [checkedSeam(seam)];
  if (flags.backend !== undefined && seam === undefined)
    throw new NightshiftError("E_USAGE", "--backend needs the seam that it belongs to");
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const each of seams) {
    for (const backend of flags.backend === undefined ? suiteNames(each) : [flags.backend])
      await runOne(context, { seam: each, backend, counts, json: flags.json === true });
  }
  if (flags.json === true) context.output.printJson(counts);
  else {
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    context.output.print(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  }
  return counts.failed === 0 ? EXIT.ok : EXIT.unavailable;
}

async function runOne(
  { output }: CommandContext,
  what: {
    readonly seam: TestedSeam;
    readonly backend: string;
    readonly counts: Counts;
    readonly json: boolean;
  },
): Promise<void> {
  const { seam, backend, counts, json } = what;
  for await (const result of runSuite(seam, backend, systemClock)) {
    counts[result.outcome] += 1;
    const name = `${seam} ${backend}: ${singleLine(result.name)}`;
    if (result.outcome === "failed") counts.failures.push({ case: name, message: messageOf(result.error) });
    if (json) continue;
    if (result.outcome === "passed") output.print(`ok    ${name} (${formatDuration(result.durationMs)})`);
    if (result.outcome === "skipped") output.print(`skip  ${name} (${result.reason})`);
    if (result.outcome === "failed") output.print(`FAIL  ${name}`, `      ${messageOf(result.error)}`);
  }
}

function checkedSeam(name: string): TestedSeam {
  if (isTestedSeam(name)) return name;
  throw new NightshiftError("E_USAGE", `"${name}" is no seam with a suite; there are ${SEAMS.join(", ")}`);
}
