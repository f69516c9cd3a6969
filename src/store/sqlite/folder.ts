/** The state folder: made privately and durably, and refused where SQLite's locks cannot be trusted. */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statfsSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import { storeError } from "./sql-errors.ts";

/** The database inside a state folder. */
export const DATABASE_FILE = "log.db";
/** The heads file inside a state folder. */
export const HEADS_FILE = "heads";

/** What a folder lies on. */
export interface FileSystem {
  /** The kernel's number for the type of file system. */
  readonly magic: number;
  /** The type by its mount, where that is known; tells the many kinds of FUSE apart. */
  readonly name?: string;
}

/** Looks up what a folder lies on. */
export type FileSystemOf = (folder: string) => FileSystem;

/** Types whose locks or shared memory do not reach every machine that mounts them. */
const NETWORK: { readonly [magic: number]: string } = {
  26985: "nfs",
  20859: "smb",
  4283649346: "cifs",
  4266872130: "smb",
  16914839: "9p",
  22092: "ncp",
  1397113167: "afs",
  1799439955: "afs",
  1937076805: "coda",
  12805120: "ceph",
  198183888: "lustre",
  1196443219: "gpfs",
  18225520: "gfs2",
  1952539503: "ocfs2",
  2020557398: "vboxsf",
};

const FUSE = 0x65735546;
/** FUSE carries local file systems too, so only these are refused. */
const NETWORK_FUSE =
  /sshfs|nfs|smb|cifs|davfs|webdav|s3|gcs|rclone|gluster|ceph|juicefs|seaweed|osxfs|grpcfuse/;

/**
 * Makes the folder (for its owner alone) if it is not there yet; when this returns, its creation is durable.
 * @throws NightshiftError `E_STORE_NETWORK_FS`, `E_STORE_READ_ONLY`, `E_STORE_FULL`, `E_STORE_IO`; `E_CONFIG` when it
 *   is no folder
 */
export function prepareFolder(folder: string, fileSystemOf: FileSystemOf): void {
  const path = resolve(folder);
  const missing = missingFolders(path);
  refuseNetwork(path, fileSystemOf(dirname(missing[0] ?? `${path}/.`)));
  try {
    for (const each of missing) {
      makeFolder(each);
      syncFolder(dirname(each));
    }
    // Opens it as a folder, and fails for anything else.
    accessSync(`${path}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw storeError(error, path);
    throw new NightshiftError("E_CONFIG", `${path} cannot be a state folder: a file is in its place`, {
      cause: error,
      hint: "Pass --state with another folder.",
      data: { path },
    });
  }
}

/** Makes the names inside a folder durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The real look-up. */
export const fileSystemOf: FileSystemOf = (folder) => {
  const magic = Number(BigInt.asUintN(32, BigInt(statfsSync(folder).type)));
  if (magic !== FUSE) return { magic };
  const name = mountType(folder);
  return name === undefined ? { magic } : { magic, name };
};

function refuseNetwork(folder: string, { magic, name = "" }: FileSystem): void {
  const network = NETWORK[magic] ?? (NETWORK_FUSE.test(name) ? name : undefined);
  if (network === undefined) return;
  throw new NightshiftError("E_STORE_NETWORK_FS", `${folder} lies on a network file system (${network})`, {
    data: { folder, fileSystem: network },
  });
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may be making the same one.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The folders that have to be made, outermost first. */
function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (let each = path; !exists(each) && dirname(each) !== each; each = dirname(each)) missing.unshift(each);
  return missing;
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

/** Type of the mount that holds a folder, such as `fuse.sshfs`. */
function mountType(folder: string): string | undefined {
  let found: { readonly point: string; readonly type: string | undefined } | undefined;
  for (const line of mountLines()) {
    const [before = "", after = ""] = line.split(" - ");
    const point = (before.split(" ")[4] ?? "").replaceAll("\\040", " ");
    const holds = folder === point || folder.startsWith(point === "/" ? "/" : `${point}/`);
    if (holds && point.length >= (found?.point.length ?? 0)) found = { point, type: after.split(" ")[0] };
  }
  return found?.type;
}

function mountLines(): string[] {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  } catch {
    return [];
  }
}
