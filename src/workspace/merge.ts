/**
 * Merging work into what a person has checked out. The merge is computed from objects alone, in a repository of ours;
 * only landing it changes anything of theirs, in the one way in which git itself moves a branch that is checked out.
 */
import { copyFileSync, existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import { Commits } from "./commits.ts";
import type { CommitHash, Merge, MergeRequest } from "./contract.ts";
import type { Git } from "./git.ts";
import type { Place, SessionPlace, SessionRecord } from "./place.ts";
import { makeRepository } from "./scratch.ts";
import { inspectSource, type RepositorySource } from "./source.ts";
import { sendCommits } from "./transfer.ts";

const WHO = "Nightshift <nightshift@localhost>";
const CONFLICTS_MAX = 200;

/** What a merge is made with. */
export interface MergeContext {
  readonly git: Git;
  readonly place: Place;
  readonly session: SessionPlace;
  readonly record: SessionRecord;
  /** Repository of another session. */
  readonly repositoryOf: (session: SessionPlace["sessionId"]) => string;
}

/** See the contract of workspaces. */
export async function withMerge<Answer>(
  context: MergeContext,
  request: MergeRequest,
  use: (merge: Merge) => Promise<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  const { git, place, session, record } = context;
  const user = await userTree(git, session.sessionId, record, request.folder, signal);
  const build = place.build();
  try {
    const gitFolder = join(build, "merge.git");
    const objects = [user.commonFolder, session.repository].map((each) => join(each, "objects"));
    makeRepository(gitFolder, { objectFormat: user.objectFormat, objects });
    const shallow = join(user.commonFolder, "shallow");
    if (existsSync(shallow)) copyFileSync(shallow, join(gitFolder, "shallow"));
    return await use(await compute(context, user, gitFolder, request, signal));
  } finally {
    await place.removeBuild(build);
  }
}

/** The working tree, which has to be one of the repository that the session began with. */
async function userTree(
  git: Git,
  sessionId: SessionPlace["sessionId"],
  { origin }: SessionRecord,
  folder: string,
  signal: AbortSignal,
): Promise<RepositorySource & { readonly head: string }> {
  if (origin.kind !== "repository")
    throw new NightshiftError(
      "E_WORKSPACE_SOURCE",
      `${sessionId} began in ${origin.root}, which is no repository: there is nothing to merge into`,
      { hint: `Take the patch: nightshift diff ${sessionId} > work.patch, then: patch -p1 < work.patch` },
    );
  const user = await inspectSource(git, realpathSync(folder), signal);
  const own = await inspectSource(git, origin.root, signal);
  if (user.kind !== "repository" || own.kind !== "repository" || user.commonFolder !== own.commonFolder) {
    throw new NightshiftError("E_WORKSPACE_SOURCE", `${folder} is not in the repository ${origin.root}`, {
      hint: "Name a working tree of that repository with -C.",
    });
  }
  const { head } = user;
  if (head !== null) return { ...user, head };
  throw new NightshiftError("E_WORKSPACE_SOURCE", `${folder} has no commit yet to put the work on`, {
    hint: "Commit what is there, then apply again.",
  });
}

async function compute(
  context: MergeContext,
  user: RepositorySource & { readonly head: string },
  gitFolder: string,
  { commit, message, atMs }: MergeRequest,
  signal: AbortSignal,
): Promise<Merge> {
  const { git } = context;
  const { head } = user;
  const run = { gitFolder };
  const commits = new Commits(git, gitFolder);
  const isWithin = async (one: string, other: string): Promise<boolean> => {
    const words = ["merge-base", "--is-ancestor", one, other];
    return (await git.run(run, words, signal, { exitCodes: [0, 1] })).exitCode === 0;
  };
  const made = async (kind: Merge["kind"], result: string): Promise<Merge> => ({
    ...{
      kind,
      head,
      commit: result,
      branch: user.branch,
      conflicts: [],
      tree: (await commits.read(result, signal)).tree,
    },
    changed: await commits.changedFiles({ from: head, to: result }, signal),
    giveTo: (session) =>
      sendCommits(git, gitFolder, context.repositoryOf(session), { commit: result, without: head }, signal),
    land: () => land(context, user, gitFolder, result, signal),
  });
  if (await isWithin(commit, head)) return made("up_to_date", head);
  if (await isWithin(head, commit)) return made("fast_forward", commit);
  const mine = await relatedTo(context, run, { head, commit }, signal);
  const words = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", mine, commit];
  const { exitCode, output } = await git.run(run, words, signal, { exitCodes: [0, 1] });
  const [tree = "", ...conflicts] = output
    .toString("utf8")
    .split("\0")
    .filter((part) => part !== "");
  if (exitCode !== 0) {
    const nothing = await made("up_to_date", head);
    return { ...nothing, kind: "conflict", conflicts: conflicts.slice(0, CONFLICTS_MAX) };
  }
  const when = `${WHO} ${Math.floor(atMs / 1000)} +0000`;
  const text = `tree ${tree}\nparent ${head}\nparent ${commit}\nauthor ${when}\ncommitter ${when}\n\n${message}`;
  const asked = ["hash-object", "-t", "commit", "-w", "--stdin"];
  return made("merge", await git.text(run, asked, signal, { input: text }));
}

/**
 * What is checked out, as a commit that shares a history with the work. Without one (the work began before the first
 * commit, say) it is put upon the files that the work began with.
 */
async function relatedTo(
  { git, record }: MergeContext,
  run: { readonly gitFolder: string },
  { head, commit }: { readonly head: string; readonly commit: string },
  signal: AbortSignal,
): Promise<string> {
  const { exitCode } = await git.run(run, ["merge-base", head, commit], signal, { exitCodes: [0, 1] });
  if (exitCode === 0) return head;
  const tree = await git.text(run, ["rev-parse", `${head}^{tree}`], signal);
  const who = `${WHO} 0 +0000`;
  const text = `tree ${tree}\nparent ${record.base}\nauthor ${who}\ncommitter ${who}\n\nFor a merge\n`;
  return await git.text(run, ["hash-object", "-t", "commit", "-w", "--stdin"], signal, { input: text });
}

/** Git moves the branch and the files together, keeps local changes that are not in the way, and runs no hook. */
async function land(
  { git }: MergeContext,
  user: RepositorySource & { readonly head: string },
  gitFolder: string,
  commit: CommitHash,
  signal: AbortSignal,
): Promise<void> {
  await sendCommits(git, gitFolder, user.commonFolder, { commit, without: user.head }, signal);
  try {
    await git.fastForward(user.root, commit, signal);
  } catch (error) {
    if (!isNightshiftError(error, "E_WORKSPACE_GIT")) throw error;
    const isDirty = /would be overwritten/.test(error.message);
    throw new NightshiftError(isDirty ? "E_WORKSPACE_DIRTY" : "E_WORKSPACE_GIT", messageOf(error), {
      cause: error,
      hint: isDirty
        ? "Nothing was changed. Commit or stash what is named, then apply again."
        : "Nothing was changed. Mend what git says, then apply again.",
    });
  }
}
