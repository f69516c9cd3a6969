/** Making the files of a session anew: an empty upper folder over the pristine checkout, or a copy of it. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NightshiftError } from "../core/errors.ts";
import type { KnownFile } from "./findings.ts";
import type { Git } from "./git.ts";
import { type BytePath, isReservedName, joinPath } from "./paths.ts";
import { namesIn, type SessionPlace, type SessionRecord } from "./place.ts";
import { removeTree } from "./remove.ts";
import { OpenFolder, stampOf } from "./walk.ts";

const runFile = promisify(execFile);

/**
 * Makes the files of a generation, as in the base.
 * @throws NightshiftError `E_WORKSPACE_BUSY` when there is one of that number: another process is at work
 */
export async function makeFiles(
  git: Git,
  session: SessionPlace,
  record: SessionRecord,
  checkout: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = session.generation(record.generation);
  mkdirSync(session.generations, { recursive: true });
  claim(folder, session);
  await makeFilesIn(folder, git, session, record, checkout, signal);
}

/** A harness that stood still and has been replaced must not get at the files of its successor. */
function claim(folder: string, session: SessionPlace): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw replaced(session);
    throw error;
  }
}

/** Somebody else has given the session new files meanwhile. */
export function replaced({ sessionId }: SessionPlace): NightshiftError {
  const message = `another process has given session ${sessionId} new files meanwhile`;
  return new NightshiftError("E_WORKSPACE_BUSY", message, { hint: "Look with `nightshift status`." });
}

/** As {@link makeFiles}, in an empty folder that counts for nobody else. */
export async function makeFilesIn(
  folder: string,
  git: Git,
  session: SessionPlace,
  record: SessionRecord,
  checkout: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (record.kind === "overlay") {
    for (const name of ["upper", "work"]) mkdirSync(join(folder, name));
    return;
  }
  const copy = join(folder, "copy");
  const options = { signal, env: git.cleanEnvironment };
  const words = process.platform === "linux" ? ["-a", "--reflink=auto"] : ["-a"];
  await runFile("cp", [...words, "--", checkout, copy], options);
  // Before the included files come in: those are not as in the base.
  const known = JSON.stringify([...knownIn(copy)]);
  if (record.included.length > 0)
    await runFile("cp", [...words, "--", `${session.included}/.`, copy], options);
  writeFileSync(join(folder, "known.json"), known);
}

/** Removes the files of a session that were made before those that count: later ones are a successor's. */
export async function removeOldFiles(session: SessionPlace, record: SessionRecord): Promise<void> {
  for (const name of namesIn(session.generations)) {
    if (!(Number(name) >= record.generation)) await removeTree(join(session.generations, name));
  }
}

/** A number that no files have, not even unfinished ones. */
export function nextGeneration(session: SessionPlace, record: SessionRecord): number {
  return Math.max(record.generation, ...namesIn(session.generations).map(Number).filter(Number.isFinite)) + 1;
}

function knownIn(folder: string): Map<BytePath, KnownFile> {
  const known = new Map<BytePath, KnownFile>();
  const visit = (path: BytePath, open: OpenFolder): void => {
    for (const name of open.names()) {
      const stats = isReservedName(name) ? undefined : open.look(name);
      const own = joinPath(path, name);
      if (stats?.isFile()) known.set(own, { stamp: stampOf(stats), blob: "" });
      const child = stats?.isDirectory() ? open.child(name) : undefined;
      if (child === undefined) continue;
      visit(own, child);
      child.close();
    }
  };
  const top = OpenFolder.open(folder);
  visit("" as BytePath, top);
  top.close();
  return known;
}
