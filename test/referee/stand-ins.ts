/** Small parts of a referee that behave as the real ones do, as far as the orchestration can tell. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionId } from "../../src/core/ids.ts";
import { changesBetween } from "../../src/referee/changes.ts";
import type {
  Composition,
  RefereeTrees,
  RunnerMatch,
  Runners,
  TestReport,
  TestResult,
} from "../../src/referee/contract.ts";
import type { Workspaces } from "../../src/workspace/contract.ts";

/** Protects `test/`: pass A has the base's, and an edit waits for a person. A link at its place is refused. */
export function simpleTrees(workspaces: Workspaces): RefereeTrees {
  return {
    reader: (sessionId, tree, signal) => workspaces.reader(sessionId as SessionId, tree, signal),
    open: (sessionId, tree, extra, signal) =>
      workspaces.openTree(sessionId as SessionId, tree, extra, signal),
    async compose(session, { base, candidate }, signal): Promise<Composition> {
      const sessionId = session as SessionId;
      const [before, after] = [base, candidate].map((each) => workspaces.reader(sessionId, each, signal));
      if (before === undefined || after === undefined) throw new Error("two readers");
      const isProtected = (path: string): boolean => path === "test" || path.startsWith("test/");
      const [old, now] = [await before.list(), await after.list()];
      const mixed = [
        ...now.filter(({ path }) => !isProtected(path)),
        ...old.filter(({ path }) => isProtected(path)),
      ];
      const changed = (await changesBetween(before, after)).filter(({ path }) => isProtected(path));
      const edited = changed.filter(({ change }) => change !== "added");
      const link = now.find(({ path, mode }) => path === "test" && mode === "120000");
      return {
        treeA: await workspaces.composeTree(sessionId, mixed, signal),
        treeB: await workspaces.composeTree(sessionId, now, signal),
        baseTree: await workspaces.composeTree(sessionId, old, signal),
        findings:
          link === undefined
            ? edited.map(({ path }) => ({
                gate: "protected",
                path,
                detail: "it was edited",
                effect: "review",
              }))
            : [{ gate: "symlink", path: "test", detail: "a link in its place", effect: "refuse" }],
        changed,
      };
    },
  };
}

/** `node --test`, read from a TAP file. */
export const simpleRunners: Runners = {
  toolsFolder: join(import.meta.dirname),
  async match({ argv, folder }): Promise<RunnerMatch | null> {
    if (argv[0] !== "node" || argv[1] !== "--test") return null;
    const protects = ["test/**"];
    return { kind: "node-test", before: [], after: [], argv, folder, protects, testFiles: protects };
  },
  around: () => ({ before: [], after: [] }),
  async instrument({ match, exchange }) {
    const words = ["--test-reporter=tap", `--test-reporter-destination=${exchange.inner}/report.tap`];
    const [node = "", flag = "", ...rest] = match.argv;
    return {
      command: `exec ${[node, flag, ...words, ...rest].join(" ")}`,
      environment: {},
      report: async () => readTap(join(exchange.outer, "report.tap"), rest.at(-1) ?? ""),
    };
  },
};

function readTap(path: string, file: string): TestReport {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const tests = [...text.matchAll(/^(not )?ok \d+ - (.*?)( # SKIP.*)?$/gm)].map(
    ([, failed, name = "", skipped]): TestResult => ({
      id: `${file} › ${name}`,
      file,
      status: failed !== undefined ? "failed" : skipped === undefined ? "passed" : "skipped",
    }),
  );
  return {
    runner: "node-test",
    channel: "plain",
    tests,
    isComplete: /^# tests \d+$/m.test(text),
    canary: "absent",
    problems: [],
  };
}
