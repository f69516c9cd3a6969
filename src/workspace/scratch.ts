/**
 * A repository of ours that sees the objects of the user's, and in which whatever has to be made is made: nothing is
 * ever written to the user's.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../sandbox/daemon/durable.ts";
import { CHECKPOINT_REFS } from "./commits.ts";
import type { GitPlace } from "./git.ts";
import type { Source } from "./source.ts";

/** Kept under `folder` until the workspace is ready. */
export interface Scratch {
  readonly folder: string;
  readonly gitFolder: string;
  readonly objectFormat: string;
  /** Comparing the user's working tree, with an index of ours. */
  readonly tree: GitPlace;
}

/** A repository that is made. */
export interface RepositoryOptions {
  readonly objectFormat: string;
  /** Other objects that it sees. */
  readonly objects?: readonly string[];
  /** Of its working tree; bare without one. */
  readonly branch?: string;
}

/** Makes one in a folder under construction. */
export function makeScratch(folder: string, source: Source, hidden: string | undefined): Scratch {
  const gitFolder = join(folder, "scratch.git");
  const isRepository = source.kind === "repository";
  const objectFormat = isRepository ? source.objectFormat : "sha1";
  const objects = isRepository ? [join(source.commonFolder, "objects")] : [];
  makeRepository(gitFolder, { objectFormat, objects });
  if (isRepository && source.head !== null) writeFileSync(join(gitFolder, "HEAD"), `${source.head}\n`);
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

/** A repository without anything that its maker has not put there. */
export function makeRepository(gitFolder: string, options: RepositoryOptions): void {
  for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags"])
    mkdirSync(join(gitFolder, folder), { recursive: true });
  writeFileSync(join(gitFolder, "config"), configFor(options));
  writeFileSync(join(gitFolder, "HEAD"), `ref: refs/heads/${options.branch ?? "main"}\n`);
  if (options.objects === undefined || options.objects.length === 0) return;
  // Quoted as git unquotes it, for names that begin with a quote themselves.
  const lines = options.objects.map((path) => `"${path.replace(/[\\"]/g, "\\$&")}"\n`);
  writeFileSync(join(gitFolder, "objects", "info", "alternates"), lines.join(""));
}

/** As `git init` writes it; git is not asked, for to start it takes longer than all of this. */
function configFor({ objectFormat, branch }: RepositoryOptions): string {
  const isPlain = objectFormat === "sha1";
  const core = [
    `repositoryformatversion = ${isPlain ? 0 : 1}`,
    "filemode = true",
    `bare = ${branch === undefined}`,
  ];
  const lines = [...core, ...(branch === undefined ? [] : ["logallrefupdates = true"])];
  const extensions = isPlain ? "" : `[extensions]\n\tobjectformat = ${objectFormat}\n`;
  return `[core]\n${lines.map((line) => `\t${line}\n`).join("")}${extensions}`;
}

/** The repository of a session: its base's objects are those of the pristine checkout. */
export function makeSessionRepository(
  gitFolder: string,
  checkout: string,
  options: { readonly objectFormat: string; readonly excludes: string },
): void {
  const objects = [join(checkout, ".git", "objects")];
  makeRepository(gitFolder, { objectFormat: options.objectFormat, objects });
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
