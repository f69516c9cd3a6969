/**
 * The folder in which the runner makes its pipes. It is a folder of the machine that process 1 of a pod holds open,
 * and from an open folder `..` leads on, past everything that the pod's view leaves out. A command that swaps links
 * while the runner works on files could send it there. So the folder around it is closed to everybody: the runner,
 * which has no rights but those of its user, gets no further than that.
 */
import { chmodSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";

const CLOSED_FOLDER = "closed";

/** Makes it anew. The descriptor is the caller's. */
export function openPipeFolder(folder: string): number {
  const closed = makeClosedFolder(folder);
  const pipes = join(closed, "pipes");
  mkdirSync(pipes, { mode: 0o700 });
  const file = openSync(pipes, "r");
  chmodSync(closed, 0);
  return file;
}

/** The folder around it, made anew; to be closed by the caller when all is in it. */
export function makeClosedFolder(folder: string): string {
  removePipeFolder(folder);
  const closed = join(folder, CLOSED_FOLDER);
  mkdirSync(closed, { mode: 0o700 });
  return closed;
}

/** Also its user can remove what is in a closed folder only after opening it. Idempotent. */
export function removePipeFolder(folder: string): void {
  const closed = join(folder, CLOSED_FOLDER);
  if (!existsSync(closed)) return;
  chmodSync(closed, 0o700);
  rmSync(closed, { recursive: true, force: true });
}
