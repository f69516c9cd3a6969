/** What happened, line by line: printed for a failing seed, hashed to compare two runs of one seed. */
import { hash } from "node:crypto";
import type { Scheduler } from "./scheduler.ts";

/** The story of one simulation. */
export class Trace {
  readonly #scheduler: Pick<Scheduler, "monotonicMs">;
  readonly #lines: string[] = [];

  constructor(scheduler: Pick<Scheduler, "monotonicMs">) {
    this.#scheduler = scheduler;
  }

  /** @param who - a process, or `world`, `daemon`, `log` */
  note(who: string, what: string, detail = ""): void {
    this.#lines.push(`${this.#scheduler.monotonicMs().toFixed(0)} ${who} ${what} ${detail}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Equal for equal stories. */
  digest(): string {
    return hash("sha256", this.#lines.join("\n"), "hex");
  }

  /** The last `count` lines, made readable. */
  print(count = Number.POSITIVE_INFINITY): string {
    return this.#lines.slice(-count).map(readable).join("\n");
  }
}

function readable(line: string): string {
  const [ms = "", who = "", what = "", ...detail] = line.split(" ");
  const seconds = (Number(ms) / 1000).toFixed(3).padStart(10);
  return `${seconds}s  ${who.padEnd(9)} ${what.padEnd(16)} ${detail.join(" ")}`.trimEnd();
}
