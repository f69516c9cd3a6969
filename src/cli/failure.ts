/** How errors reach a person: the code, what happened, the next step; a stack only for those who ask for it. */
import { ERROR_CODES, isNightshiftError, messageOf, type NightshiftError } from "../core/errors.ts";
import type { Output } from "./output.ts";

/** Prints an error. @returns the exit code */
export function reportFailure(
  error: unknown,
  output: Output,
  options: { readonly json: boolean; readonly debug: boolean },
): number {
  const { code, message, hint, data } = describe(error);
  if (options.json) {
    output.printJson({ error: { code, message, next: hint, ...(Object.keys(data).length > 0 && { data }) } });
  } else {
    output.note(`error[${code}]: ${message}`, `next: ${hint}`);
  }
  if (options.debug && error instanceof Error) output.note(stackOf(error));
  return ERROR_CODES[code].exit;
}

type Description = Pick<NightshiftError, "code" | "message" | "hint" | "data">;

function describe(error: unknown): Description {
  if (isNightshiftError(error)) return error;
  const message = `unexpected: ${messageOf(error)}`;
  return { code: "E_INTERNAL", message, hint: ERROR_CODES.E_INTERNAL.hint, data: {} };
}

function stackOf(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
