/** Files that people ask for by name. */
import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";

/**
 * Never in place of something else, and whole or not at all.
 * @throws NightshiftError `E_USAGE`, naming the path: nothing was written then
 */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  let handle: number;
  try {
    handle = openSync(path, "wx", 0o600);
  } catch (error) {
    throw refusal(path, error);
  }
  try {
    writeFileSync(handle, bytes);
    fsyncSync(handle);
  } catch (error) {
    rmSync(path, { force: true });
    throw refusal(path, error);
  } finally {
    closeSync(handle);
  }
}

function refusal(path: string, error: unknown): NightshiftError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const cause = {
    cause: error,
    hint: "Nothing was written; name a file that is not there yet, in a folder that is.",
  };
  if (code === "EEXIST")
    return new NightshiftError("E_USAGE", `there is something at ${path} already`, cause);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new NightshiftError("E_USAGE", `there is no folder ${dirname(path)} for ${path}`, cause);
  return new NightshiftError("E_USAGE", `${path} cannot be written: ${messageOf(error)}`, cause);
}
