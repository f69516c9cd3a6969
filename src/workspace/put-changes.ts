/** Writing what differs between two trees into files, from objects. No path leads out, and no link is followed. */
import { NightshiftError } from "../core/errors.ts";
import type { Overlay } from "../sandbox/contract.ts";
import { blobName } from "./blobs.ts";
import type { RawChange } from "./commits.ts";
import type { Git } from "./git.ts";
import { readBlobs, sizesOf } from "./large-files.ts";
import { WritableView } from "./overlay.ts";
import { isPlainPath, readablePath } from "./paths.ts";
import { OpenFolder } from "./walk.ts";

const BATCH_BYTES = 64 * 2 ** 20;
const GITLINK = "160000";
const LINK = "120000";

/** Files that nobody else uses, where the host can write to them. */
export type OwnFiles =
  /** `view`: an empty folder, or none, where a helper mounts it. */
  | { readonly kind: "overlay"; readonly overlay: Overlay; readonly view: string }
  | { readonly kind: "copy"; readonly folder: string };

/** Opens the top of the files while `act` runs. */
export async function writingTo(
  git: Git,
  files: OwnFiles,
  act: (top: OpenFolder) => Promise<void>,
): Promise<void> {
  if (files.kind === "copy") return actIn(files.folder, act);
  const view = await WritableView.open(files.overlay, files.view, git.cleanEnvironment);
  try {
    await actIn(view.folder, act);
  } finally {
    await view.close();
  }
}

async function actIn(folder: string, act: (top: OpenFolder) => Promise<void>): Promise<void> {
  const top = OpenFolder.open(folder);
  try {
    await act(top);
  } finally {
    top.close();
  }
}

/** Where the contents are. */
export interface ObjectSource {
  readonly git: Git;
  readonly gitFolder: string;
  readonly objectFormat: string;
}

/** Writes the changes. @throws NightshiftError `E_WORKSPACE_DAMAGED` for a content that is not what its name says */
export async function putChanges(
  source: ObjectSource,
  top: OpenFolder,
  changes: readonly RawChange[],
  signal: AbortSignal,
): Promise<void> {
  const unsafe = changes.find(({ path }) => !isPlainPath(path));
  if (unsafe !== undefined)
    throw damaged(`a tree has the path ${JSON.stringify(readablePath(unsafe.path))}, which no tree may have`);
  // Before anything is written: a file may take the place of a folder, and the other way round.
  for (const { path, status } of changes) if (status === "D") removeFile(top, path.split("/"));
  const kept = changes.filter(({ status, mode }) => status !== "D" && mode !== GITLINK);
  const { git, gitFolder, objectFormat } = source;
  const place = { gitFolder };
  const objects = kept.map(({ object }) => object);
  const sizes = await sizesOf(git, place, objects, signal);
  const missing = objects.find((object) => !sizes.has(object));
  if (missing !== undefined) throw damaged(`the object ${missing} is missing`);
  for (const batch of batchesOf(kept, sizes)) {
    const names = batch.map(({ object }) => object);
    const contents = await readBlobs(git, place, names, signal);
    for (const [index, change] of batch.entries()) {
      const content = Buffer.from(contents[index] ?? "", "latin1");
      if (blobName(content, objectFormat) !== change.object)
        throw damaged(`the object ${change.object} is not what its name says`);
      putFile(top, change.path.split("/"), change.mode, content);
    }
  }
}

function damaged(message: string): NightshiftError {
  return new NightshiftError("E_WORKSPACE_DAMAGED", message);
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
export function putFile(
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
