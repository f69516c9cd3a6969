/**
 * Looking at hostile files while their owner may still be at work. A folder is opened without following links, and
 * everything in it is reached through that descriptor: whatever is swapped for a link meanwhile, no path leads out.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Opening a pipe must not wait for its other end. */
const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** An open folder. Names are one character per byte. */
export class OpenFolder {
  readonly #file: number;
  readonly #path: string;

  private constructor(file: number, path: string) {
    this.#file = file;
    // Without /proc the path itself has to do; then the owner must not be at work.
    this.#path = process.platform === "linux" ? `/proc/self/fd/${file}` : path;
  }

  /** Opens a folder that the host has made. */
  static open(path: string): OpenFolder {
    return new OpenFolder(openSync(path, FOLDER_FLAGS), path);
  }

  /** Opens a folder within this one; undefined when it is none, or not to be read. */
  child(name: string): OpenFolder | undefined {
    try {
      return new OpenFolder(openSync(this.#at(name), FOLDER_FLAGS), `${this.#path}/${name}`);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** All names in it, in no order. */
  names(): string[] {
    return readdirSync(this.#path, "latin1");
  }

  /** What there is, itself and not what it links to; undefined when it is gone. */
  look(name: string): Stats | undefined {
    return lstatSync(this.#at(name), { throwIfNoEntry: false });
  }

  /** Target of a symbolic link; undefined when it is none any more. */
  readLink(name: string): Buffer | undefined {
    try {
      return readlinkSync(this.#at(name), "buffer");
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** Opens a regular file; undefined when it is none any more, or not to be read. */
  openFile(name: string): OpenFile | undefined {
    let file: number;
    try {
      file = openSync(this.#at(name), FILE_FLAGS);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
    const opened = new OpenFile(file);
    if (opened.stats.isFile()) return opened;
    opened.close();
    return undefined;
  }

  /** The folder of that name, made if there is none; whatever else has the name is removed. */
  enter(name: string): OpenFolder {
    const found = this.look(name);
    if (found !== undefined && !found.isDirectory()) unlinkSync(this.#at(name));
    if (found?.isDirectory() !== true) mkdirSync(this.#at(name));
    return new OpenFolder(openSync(this.#at(name), FOLDER_FLAGS), `${this.#path}/${name}`);
  }

  /** Removes whatever has that name; what is in a folder goes with it. */
  clear(name: string): void {
    rmSync(this.#at(name), { recursive: true, force: true });
  }

  /** Removes a folder if nothing is in it. */
  removeEmpty(name: string): boolean {
    try {
      rmdirSync(this.#at(name));
      return true;
    } catch {
      return false;
    }
  }

  /** Makes a file; the name must be free. */
  write(name: string, content: Buffer, isExecutable: boolean): void {
    writeFileSync(this.#at(name), content, { flag: "wx", mode: isExecutable ? 0o755 : 0o644 });
  }

  /** Makes a symbolic link; the name must be free. */
  link(name: string, target: Buffer): void {
    symlinkSync(target, this.#at(name));
  }

  /** On which file system it is. */
  get device(): number {
    return fstatSync(this.#file).dev;
  }

  close(): void {
    closeSync(this.#file);
  }

  #at(name: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#path}/`), Buffer.from(name, "latin1")]);
  }
}

/** An open regular file. */
export class OpenFile {
  readonly #file: number;
  readonly stats: Stats;

  constructor(file: number) {
    this.#file = file;
    this.stats = fstatSync(file);
  }

  /** The next bytes; none at the end. */
  read(buffer: Buffer): Buffer {
    return buffer.subarray(0, readSync(this.#file, buffer, 0, buffer.length, null));
  }

  /** All of it, as long as it was when it was opened; less if it got shorter. */
  readAll(): Buffer {
    const content = Buffer.alloc(this.stats.size);
    let length = 0;
    for (let part = this.read(content); part.length > 0; part = this.read(content.subarray(length)))
      length += part.length;
    return content.subarray(0, length);
  }

  /** Has it changed since it was opened? */
  hasChanged(): boolean {
    return stampOf(fstatSync(this.#file)) !== stampOf(this.stats);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Changes whenever content or mode do, unless within one tick of the clock. */
export function stampOf(stats: Stats): string {
  return `${stats.ino} ${stats.size} ${stats.mode} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "ENXIO", "EISDIR"].includes(code);
}
