/**
 * Folders that are reached one by one, each through the descriptor of the one before and never through a link: whatever
 * a command swaps meanwhile, nothing else is reached than what was looked at.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Only a place in the file system: rights to read are asked for when it is read. Node has no name for it. */
const O_PATH = 0o10000000;
const FLAGS = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A folder that is held, whatever becomes of its name. */
export class HeldFolder implements AsyncDisposable {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** A folder whose path nobody can swap. */
  static async open(path: string): Promise<HeldFolder> {
    return new HeldFolder(await open(path, FLAGS));
  }

  /** A folder right in this one. @throws Error `ENOTDIR`, `ELOOP` for a link, `ENOENT` */
  child(name: string): Promise<HeldFolder> {
    return HeldFolder.open(this.at(name));
  }

  /** A folder below this one. */
  async below(names: readonly string[]): Promise<HeldFolder> {
    let folder: HeldFolder = await this.child(".");
    for (const name of names) {
      const parent = folder;
      try {
        folder = await parent.child(name);
      } finally {
        await parent[Symbol.asyncDispose]();
      }
    }
    return folder;
  }

  /** What has a name in this folder; a path for this process only, as long as the folder is held. */
  at(name: string): string {
    return `/proc/self/fd/${this.#handle.fd}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
