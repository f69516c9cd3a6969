/**
 * Texts that the harness puts into a workspace for the agent to read. They are no files of the project: no checkpoint
 * holds them, and what an agent does to its copy changes nothing and can be seen.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Rendering } from "./contract.ts";
import { type FilesContext, overlayOf } from "./session-files.ts";
import { OpenFolder } from "./walk.ts";

const EXCLUDES = ".git/info/exclude";
const BYTES_MAX = 4 * 2 ** 20;

/** Writes them above the pristine checkout; git is told not to look. What the base itself has at that place, counts. */
export function writeRenderings(
  renderings: readonly Rendering[],
  checkout: string,
  target: string,
  excludes: string,
): string[] {
  const free = renderings.filter(({ path }) => !existsSync(join(checkout, path)));
  for (const { path, text, isForReading } of free) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text, { mode: isForReading === true ? 0o444 : 0o644 });
    appendFileSync(excludes, `\n/${path}\n`);
  }
  if (free.length > 0) hideFromGit(free, checkout, target);
  return free.map(({ path }) => path);
}

/** The agent's own git need not see them either. */
function hideFromGit(renderings: readonly Rendering[], checkout: string, target: string): void {
  const own = join(checkout, EXCLUDES);
  const lines = renderings.map(({ path }) => `/${path}\n`).join("");
  mkdirSync(dirname(join(target, EXCLUDES)), { recursive: true });
  writeFileSync(join(target, EXCLUDES), `${existsSync(own) ? readFileSync(own, "utf8") : ""}\n${lines}`);
}

/** The agent's copy as it is now; null when it is no file any more. Nothing on the way is followed. */
export function readRendering({ session, record, checkout }: FilesContext, path: string): Buffer | null {
  if (record.kind === "copy")
    return readWithin(join(session.generation(record.generation), "copy"), path) ?? null;
  const { upper } = overlayOf(session, record, checkout);
  const changed = readWithin(upper, path);
  return changed === undefined ? (readWithin(session.included, path) ?? null) : changed;
}

/** Undefined: there is nothing of that name. Null: there is something else, such as the mark of a removed file. */
function readWithin(root: string, path: string): Buffer | null | undefined {
  const top = OpenFolder.open(root);
  try {
    return readBelow(top, path.split("/"));
  } finally {
    top.close();
  }
}

function readBelow(folder: OpenFolder, [name = "", ...rest]: readonly string[]): Buffer | null | undefined {
  const found = folder.look(name);
  if (found === undefined) return undefined;
  if (rest.length === 0) {
    const file = found.isFile() && found.size <= BYTES_MAX ? folder.openFile(name) : undefined;
    if (file === undefined) return null;
    try {
      return file.readAll();
    } finally {
      file.close();
    }
  }
  const child = folder.child(name);
  if (child === undefined) return null;
  try {
    return readBelow(child, rest);
  } finally {
    child.close();
  }
}
