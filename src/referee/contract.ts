/**
 * The referee: judges a candidate *commit* against the contract, in fresh sandboxes that are never the worker's, and
 * believes nothing that the worker's code could have said. Its parts:
 *
 * - `tree/` composes what is checked: pass A is the candidate with protected paths from the base, pass B the candidate
 *   exactly as delivered.
 * - `runners/` recognises test runners, runs them with a reporter of the harness's, and reads its authenticated record.
 * - `ratchets/` compares counts of candidate and base: tests, assertions, skips, suppressions, configuration by key.
 * - `referee.ts` runs it all and gives the verdict; `preflight.ts` runs the checks on the base.
 */
import type { Check, Contract, Finding } from "../core/contract/contract.ts";
import type { ChangedFile, CommitHash, ExtraFiles, TreeFiles, TreeReader } from "../workspace/contract.ts";

export type { TreeFiles, TreeReader } from "../workspace/contract.ts";

/** Test runners whose own report is understood. */
export type RunnerKind =
  | "node-test"
  | "vitest"
  | "jest"
  | "mocha"
  | "pytest"
  | "go"
  | "cargo"
  | "tap"
  | "junit";

/** A check whose runner was recognised. Plain data. */
export interface RunnerMatch {
  readonly kind: RunnerKind;
  /** Commands that the script runs before and after the runner (`tsc && mocha`): see {@link Runners.around}. */
  readonly before: readonly (readonly string[])[];
  readonly after: readonly (readonly string[])[];
  /** The runner itself with its arguments, as the script calls it; variables that it sets come first, as for `env`. */
  readonly argv: readonly string[];
  /** Relative to the workspace. */
  readonly folder: string;
  /** Globs of the files that decide what this runner does: tests, configuration, set-up, snapshots. Protected. */
  readonly protects: readonly string[];
  /** Globs of the files among these that hold tests, where new ones are fine under `additive`. */
  readonly testFiles: readonly string[];
}

/** One test as its runner reported it. */
export interface TestResult {
  /** The same in every run of the same test: file, names of suites, name; with ` › ` between. */
  readonly id: string;
  readonly file: string;
  readonly status: "passed" | "failed" | "skipped";
}

/** What is known of one run of a known runner. */
export interface TestReport {
  readonly runner: RunnerKind;
  /**
   * `authenticated`: written by the harness's own reporter with a key that tests cannot read without an attack on the
   * process itself; `plain`: read from what was printed or written where tests can write too.
   */
  readonly channel: "authenticated" | "plain";
  readonly tests: readonly TestResult[];
  /** Did the runner say that it came to its end? */
  readonly isComplete: boolean;
  /** Did an assertion that must fail, fail, in the process that ran the tests? `absent`: this runner has none. */
  readonly canary: "failed as it must" | "passed" | "missing" | "absent";
  /** What is wrong with the record itself; anything here is unmet. */
  readonly problems: readonly string[];
}

/** How one check is run for its report. All paths are absolute; `inner` ones are inside of the sandbox. */
export interface InstrumentedCheck {
  /** For the sandbox's `shell` operation, in the top folder of the workspace. */
  readonly command: string;
  /** For this command, besides that of the layer. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reads the report after the run. Never throws for what a run has written. */
  report(run: { readonly exitCode: number | null; readonly output: string }): Promise<TestReport>;
}

/** What {@link Runners.instrument} needs. */
export interface InstrumentRequest {
  readonly match: RunnerMatch;
  readonly check: Check;
  /** Folder with the harness's reporters, mounted read-only at this inner path. */
  readonly innerTools: string;
  /** Empty folder of this one run, outside, and where it is mounted writable. */
  readonly exchange: { readonly outer: string; readonly inner: string };
  /** 32 random bytes in hex; known to nobody else. */
  readonly key: string;
}

/** The runners. */
export interface Runners {
  /** Outer folder with the reporters, for a read-only mount. */
  readonly toolsFolder: string;
  /** Looks through package scripts; null when no runner is recognised. @param tree - the base's */
  match(check: Check, tree: TreeReader): Promise<RunnerMatch | null>;
  /**
   * What has to exit with 0 before and after the runner, in this order; for the sandbox's `shell` operation, in the
   * top folder of the workspace. It is the worker's code: each is an execution of its own, and is cancelled when it
   * has ended, so that nothing it has started is alive when {@link instrument} writes the key.
   */
  around(match: RunnerMatch): { readonly before: readonly string[]; readonly after: readonly string[] };
  /** Writes the key into the exchange folder and says what to run. Nothing else may run in the sandbox by then. */
  instrument(request: InstrumentRequest): Promise<InstrumentedCheck>;
}

/** What a candidate comes to, once its protected paths are the base's. */
export interface Composition {
  /** Trees in the session's repository. */
  readonly treeA: string;
  readonly treeB: string;
  readonly baseTree: string;
  /** `refuse` makes the verdict unmet, `review` waits for a person. */
  readonly findings: readonly Finding[];
  /** Protected paths that differ, for review, with what a person would look at. */
  readonly changed: readonly ChangedFile[];
}

/** What to compose. */
export interface ComposeRequest {
  readonly base: CommitHash;
  readonly candidate: CommitHash;
  readonly contract: Contract;
  readonly matches: readonly RunnerMatch[];
  /** Changes that a person has approved, by `reviewHash` (review.ts): these are as if their paths were not protected. */
  readonly approved: ReadonlySet<string>;
}

/** What of a session's repository the referee works on. */
export interface RefereeTrees {
  reader(sessionId: string, treeOrCommit: string, signal: AbortSignal): TreeReader;
  compose(sessionId: string, request: ComposeRequest, signal: AbortSignal): Promise<Composition>;
  /** Makes the tree without what is in these files (apart.ts); undefined when there is nothing in it that is meant. */
  without(
    sessionId: string,
    tree: string,
    paths: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Makes the tree of the base with these files as the candidate has them. */
  withFiles(
    sessionId: string,
    base: CommitHash,
    candidate: CommitHash,
    paths: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<string>;
  /** @param extra - a folder whose content is put at `target` as well: files that the worker never sees */
  open(sessionId: string, tree: string, extra: ExtraFiles | null, signal: AbortSignal): Promise<TreeFiles>;
}

/** Compares what must not get worse. Pure but for reading. */
export type Ratchet = (
  base: TreeReader,
  candidate: TreeReader,
  changed: readonly ChangedFile[],
  matches: readonly RunnerMatch[],
) => Promise<readonly Finding[]>;
