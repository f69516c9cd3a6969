import { pipeline } from "node:stream/promises";
import { isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import { Commits } from "./commits.ts";
import type { CommitHash } from "./contract.ts";
import { type Git, gitFailure } from "./git.ts";
import type { SessionPlace, SessionRecord } from "./place.ts";

const BRANCH_LENGTH_MAX = 200;
const PROBLEMS_LENGTH_MAX = 1000;

/** Copies a commit, with its history up to `without`, into another repository of ours or of the user. */
export async function sendCommits(
  git: Git,
  from: string,
  to: string,
  range: { readonly commit: CommitHash; readonly without: CommitHash | null },
  signal: AbortSignal,
): Promise<void> {
  const packing = git.start({ gitFolder: from }, [
    "pack-objects",
    "--revs",
    "--stdout",
    "-q",
    "--delta-base-offset",
  ]);
  const taking = git.start({ gitFolder: to }, ["index-pack", "--stdin", "--strict", "--fsck-objects"]);
  const ends = [packing, taking].map((child) => {
    let problems = "";
    child.stderr.on("data", (chunk: Buffer) => {
      problems = (problems + chunk.toString("utf8")).slice(0, PROBLEMS_LENGTH_MAX);
    });
    child.stdin.on("error", () => {});
    return new Promise<{ exitCode: number | null; problems: string }>((resolve) => {
      child.once("error", (error) => resolve({ exitCode: null, problems: messageOf(error) }));
      child.once("close", (exitCode) => resolve({ exitCode, problems }));
    });
  });
  taking.stdout.resume();
  packing.stdin.end(range.without === null ? `${range.commit}\n` : `${range.commit}\n^${range.without}\n`);
  const failure = await pipeline(packing.stdout, taking.stdin, { signal }).catch((error: unknown) => error);
  if (failure !== undefined) for (const child of [packing, taking]) child.kill("SIGKILL");
  const [packed, taken] = await Promise.all(ends);
  signal.throwIfAborted();
  if (packed?.exitCode !== 0 && failure === undefined) {
    throw gitFailure(["pack-objects"], null, packed?.problems ?? "");
  }
  if (taken?.exitCode !== 0 || failure !== undefined) {
    throw new NightshiftError("E_EXPORT_REFUSED", `git refused the commits: ${taken?.problems.trim()}`, {
      cause: failure,
    });
  }
}

interface Export {
  readonly commit: CommitHash;
  readonly branch: string;
  readonly mayMove?: (() => Promise<boolean>) | undefined;
}

/** See the contract of workspaces. */
export async function exportCommit(
  git: Git,
  session: SessionPlace,
  record: SessionRecord,
  { commit, branch, mayMove = async () => true }: Export,
  signal: AbortSignal,
): Promise<{ readonly created: boolean }> {
  const origin = repositoryOf(record);
  const commits = new Commits(git, session.repository);
  await commits.check([commit], signal);
  await checkBranchName(git, branch, signal);
  const user = await userRepository(git, origin.root, signal);
  const ref = `refs/heads/${branch}`;
  const old = await checkFree(git, user, commits, branch, signal);
  const parent = record.base === origin.commit ? record.base : origin.commit;
  await sendCommits(git, session.repository, user, { commit, without: parent }, signal);
  if (old === commit) return { created: false };
  const place = { gitFolder: user };
  if (!(await mayMove()))
    throw new NightshiftError("E_FENCED", `another harness sees to the branch ${branch} now`);
  try {
    // The old value makes sure that nobody else has made or moved the branch meanwhile.
    const expected = old ?? "0".repeat(commit.length);
    await git.run(
      place,
      ["update-ref", "--no-deref", "-m", "nightshift: export", ref, commit, expected],
      signal,
    );
  } catch (error) {
    if (!isNightshiftError(error, "E_WORKSPACE_GIT")) throw error;
    // Whoever was here before may have had the same in mind.
    if ((await checkFree(git, user, commits, branch, signal)) === commit) return { created: false };
    throw taken(branch, messageOf(error));
  }
  return { created: old === null };
}

/** See the contract of workspaces. */
export async function checkBranchFree(
  git: Git,
  session: SessionPlace,
  record: SessionRecord,
  branch: string,
  signal: AbortSignal,
): Promise<void> {
  const origin = repositoryOf(record);
  await checkBranchName(git, branch, signal);
  const user = await userRepository(git, origin.root, signal);
  await checkFree(git, user, new Commits(git, session.repository), branch, signal);
}

/** @throws NightshiftError `E_WORKSPACE_SOURCE` */
function repositoryOf({ origin }: SessionRecord): Extract<SessionRecord["origin"], { kind: "repository" }> {
  if (origin.kind === "repository") return origin;
  const message = `${origin.root} is no repository, so it can have no branch`;
  throw new NightshiftError("E_WORKSPACE_SOURCE", message, {
    hint: "Take the patch instead: `nightshift diff`.",
  });
}

async function checkBranchName(git: Git, branch: string, signal: AbortSignal): Promise<void> {
  const asked = ["check-ref-format", "--branch", branch];
  const isSafe = !branch.startsWith("-") && branch.length <= BRANCH_LENGTH_MAX && !/@\{|^HEAD$/.test(branch);
  const { exitCode } = await git.run({}, isSafe ? asked : ["check-ref-format", ""], signal, {
    exitCodes: [0, 1, 128],
  });
  if (exitCode !== 0)
    throw new NightshiftError("E_USAGE", `${JSON.stringify(branch)} cannot be the name of a branch`);
}

/** The repository that all working trees of the source share. */
async function userRepository(git: Git, root: string, signal: AbortSignal): Promise<string> {
  const words = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
  const folder = (await git.readUser(root, words, signal)).output.toString("utf8").trim();
  if (folder !== "") return folder;
  throw new NightshiftError("E_WORKSPACE_SOURCE", `there is no repository at ${root} any more`);
}

/** Where the branch is; null when it may be made. @throws NightshiftError `E_BRANCH_TAKEN` */
async function checkFree(
  git: Git,
  user: string,
  commits: Commits,
  branch: string,
  signal: AbortSignal,
): Promise<CommitHash | null> {
  const place = { gitFolder: user };
  const words = ["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"];
  const lines = (await git.text(place, words, signal)).split("\n").map((line) => line.split(" "));
  for (const [name = "", object = ""] of lines) {
    const other = name.slice("refs/heads/".length);
    if (other === branch) {
      if (!(await commits.all(signal)).has(object)) throw taken(branch, "it is not one of this session's");
      await checkNotCheckedOut(git, user, branch, signal);
      return object;
    }
    const [one, two] = [other.toLowerCase(), branch.toLowerCase()];
    const isClash = one === two || one.startsWith(`${two}/`) || two.startsWith(`${one}/`);
    if (other !== "" && isClash) throw taken(branch, `there is a branch ${other}`);
  }
  return null;
}

async function checkNotCheckedOut(
  git: Git,
  user: string,
  branch: string,
  signal: AbortSignal,
): Promise<void> {
  const text = await git.text({ gitFolder: user }, ["worktree", "list", "--porcelain", "-z"], signal);
  if (text.split("\0").includes(`branch refs/heads/${branch}`)) throw taken(branch, "it is checked out");
}

function taken(branch: string, why: string): NightshiftError {
  return new NightshiftError("E_BRANCH_TAKEN", `the branch ${branch} cannot be used: ${why}`);
}
