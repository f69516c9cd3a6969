import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Check } from "../../../src/core/contract/contract.ts";
import type { RunnerMatch, TestReport, TreeReader } from "../../../src/referee/contract.ts";
import { createRunners } from "../../../src/referee/runners/runners.ts";

/** Files of a small project, by path. */
export type ProjectFiles = Readonly<Record<string, string>>;

/** What came of a check that was run without a sandbox. */
export interface CheckOutcome {
  readonly match: RunnerMatch;
  readonly exitCode: number | null;
  readonly output: string;
  readonly report: TestReport;
  /** `passed` and so on by id. */
  readonly statuses: Readonly<Record<string, string>>;
}

/** How a check is run. */
export interface RunOptions {
  readonly folder?: string;
  readonly shell?: boolean;
  /** To go before everything else in PATH. */
  readonly path?: string;
  /** Called between the end of the run and the reading of its records. */
  readonly meddle?: (exchange: string) => Promise<void>;
}

/** A tree whose files are these. */
export function treeOf(files: ProjectFiles): TreeReader {
  return {
    list: () =>
      Promise.resolve(
        Object.keys(files)
          .sort()
          .map((path) => ({ path, mode: "100644", object: "0".repeat(40) })),
      ),
    read: (path) => Promise.resolve(files[path] === undefined ? undefined : Buffer.from(files[path])),
  };
}

/** The check that a person has written as this text. */
export function checkOf(text: string, { folder = "", shell = false }: RunOptions = {}): Check {
  return { argv: shell ? [text] : text.split(" "), folder, shell };
}

/** Runs a check on a project in a temporary folder, with the harness's reporters, and reads its report. */
export async function runCheck(
  files: ProjectFiles,
  text: string,
  options: RunOptions = {},
): Promise<CheckOutcome> {
  const runners = createRunners();
  const check = checkOf(text, options);
  const match = await runners.match(check, treeOf(files));
  if (match === null) throw new Error(`${text} is not recognised`);
  const place = await mkdtemp(join(tmpdir(), "nightshift-runner-"));
  try {
    const workspace = join(place, "workspace");
    const exchange = join(place, "exchange");
    await writeProject(workspace, files);
    await mkdir(exchange);
    const instrumented = await runners.instrument({
      ...{ match, check, innerTools: runners.toolsFolder },
      exchange: { outer: exchange, inner: exchange },
      key: randomBytes(32).toString("hex"),
    });
    const { exitCode, output } = await shell(workspace, instrumented.command, {
      HOME: place,
      PATH: [options.path, process.env.PATH].filter((each) => each !== undefined).join(":"),
      EXCHANGE: exchange,
      ...instrumented.environment,
    });
    await options.meddle?.(exchange);
    const report = await instrumented.report({ exitCode, output });
    const statuses = Object.fromEntries(report.tests.map(({ id, status }) => [id, status]));
    return { match, exitCode, output, report, statuses };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function writeProject(folder: string, files: ProjectFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
}

function shell(
  folder: string,
  command: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const {
    promise,
    resolve: settle,
    reject,
  } = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  const child = spawn("bash", ["-c", command], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.once("error", reject);
  child.once("close", (exitCode) => settle({ exitCode, output }));
  return promise;
}

/** Would a referee that asks for this test call it met? */
export function wouldPass({ exitCode, report, statuses }: CheckOutcome, id: string): boolean {
  return (
    exitCode === 0 &&
    report.isComplete &&
    report.canary === "failed as it must" &&
    report.problems.length === 0 &&
    statuses[id] === "passed" &&
    report.tests.every(({ status }) => status !== "failed")
  );
}
