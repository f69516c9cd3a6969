/** Removing hostile trees: folders without permissions, of any depth, with links to anywhere. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";

const runFile = promisify(execFile);

/** Removes it and everything in it, never following a link. Idempotent. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // Both walk by descriptors, so no depth is too much for them.
    await runFile("chmod", ["-R", "u+rwX", "--", path]).catch(() => {});
    await runFile("rm", ["-rf", "--", path]);
  }
}
