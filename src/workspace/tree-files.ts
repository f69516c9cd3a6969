/** Fresh files with the content of a tree, for one sandbox. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import { Commits } from "./commits.ts";
import type { ExtraFiles, TreeFiles, WorkspaceFiles } from "./contract.ts";
import { copyExtra } from "./extra-files.ts";
import { makeFilesIn } from "./files.ts";
import type { Place } from "./place.ts";
import { type OwnFiles, putChanges, writingTo } from "./put-changes.ts";
import { type FilesContext, overlayIn } from "./session-files.ts";

/** See the contract of workspaces. They are marked with this process: when it dies, they are leftovers. */
export async function openTreeFiles(
  context: FilesContext,
  place: Place,
  tree: string,
  extra: ExtraFiles | null,
  signal: AbortSignal,
): Promise<TreeFiles> {
  const { git, session, record, checkout, pristine } = context;
  const gitFolder = session.repository;
  const changes = await changesTo(context, tree, signal);
  const build = place.build();
  try {
    const folder = join(build, "files");
    mkdirSync(folder);
    await makeFilesIn(folder, git, session, record, checkout, signal);
    const own = ownFilesIn(folder, context);
    if (changes.length > 0 || extra !== null) {
      await writingTo(git, own, async (top) => {
        await putChanges({ git, gitFolder, objectFormat: pristine.objectFormat }, top, changes, signal);
        if (extra !== null) copyExtra(top, extra, context.limits, signal);
      });
    }
    return { files: workspaceFilesIn(build, own), close: () => place.removeBuild(build) };
  } catch (error) {
    await place.removeBuild(build);
    throw error;
  }
}

async function changesTo(
  { git, session, record }: FilesContext,
  tree: string,
  signal: AbortSignal,
): ReturnType<Commits["rawChanges"]> {
  const message = `the tree ${JSON.stringify(tree)} of session ${session.sessionId} cannot be read`;
  if (!Commits.isHash(tree)) throw new NightshiftError("E_WORKSPACE_UNKNOWN", message);
  try {
    const range = { from: record.base, to: tree };
    return await new Commits(git, session.repository).rawChanges(range, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new NightshiftError("E_WORKSPACE_UNKNOWN", `${message}: ${messageOf(error)}`, { cause: error });
  }
}

function ownFilesIn(folder: string, { session, record, checkout }: FilesContext): OwnFiles {
  if (record.kind === "copy") return { kind: "copy", folder: join(folder, "copy") };
  const overlay = overlayIn(folder, session, record, checkout);
  return { kind: "overlay", overlay, view: join(folder, "view") };
}

function workspaceFilesIn(build: string, own: OwnFiles): WorkspaceFiles {
  return own.kind === "copy" ? { workspace: own.folder } : { workspace: build, overlay: own.overlay };
}
