/** A harness as a process of its own, as a person would start it; made to be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../runtime/config.ts";

/** The entry, compiled or not, whichever this file is. */
const ENTRY: string = import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js";

/** How a process ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** All that it printed. */
  readonly output: string;
}

/** A `nightshift` command that runs. */
export class HarnessProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ending>;

  /** @param onLine - called for each line that it prints */
  constructor(words: readonly string[], environment: Environment, onLine: (line: string) => void) {
    const path = fileURLToPath(new URL(ENTRY, import.meta.url));
    this.#child = spawn(process.execPath, [path, ...words], {
      env: { ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      // A Ctrl-C at the terminal is for the demonstration, which then ends its processes itself.
      detached: true,
    });
    this.ended = this.#watch(onLine);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** As `kill -9` does: it cannot be caught, nothing can be saved. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #watch(onLine: (line: string) => void): Promise<Ending> {
    const child = this.#child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        output += `${line}\n`;
        onLine(line);
      });
    }
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode, signal) => resolve({ exitCode, signal, output }));
    });
  }
}
