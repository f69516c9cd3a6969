/**
 * A repository of ours that sees the objects of the user's, and in which whatever has to be made is made: nothing is
 * ever written to the user's.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../sandbox/daemon/durable.ts";
import { CHECKPOINT_REFS } from "./commits.ts";
import type { Git, GitPlace } from "./git.ts";
import type { Source } from "./source.ts";

/** Kept under `folder` until the workspace is ready. */
export interface Scratch {
  readonly folder: string;
  readonly gitFolder: string;
  readonly objectFormat: string;
  /** Comparing the user's working tree, with an index of ours. */
  readonly tree: GitPlace;
}

/** Makes one in a folder under construction. */
export async function makeScratch(
  git: Git,
  folder: string,
  source: Source,
  hidden: string | undefined,
  signal: AbortSignal,
): Promise<Scratch> {
  const gitFolder = join(folder, "scratch.git");
  const isRepository = source.kind === "repository";
  const objectFormat = isRepository ? source.objectFormat : "sha1";
  const objects = isRepository ? join(source.commonFolder, "objects") : undefined;
  await makeRepository(git, gitFolder, { objectFormat, objects }, signal);
  const own = hidden === undefined ? "" : `\n/${hidden.replace(/[\\*?[\]!# ]/g, "\\$&")}/\n`;
  mkdirSync(join(gitFolder, "info"), { recursive: true });
  writeFileSync(join(gitFolder, "info", "exclude"), (isRepository ? source.excludes : "") + own);
  const index = join(gitFolder, "index");
  if (isRepository) {
    copyIfThere(join(source.commonFolder, "shallow"), join(gitFolder, "shallow"));
    copyIfThere(join(source.gitFolder, "index"), index);
  }
  const settings = isRepository ? source.settings : [];
  const tree = { gitFolder, workTree: source.root, index, folder: source.root, settings };
  return { folder, gitFolder, objectFormat, tree };
}

/** A bare repository without anything that its maker has not put there. */
export async function makeRepository(
  git: Git,
  gitFolder: string,
  options: { readonly objectFormat: string; readonly objects: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const format = `--object-format=${options.objectFormat}`;
  await git.run({}, ["init", "-q", "--bare", "--template=", format, gitFolder], signal);
  if (options.objects === undefined) return;
  mkdirSync(join(gitFolder, "objects", "info"), { recursive: true });
  // Quoted as git unquotes it, for names that begin with a quote themselves.
  const escaped = options.objects.replace(/[\\"]/g, "\\$&");
  writeFileSync(join(gitFolder, "objects", "info", "alternates"), `"${escaped}"\n`);
}

/** The repository of a session: its base's objects are those of the pristine checkout. */
export async function makeSessionRepository(
  git: Git,
  gitFolder: string,
  checkout: string,
  options: { readonly objectFormat: string; readonly excludes: string },
  signal: AbortSignal,
): Promise<void> {
  const objects = join(checkout, ".git", "objects");
  await makeRepository(git, gitFolder, { objectFormat: options.objectFormat, objects }, signal);
  for (const folder of ["info", CHECKPOINT_REFS]) mkdirSync(join(gitFolder, folder), { recursive: true });
  copyFileSync(options.excludes, join(gitFolder, "info", "exclude"));
  // Checkpoints rely on these names: only what they add themselves do they make durable.
  for (let folder = CHECKPOINT_REFS; folder !== "."; folder = dirname(folder))
    syncFolder(join(gitFolder, folder));
  for (const folder of ["objects/pack", "objects/info", "objects", "info", "."])
    syncFolder(join(gitFolder, folder));
}

function copyIfThere(source: string, target: string): void {
  if (existsSync(source)) copyFileSync(source, target);
}
