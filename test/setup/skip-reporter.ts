import type { Reporter, TestModule } from "vitest/node";

/** Names every skipped test with the reason given to `context.skip(reason)`, so that no gap stays silent. */
export class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        const reason = (result.state === "skipped" && result.note) || "no reason given";
        process.stdout.write(`skipped: ${test.fullName} (${reason})\n`);
      }
    }
  }
}
