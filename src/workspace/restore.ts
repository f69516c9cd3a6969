/** Giving a session new files with the content of a commit. Only what differs from the base is written. */
import { join } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import { treeOfFiles } from "./checkpoint.ts";
import { Commits, type RawChange } from "./commits.ts";
import type { CommitHash, WorkspaceFiles } from "./contract.ts";
import { makeFiles, nextGeneration, removeOldFiles } from "./files.ts";
import { readBlobs, sizesOf } from "./large-files.ts";
import { WritableView } from "./overlay.ts";
import type { Place } from "./place.ts";
import { removeTree } from "./remove.ts";
import { type FilesContext, overlayOf, workspaceFilesOf } from "./session-files.ts";
import { OpenFolder } from "./walk.ts";

const BATCH_BYTES = 64 * 2 ** 20;
const GITLINK = "160000";
const LINK = "120000";

/** See the contract of workspaces. */
export async function restoreFiles(
  context: FilesContext,
  place: Place,
  commit: CommitHash,
  signal: AbortSignal,
): Promise<WorkspaceFiles> {
  const { git, session, record, checkout } = context;
  const commits = new Commits(git, session.repository);
  const isBase = commit === record.base;
  if (!isBase) await commits.check([commit], signal);
  const next = { ...record, generation: nextGeneration(session, record) };
  const nextContext = { ...context, record: next };
  try {
    const changes = isBase ? [] : await commits.rawChanges({ from: record.base, to: commit }, signal);
    await makeFiles(git, session, next, checkout, signal);
    if (changes.length > 0) await applyChanges(nextContext, changes, signal);
    const tree = isBase ? record.tree : (await commits.read(commit, signal)).tree;
    // Files over the base without any change are the base.
    const found = changes.length > 0 ? await treeOfFiles(nextContext, place, signal) : record.tree;
    if (found !== tree) {
      const message = `the files restored from ${commit} have tree ${found} instead of ${tree}`;
      throw new NightshiftError("E_WORKSPACE_DAMAGED", message);
    }
  } catch (error) {
    await removeTree(session.generation(next.generation));
    throw error;
  }
  session.write(next);
  await removeOldFiles(session, next);
  return workspaceFilesOf(nextContext);
}

async function applyChanges(
  context: FilesContext,
  changes: readonly RawChange[],
  signal: AbortSignal,
): Promise<void> {
  const { git, session, record, checkout } = context;
  const write = (folder: string): Promise<void> => writeChanges(context, folder, changes, signal);
  if (record.kind === "copy") return write(join(session.generation(record.generation), "copy"));
  const overlay = overlayOf(session, record, checkout);
  const view = await WritableView.open(overlay, session.view, git.cleanEnvironment);
  try {
    await write(view.folder);
  } finally {
    await view.close();
  }
}

async function writeChanges(
  { git, session }: FilesContext,
  folder: string,
  changes: readonly RawChange[],
  signal: AbortSignal,
): Promise<void> {
  const top = OpenFolder.open(folder);
  try {
    // Before anything is written: a file may take the place of a folder, and the other way round.
    for (const { path, status } of changes) if (status === "D") removeFile(top, path.split("/"));
    const kept = changes.filter(({ status, mode }) => status !== "D" && mode !== GITLINK);
    const place = { gitFolder: session.repository };
    const objects = kept.map(({ object }) => object);
    const sizes = await sizesOf(git, place, objects, signal);
    for (const batch of batchesOf(kept, sizes)) {
      const contents = await readBlobs(
        git,
        place,
        batch.map(({ object }) => object),
        signal,
      );
      for (const [index, change] of batch.entries()) {
        putFile(top, change.path.split("/"), change.mode, Buffer.from(contents[index] ?? "", "latin1"));
      }
    }
  } finally {
    top.close();
  }
}

/** Removes a file, and then the folders that are empty without it. */
function removeFile(folder: OpenFolder, [name = "", ...rest]: readonly string[]): void {
  if (rest.length === 0) {
    folder.clear(name);
    return;
  }
  const child = folder.child(name);
  if (child === undefined) return;
  removeFile(child, rest);
  child.close();
  folder.removeEmpty(name);
}

/** Nothing on the way is followed: whatever is no folder is replaced by one. */
function putFile(
  folder: OpenFolder,
  [name = "", ...rest]: readonly string[],
  mode: string,
  content: Buffer,
): void {
  if (rest.length > 0) {
    const child = folder.enter(name);
    putFile(child, rest, mode, content);
    child.close();
    return;
  }
  folder.clear(name);
  if (mode === LINK) folder.link(name, content);
  else folder.write(name, content, mode === "100755");
}

function* batchesOf(
  changes: readonly RawChange[],
  sizes: ReadonlyMap<string, number>,
): Generator<RawChange[]> {
  let batch: RawChange[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = sizes.get(change.object) ?? 0;
    if (batch.length > 0 && bytes + size > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(change);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
