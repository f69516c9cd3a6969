/** Tries a judge on artefacts whose right grade is known, each in a sandbox of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Chance } from "../../core/clock.ts";
import { isNightshiftError, messageOf } from "../../core/errors.ts";
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
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, each] = next;
      const result = {
        case: each,
        grade: await gradeCase(parts, each, AbortSignal.any([signal, failed.signal])),
      };
      results[index] = result;
      parts.onResult?.(result);
    }
  };
  const lanes = Array.from({ length: AT_ONCE }, () =>
    lane().catch((error: unknown) => {
      // The others end what they have begun, so that no sandbox is left.
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
  return results;
}

async function gradeCase(
  { judge, backend, folder, chance }: CalibrationParts,
  { contract, criterion, files, changed, checks }: CalibrationCase,
  signal: AbortSignal,
): Promise<CaseResult["grade"]> {
  // Nothing about the place tells which case it is.
  const workspace = mkdtempSync(join(folder, "files-"));
  try {
    writeFiles(workspace, files);
    return await withSandbox(backend, workspace, chance, signal, (sandbox) =>
      judge.grade({ contract, criterion, changed, checks, sandbox }, signal),
    );
  } catch (error) {
    if (signal.aborted || !isNightshiftError(error, "E_SANDBOX_LOST")) throw error;
    return { status: "error", items: [], problem: messageOf(error), requests: 0, cost_micro_usd: 0 };
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

async function withSandbox<T>(
  backend: SandboxBackend,
  workspace: string,
  chance: Chance,
  signal: AbortSignal,
  use: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const id = sandboxId(sessionId(chance.unique(20)), 0);
  const spec = { id, workspace, noContactMs: NO_CONTACT_MS, options: {} };
  try {
    const { handle } = await backend.provision(spec, signal);
    const sandbox = await backend.attach(handle, 1, signal);
    try {
      return await use(sandbox);
    } finally {
      sandbox.detach();
    }
  } finally {
    await backend.destroy(id, undefined);
  }
}
