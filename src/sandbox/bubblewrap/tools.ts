/**
 * Execute-only copies of the programs that work in a pod on the daemon's behalf. The kernel lets nobody look into a
 * process whose file he may not read, so commands of the pod, which run as the same user, find neither the wire nor
 * the pipes of others among its descriptors.
 */
import { hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { reaperProgram } from "../pod/reaper.ts";

const EXECUTE_ONLY = 0o111;

/** Absolute paths of the copies. */
export interface PodTools {
  readonly node: string;
  readonly mkfifo: string;
  readonly reaper: string;
}

/**
 * Makes the copies, unless they are there.
 * @param folder - absolute; kept for all sandboxes of a state folder
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE`
 */
export function providePodTools(folder: string, path: string): PodTools {
  const mkfifo = findProgram("mkfifo", path);
  if (mkfifo === undefined) throw unavailable("there is no `mkfifo` on the PATH");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return {
      node: provide(folder, process.execPath, "node"),
      mkfifo: provide(folder, mkfifo, "mkfifo"),
      reaper: provideReaper(folder),
    };
  } catch (error) {
    throw unavailable(`the programs of pods cannot be kept in ${folder}: ${messageOf(error)}`);
  }
}

/** The program that a PATH names, if there is one. */
export function findProgram(name: string, path: string): string | undefined {
  const folders = `${path}:/usr/local/bin:/usr/bin:/bin`.split(":").filter((each) => each.startsWith("/"));
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** A program that is replaced by another version gets a copy of its own. */
function provide(folder: string, program: string, name: string): string {
  const real = realpathSync(program);
  const { size, mtimeMs, ino, dev } = statSync(real);
  // Some systems have one program for all, which goes by the name that it is called by.
  const copy = join(placeFor(folder, `${real} ${size} ${mtimeMs} ${ino} ${dev}`), name);
  const make = (temporary: string): void => copyFileSync(real, temporary, constants.COPYFILE_FICLONE);
  return keep(copy, size, make);
}

function provideReaper(folder: string): string {
  const program = reaperProgram(process.arch);
  if (program === undefined) throw new Error(`there is no reaper for ${process.arch}`);
  const copy = join(placeFor(folder, program), "reaper");
  return keep(copy, program.length, (temporary) => writeFileSync(temporary, program));
}

function placeFor(folder: string, version: string | Buffer): string {
  return join(folder, hash("sha256", version, "hex").slice(0, 16));
}

/** Whole or not at all, and from then on to be executed only. */
function keep(copy: string, size: number, make: (temporary: string) => void): string {
  if (statSync(copy, { throwIfNoEntry: false })?.size === size) return copy;
  mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
  const temporary = `${copy}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  make(temporary);
  chmodSync(temporary, 0o700);
  sync(temporary);
  chmodSync(temporary, EXECUTE_ONLY);
  renameSync(temporary, copy);
  return copy;
}

function sync(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function unavailable(message: string): NightshiftError {
  return new NightshiftError("E_SANDBOX_UNAVAILABLE", message);
}
