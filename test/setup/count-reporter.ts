import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import type { Counts } from "../../scripts/counts.ts";

/** Writes how many tests passed, failed and were skipped to a file, for the closing line of `npm test`. */
export class CountReporter implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    // A file that could not be loaded, a failed hook and a stray rejection have no test to be counted by.
    const brokenFiles = modules.filter((module) => module.errors().length > 0).length;
    const counts: Counts = {
      passed: states.filter((state) => state === "passed").length,
      failed:
        states.filter((state) => state === "failed" || state === "pending").length +
        brokenFiles +
        unhandledErrors.length,
      skipped: states.filter((state) => state === "skipped").length,
    };
    writeFileSync(this.#path, JSON.stringify(counts));
  }
}
