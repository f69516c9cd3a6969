/** Tries a judge on artefacts whose right grade is known. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Chance } from "../../core/clock.ts";
import { isNightshiftError } from "../../core/errors.ts";
import { sandboxId, sessionId } from "../../core/ids.ts";
import type { Sandbox, SandboxBackend } from "../../sandbox/contract.ts";
import type { Grade, Judge } from "../contract.ts";
import type { CalibrationCase, Files } from "./task.ts";

const AT_ONCE = 4;
const NO_CONTACT_MS = 10 * 60_000;

/** What a calibration works with. */
export interface CalibrationParts {
  readonly judge: Judge;
  readonly backend: SandboxBackend;
  /** Absolute, exists; the artefacts are put below it, and removed afterwards. */
  readonly folder: string;
  readonly chance: Chance;
  /** Called as soon as a case has its grade. */
  readonly onResult?: (result: CaseResult) => void;
}

/** What came of one case. */
export interface CaseResult {
  readonly case: CalibrationCase;
  readonly grade: Pick<Grade, "status" | "items" | "problem" | "requests" | "cost_micro_usd">;
}

/**
 * Grades all cases, a few at once. @returns in the order of the cases
 * @throws what the signal aborts with; NightshiftError `E_SANDBOX_UNAVAILABLE`
 */
export async function calibrate(
  parts: CalibrationParts,
  cases: readonly CalibrationCase[],
  signal: AbortSignal,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  const waiting = [...cases.entries()];
  const failed = new AbortController();
  const lanes = Array.from({ length: AT_ONCE }, () =>
    lane(parts, waiting, results, AbortSignal.any([signal, failed.signal])).catch((error: unknown) => {
      // The others end what they have begun, so that no sandbox is left.
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
  return results;
}

/** One sandbox serves case after case: nothing runs in it but looks, so nothing but files has to be replaced. */
async function lane(
  parts: CalibrationParts,
  waiting: [number, CalibrationCase][],
  results: CaseResult[],
  signal: AbortSignal,
): Promise<void> {
  while (waiting.length > 0) {
    await withSandbox(parts, signal, async (sandbox, workspace) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, each] = next;
        replaceFiles(workspace, each.files);
        const graded = await gradeCase(parts.judge, each, sandbox, signal);
        const result = { case: each, grade: graded ?? LOST };
        results[index] = result;
        parts.onResult?.(result);
        if (graded === undefined) return;
      }
    });
  }
}

const LOST: CaseResult["grade"] = {
  status: "error",
  items: [],
  problem: "the sandbox was lost",
  requests: 0,
  cost_micro_usd: 0,
};

/** Undefined when the sandbox was lost. */
async function gradeCase(
  judge: Judge,
  { contract, criterion, changed, checks }: CalibrationCase,
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<Grade | undefined> {
  try {
    return await judge.grade({ contract, criterion, changed, checks, sandbox }, signal);
  } catch (error) {
    if (signal.aborted || !isNightshiftError(error, "E_SANDBOX_LOST")) throw error;
    return undefined;
  }
}

function replaceFiles(folder: string, files: Files): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

async function withSandbox(
  { backend, chance, folder }: CalibrationParts,
  signal: AbortSignal,
  use: (sandbox: Sandbox, workspace: string) => Promise<void>,
): Promise<void> {
  const workspace = mkdtempSync(join(folder, "files-"));
  const id = sandboxId(sessionId(chance.unique(20)), 0);
  const spec = { id, workspace, noContactMs: NO_CONTACT_MS, options: {} };
  try {
    const { handle } = await backend.provision(spec, signal);
    const sandbox = await backend.attach(handle, 1, signal);
    await use(sandbox, workspace).finally(() => sandbox.detach());
  } finally {
    await backend.destroy(id, undefined);
    rmSync(workspace, { recursive: true, force: true });
  }
}
