/**
 * Real pipes for the output of commands. Node connects children through sockets, and a socket cannot be opened
 * again: `echo oops > /dev/stderr` would fail in every script. One pipe for stdout and stderr together also keeps
 * their order. Node cannot make anonymous pipes, so named ones are made in batches, opened, and unlinked at once.
 */
import { type IOType, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf, NightshiftError } from "../../core/errors.ts";

const BATCH = 64;
const LOW = 8;

/** Both ends of a pipe. The owner closes them. */
export interface Pipe {
  /** Non-blocking. */
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** How names for pipes are made. */
export interface PipeMaker {
  /** A `mkfifo`. */
  readonly program: string;
  /**
   * Given on to the program under the same number: where commands are not trusted, the folder of the names is
   * reached through a descriptor only, because whoever opened a name could write into another command's output.
   */
  readonly folderFile?: number;
}

/** Keeps some pipes open and ready, because making one costs as much as a command. */
export class PipePool {
  readonly #folder: string;
  readonly #maker: PipeMaker;
  #ready: Pipe[] = [];
  #filling: Promise<void> | undefined;

  /** @param folder - exists and is private; names are in it for moments only, unless somebody has made a batch */
  constructor(folder: string, maker: PipeMaker = { program: "mkfifo" }) {
    this.#folder = folder;
    this.#maker = maker;
  }

  /** @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when no pipe can be made */
  async take(): Promise<Pipe> {
    if (this.#ready.length <= LOW) void this.fill().catch(() => undefined);
    for (let pipe = this.#ready.pop(); ; pipe = this.#ready.pop()) {
      if (pipe !== undefined) return pipe;
      await this.fill();
    }
  }

  /** Makes a batch, or waits for the one in the making. */
  fill(): Promise<void> {
    this.#filling ??= this.#makeBatch().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #makeBatch(): Promise<void> {
    try {
      if (readdirSync(this.#folder).length === 0) await makePipeNames(this.#folder, this.#maker);
      for (const name of readdirSync(this.#folder)) this.#ready.push(openPipe(join(this.#folder, name)));
    } catch (cause) {
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `cannot make pipes: ${messageOf(cause)}`, { cause });
    }
  }
}

/** Makes a batch of names in an empty folder. Whoever has nothing else to do can do it before a pool is there. */
export async function makePipeNames(folder: string, { program, folderFile }: PipeMaker): Promise<void> {
  const names = Array.from({ length: BATCH }, (_, index) => join(folder, `pipe-${index}`));
  const stdio: (IOType | number)[] = Array.from({ length: (folderFile ?? 2) + 1 }, () => "ignore");
  stdio[2] = "inherit";
  if (folderFile !== undefined) stdio[folderFile] = folderFile;
  const child = spawn(program, ["-m", "600", "--", ...names], { stdio });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

function openPipe(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  } finally {
    rmSync(path);
  }
}
