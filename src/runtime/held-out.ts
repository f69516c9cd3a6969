/**
 * Held-out files: checks that the worker never sees. They are kept in the state folder under the digest of their
 * content, so that nobody can exchange them later, and put only into the sandbox of their own check.
 */
import { hash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import { syncFolder } from "../sandbox/daemon/durable.ts";

const FILES_MAX = 10_000;
const BYTES_MAX = 256 * 2 ** 20;

interface HeldOutFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly sha256: string;
}

/**
 * Copies the content of `folder` into `store`. @param workspace - where the worker can see everything
 * @returns digest of names, modes and contents
 * @throws NightshiftError `E_CONTRACT_INVALID`
 */
export function keepHeldOut(folder: string, store: string, workspace: string): string {
  if (!existsSync(folder) || !lstatSync(folder).isDirectory())
    throw refused(`there is no folder ${folder} with held-out files`);
  const place = relative(realpathSync(workspace), realpathSync(folder));
  if (place === "" || (!place.startsWith("..") && !place.startsWith("/")))
    throw refused(`${folder} is within the workspace, where the agent can read it`);
  const files = filesOf(folder);
  if (files.length === 0) throw refused(`${folder} holds no files`);
  const digest = digestOf(files);
  const kept = join(store, digest);
  if (findHeldOut(digest, store) !== undefined) return digest;
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const build = mkdtempSync(join(store, "build-"));
  try {
    for (const { path } of files) {
      mkdirSync(dirname(join(build, path)), { recursive: true });
      copyFileSync(join(folder, path), join(build, path));
    }
    if (digestOf(filesOf(build)) !== digest) throw refused(`${folder} changed while it was read`);
    syncTree(build);
    // What is there of that name is damaged.
    rmSync(kept, { recursive: true, force: true });
    renameSync(build, kept);
    syncFolder(store);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
  return digest;
}

/** The kept files of that digest; undefined when they are not here, or are not what they were. */
export function findHeldOut(digest: string, store: string): string | undefined {
  const kept = join(store, digest);
  return /^[0-9a-f]{64}$/.test(digest) && existsSync(kept) && digestOf(filesOf(kept)) === digest
    ? kept
    : undefined;
}

/** A contract names these files: they must outlive a power failure as it does. */
function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    syncFolder(join(entry.parentPath, entry.name));
  syncFolder(folder);
}

function digestOf(files: readonly HeldOutFile[]): string {
  return hash("sha256", JSON.stringify(["nightshift held-out 1", files]), "hex");
}

function filesOf(folder: string): HeldOutFile[] {
  const files: HeldOutFile[] = [];
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isDirectory()) continue;
    if (!entry.isFile()) throw refused(`${path} in ${folder} is neither a file nor a folder`);
    const { size, mode } = lstatSync(join(folder, path));
    bytes += size;
    if (files.length >= FILES_MAX || bytes > BYTES_MAX)
      throw refused(`${folder} holds more than ${FILES_MAX} files or ${BYTES_MAX / 2 ** 20} MiB`);
    const sha256 = hash("sha256", readFileSync(join(folder, path)), "hex");
    files.push({ path, isExecutable: (mode & 0o100) !== 0, sha256 });
  }
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}

function refused(message: string): NightshiftError {
  return new NightshiftError("E_CONTRACT_INVALID", message);
}
