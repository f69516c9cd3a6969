/** Making checkpoints, and knowing which tree the files are. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import { replaceFile, syncFolder } from "../sandbox/daemon/durable.ts";
import { FileShrank } from "./blobs.ts";
import { CHECKPOINT_REFS, Commits } from "./commits.ts";
import type { ChangeCount, Checkpoint, CheckpointRequest, CommitHash, SkippedFile } from "./contract.ts";
import type { Findings } from "./findings.ts";
import { IMPORT_WORDS, ImportStream } from "./import-stream.ts";
import { readablePath } from "./paths.ts";
import { namesIn, type Place, type PristineRecord, readJson, type SubmoduleRecord } from "./place.ts";
import { makeRepository } from "./scratch.ts";
import { type FilesContext, findChanges, forgetKnown, saveKnown } from "./session-files.ts";

const ATTEMPTS_MAX = 3;
const PACKS_MAX = 50;
const REASON_LENGTH_MAX = 200;

/** What git does not keep of a checkpoint. */
interface Remarks {
  readonly skipped: readonly SkippedFile[];
  readonly skippedCount: number;
  readonly changedSubmodules: readonly string[];
}

/** See the contract of workspaces. */
export async function makeCheckpoint(
  context: FilesContext,
  request: CheckpointRequest,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const { git, session } = context;
  const commits = new Commits(git, session.repository);
  const made = commits.find(request.number);
  const { commit, tree, parent, changes } =
    made === null
      ? { ...(await commitFiles(context, commits, request, signal)), parent: request.previous }
      : await readMade(commits, made, signal);
  if (parent !== request.previous) {
    const message = `checkpoint ${request.number} exists, and follows ${parent} instead of ${request.previous}`;
    throw new NightshiftError("E_WORKSPACE_GIT", message, { hint: "This is a bug worth reporting." });
  }
  const remarks = (readJson(remarksPath(context, request.number)) as Remarks | undefined) ?? NO_REMARKS;
  return { number: request.number, commit, tree, changes, ...remarks };
}

/** A commit as it was made. */
interface Made {
  readonly commit: string;
  readonly tree: string;
  readonly changes: ChangeCount;
}

async function readMade(
  commits: Commits,
  commit: CommitHash,
  signal: AbortSignal,
): Promise<Made & { readonly parent: string }> {
  const { parent, tree } = await commits.read(commit, signal);
  return { commit, parent, tree, changes: await commits.count({ from: parent, to: commit }, signal) };
}

const NO_REMARKS: Remarks = { skipped: [], skippedCount: 0, changedSubmodules: [] };

function remarksPath({ session }: FilesContext, number: number): string {
  return join(session.folder, `remarks-${number}.json`);
}

/** Tries again when files got shorter under its eyes, or when what it remembered of them is wrong. */
async function commitFiles(
  context: FilesContext,
  commits: Commits,
  request: CheckpointRequest,
  signal: AbortSignal,
): Promise<Made> {
  if (!Commits.isHash(request.previous)) await commits.check([request.previous], signal);
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryCommit(context, commits, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      await commits.check([request.previous], signal);
      if (attempt >= ATTEMPTS_MAX) throw error instanceof FileShrank ? busy(error) : error;
      if (!(error instanceof NightshiftError) || error.code === "E_WORKSPACE_GIT") forgetKnown(context);
      if (error instanceof NightshiftError && !["E_WORKSPACE_GIT", "E_WORKSPACE_BUSY"].includes(error.code))
        throw error;
    }
  }
}

async function tryCommit(
  context: FilesContext,
  commits: Commits,
  { number, previous, reason, atMs }: CheckpointRequest,
  signal: AbortSignal,
): Promise<Made> {
  const { git, session, record, pristine } = context;
  const place = { gitFolder: session.repository, settings: ["pack.compression=1"] };
  removeUnfinishedPacks(session.repository);
  await joinPacks(context, signal);
  const stream = new ImportStream(git.start(place, IMPORT_WORDS));
  const abort = (): void => void stream.abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const findings = await findChanges(context, stream, signal);
    keepRemarks(context, number, findings);
    const title = reason.replace(/\s+/g, " ").trim().slice(0, REASON_LENGTH_MAX) || "Checkpoint";
    const trailers = `Nightshift-Session: ${session.sessionId}\nNightshift-Checkpoint: ${number}\n`;
    const text = {
      ref: commits.refOf(number),
      parent: previous,
      baseTree: record.tree,
      message: `${title}\n\n${trailers}`,
      atMs,
    };
    const making = stream.commit(text, findings, gitlinksOf(pristine));
    const made = making.then(({ commit }) => ({ from: previous, to: commit }));
    // While one git writes, the other one starts.
    const [{ commit, tree }, changes] = await Promise.all([making, commits.count(made, signal)]);
    // Git syncs its files; this makes their names last.
    for (const folder of ["objects/pack", CHECKPOINT_REFS]) syncFolder(join(session.repository, folder));
    saveKnown(context, findings.known);
    return { commit, tree, changes };
  } finally {
    signal.removeEventListener("abort", abort);
    await stream.abort();
  }
}

/** Each checkpoint makes a pack; many of them make git slow. */
async function joinPacks({ git, session }: FilesContext, signal: AbortSignal): Promise<void> {
  if (namesIn(join(session.repository, "objects", "pack")).length <= 2 * PACKS_MAX) return;
  await git.run({ gitFolder: session.repository }, ["repack", "-a", "-d", "-l", "-q"], signal);
}

/** Of runs that were killed. There is one writer; should another one live, it fails and makes no commit. */
function removeUnfinishedPacks(repository: string): void {
  const packs = join(repository, "objects", "pack");
  for (const name of namesIn(packs)) if (name.startsWith("tmp_")) rmSync(join(packs, name), { force: true });
}

/** Durable before the commit, so that whoever finds the commit finds them too. */
function keepRemarks(context: FilesContext, number: number, findings: Findings): void {
  const { skipped, skippedCount, changedSubmodules } = findings;
  const path = remarksPath(context, number);
  if (skippedCount === 0 && changedSubmodules.size === 0) {
    if (existsSync(path)) rmSync(path);
    return;
  }
  const remarks: Remarks = {
    skipped,
    skippedCount,
    changedSubmodules: [...changedSubmodules].map(readablePath),
  };
  replaceFile(path, JSON.stringify(remarks));
}

/** Submodules that the tree itself names, not those within them. */
function gitlinksOf({ submodules }: PristineRecord): readonly SubmoduleRecord[] {
  const all = submodules.map(({ path }) => `${path}/`);
  return submodules.filter(({ path }) => !all.some((other) => path.startsWith(other)));
}

function busy(cause: FileShrank): NightshiftError {
  return new NightshiftError("E_WORKSPACE_BUSY", "files in the workspace got shorter while they were read", {
    retryable: true,
    cause,
  });
}

/** The tree that the files are now; makes nothing that lasts. */
export async function treeOfFiles(context: FilesContext, place: Place, signal: AbortSignal): Promise<string> {
  const { git, session, record, pristine } = context;
  const build = place.build();
  const gitFolder = join(build, "tree.git");
  try {
    const objects = [join(session.repository, "objects")];
    makeRepository(gitFolder, { objectFormat: pristine.objectFormat, objects });
    const run = { gitFolder, settings: ["core.fsync=none", "pack.compression=0"] };
    const stream = new ImportStream(git.start(run, IMPORT_WORDS));
    try {
      const findings = await findChanges(context, stream, signal);
      if (findings.files.length === 0 && findings.removals.length === 0) return record.tree;
      const text = { ref: "refs/tree", parent: record.base, baseTree: record.tree, message: "", atMs: 0 };
      return (await stream.commit(text, findings, gitlinksOf(pristine))).tree;
    } finally {
      await stream.abort();
    }
  } finally {
    await place.removeBuild(build);
  }
}
