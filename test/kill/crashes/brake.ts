/** Lets the harness's next run of a program with a certain word stand still before it begins. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The programs that can be held. */
const PROGRAMS: readonly string[] = ["git", "bwrap"];

/** A folder for the front of the harness's PATH. */
export class Brake {
  readonly shims: string;
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, "brake");
    this.shims = join(root, "shims");
    for (const folder of [this.#folder, this.shims]) mkdirSync(folder);
    for (const program of PROGRAMS) {
      const path = whereIs(program);
      if (path !== undefined) writeFileSync(join(this.shims, program), this.#shim(path), { mode: 0o755 });
    }
  }

  #shim(program: string): string {
    const lines = [
      "#!/bin/sh",
      `brake='${this.#folder}'`,
      `if word=$(cat "$brake/armed" 2>/dev/null); then`,
      `  case " $* " in *" $word "*)`,
      // Only one of those that come gets it.
      `    if mv "$brake/armed" "$brake/held" 2>/dev/null; then`,
      `      until [ -e "$brake/released" ]; do sleep 0.02; done`,
      "    fi ;;",
      "  esac",
      "fi",
      `exec ${program} "$@"`,
    ];
    return `${lines.join("\n")}\n`;
  }

  arm(word: string): void {
    writeFileSync(join(this.#folder, "armed.new"), word);
    renameSync(join(this.#folder, "armed.new"), join(this.#folder, "armed"));
  }

  get isHeld(): boolean {
    return existsSync(join(this.#folder, "held"));
  }

  release(): void {
    writeFileSync(join(this.#folder, "released"), "");
  }
}

function whereIs(program: string): string | undefined {
  const { status, stdout } = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
