/** Putting a folder of the host into files, without following a link on either side. */
import { NightshiftError } from "../core/errors.ts";
import type { ExtraFiles, WorkspaceLimits } from "./contract.ts";
import { type BytePath, bytesOfText, isPlainPath, isReservedName, joinPath, readablePath } from "./paths.ts";
import { OpenFolder } from "./walk.ts";

const DEPTH_MAX = 64;

/** Copies the content of `extra.folder`; what has the same name is replaced. @throws NightshiftError `E_CONTRACT_FILE` */
export function copyExtra(
  top: OpenFolder,
  { folder, target }: ExtraFiles,
  limits: WorkspaceLimits,
  signal: AbortSignal,
): void {
  const path = bytesOfText(target);
  if (path !== "" && !isPlainPath(path)) {
    throw refusal(`files cannot be put at ${JSON.stringify(target)}`, "Name a folder below the workspace.");
  }
  const source = openSource(folder);
  try {
    new Copy(limits, signal).into(top, path === "" ? [] : path.split("/"), source);
  } finally {
    source.close();
  }
}

function openSource(folder: string): OpenFolder {
  try {
    return OpenFolder.open(folder);
  } catch (error) {
    throw new NightshiftError("E_CONTRACT_FILE", `the folder ${folder} cannot be read`, { cause: error });
  }
}

function refusal(message: string, hint: string): NightshiftError {
  return new NightshiftError("E_CONTRACT_FILE", message, { hint });
}

class Copy {
  readonly #limits: WorkspaceLimits;
  readonly #signal: AbortSignal;
  #bytes = 0;
  #entries = 0;

  constructor(limits: WorkspaceLimits, signal: AbortSignal) {
    this.#limits = limits;
    this.#signal = signal;
  }

  /** Goes down to the target first; whatever is no folder there is replaced by one. */
  into(folder: OpenFolder, [name, ...rest]: readonly string[], source: OpenFolder): void {
    if (name === undefined) {
      this.#folder(folder, source, "" as BytePath, 0);
      return;
    }
    const child = folder.enter(name);
    try {
      this.into(child, rest, source);
    } finally {
      child.close();
    }
  }

  #folder(target: OpenFolder, source: OpenFolder, path: BytePath, depth: number): void {
    this.#signal.throwIfAborted();
    if (depth > DEPTH_MAX) throw this.#tooLarge(`folders ${DEPTH_MAX} deep`);
    for (const name of source.names()) {
      if (isReservedName(name)) continue;
      if (++this.#entries > this.#limits.entries) throw this.#tooLarge(`${this.#limits.entries} entries`);
      const own = joinPath(path, name);
      const child = source.child(name);
      if (child === undefined) {
        this.#file(target, source, name, own);
        continue;
      }
      const made = target.enter(name);
      try {
        this.#folder(made, child, own, depth + 1);
      } finally {
        made.close();
        child.close();
      }
    }
  }

  #file(target: OpenFolder, source: OpenFolder, name: string, path: BytePath): void {
    const link = source.look(name)?.isSymbolicLink() ? source.readLink(name) : undefined;
    if (link !== undefined) {
      target.clear(name);
      target.link(name, link);
      return;
    }
    const file = source.openFile(name);
    if (file === undefined) {
      throw refusal(`${readablePath(path)} is no file that can be read`, "Make it a file, or remove it.");
    }
    try {
      this.#bytes += file.stats.size;
      if (file.stats.size > this.#limits.fileBytes) throw this.#tooLarge(`${this.#limits.fileBytes} bytes`);
      if (this.#bytes > this.#limits.totalBytes) throw this.#tooLarge(`${this.#limits.totalBytes} bytes`);
      target.clear(name);
      target.write(name, file.readAll(), (file.stats.mode & 0o100) !== 0);
    } finally {
      file.close();
    }
  }

  #tooLarge(limit: string): NightshiftError {
    return refusal(`the files of a held-out check have more than ${limit}`, "Keep them small.");
  }
}
