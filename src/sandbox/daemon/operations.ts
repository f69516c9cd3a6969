/** What the operations on files have in common. */
import type { ExecLimits, ExecResult } from "../contract.ts";
import type { Environment } from "./environment.ts";

/** What an operation may use. */
export interface OperationContext {
  /** The workspace, without symbolic links. */
  readonly root: string;
  readonly limits: ExecLimits;
  readonly environment: Environment;
  /** Aborts at the wall limit and on cancel. */
  readonly signal: AbortSignal;
}

/** An ending without its duration. */
export type OperationOutcome = Omit<ExecResult, "durationMs">;

/** It could not be done as asked, and nothing was touched; the reason is for the model. */
export function refused(reason: string): OperationOutcome {
  return { ending: "refused", exitCode: null, output: reason, droppedBytes: 0 };
}

/** It was done. */
export function succeeded(output: string, droppedBytes = 0): OperationOutcome {
  return { ending: "exited", exitCode: 0, output, droppedBytes };
}

/** It was tried and went wrong. */
export function failed(reason: string): OperationOutcome {
  return { ending: "exited", exitCode: 1, output: reason, droppedBytes: 0 };
}
