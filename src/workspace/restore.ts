/** Giving a session new files with the content of a commit. Only what differs from the base is written. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NightshiftError } from "../core/errors.ts";
import { treeOfFiles } from "./checkpoint.ts";
import { Commits } from "./commits.ts";
import type { CommitHash, WorkspaceFiles } from "./contract.ts";
import { makeFiles, nextGeneration, removeOldFiles, replaced } from "./files.ts";
import type { Place } from "./place.ts";
import { putChanges, writingTo } from "./put-changes.ts";
import { removeTree } from "./remove.ts";
import { type FilesContext, ownFilesOf, workspaceFilesOf } from "./session-files.ts";
import { OpenFolder } from "./walk.ts";

const runFile = promisify(execFile);

/** See the contract of workspaces. */
export async function restoreFiles(
  context: FilesContext,
  place: Place,
  commit: CommitHash,
  signal: AbortSignal,
): Promise<WorkspaceFiles> {
  const { git, session, record, checkout, pristine } = context;
  const commits = new Commits(git, session.repository);
  const isBase = commit === record.base;
  if (!isBase) await commits.check([commit], signal);
  const next = { ...record, generation: nextGeneration(session, record) };
  const nextContext = { ...context, record: next };
  await makeFiles(git, session, next, checkout, signal);
  try {
    const changes = isBase ? [] : await commits.rawChanges({ from: record.base, to: commit }, signal);
    if (changes.length > 0) {
      const source = { git, gitFolder: session.repository, objectFormat: pristine.objectFormat };
      const write = (top: OpenFolder): Promise<void> => putChanges(source, top, changes, signal);
      await writingTo(git, ownFilesOf(nextContext), write);
    }
    const tree = isBase ? record.tree : (await commits.read(commit, signal)).tree;
    // Files over the base without any change are the base.
    const found = changes.length > 0 ? await treeOfFiles(nextContext, place, signal) : record.tree;
    if (found !== tree) {
      const message = `the files restored from ${commit} have tree ${found} instead of ${tree}`;
      throw new NightshiftError("E_WORKSPACE_DAMAGED", message);
    }
    if (session.mustRead().generation !== record.generation) throw replaced(session);
  } catch (error) {
    await removeTree(session.generation(next.generation));
    throw error;
  }
  session.write(next);
  await removeOldFiles(session, next);
  return workspaceFilesOf(nextContext);
}

/** Puts the files of a commit into an empty folder in the file system of the checkout. */
export async function extractFiles(
  { git, session, record, checkout, pristine }: FilesContext,
  commit: CommitHash,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const commits = new Commits(git, session.repository);
  await commits.check([commit], signal);
  const entries = readdirSync(checkout).filter((name) => name !== ".git");
  const sources = entries.map((name) => join(checkout, name));
  if (sources.length > 0)
    await runFile("cp", ["-al", "--", ...sources, folder], { signal, env: git.cleanEnvironment });
  const changes = await commits.rawChanges({ from: record.base, to: commit }, signal);
  const source = { git, gitFolder: session.repository, objectFormat: pristine.objectFormat };
  const top = OpenFolder.open(folder);
  try {
    await putChanges(source, top, changes, signal);
  } finally {
    top.close();
  }
}
