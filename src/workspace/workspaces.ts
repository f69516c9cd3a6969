/** The workspaces of one state folder, put together. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { NightshiftError } from "../core/errors.ts";
import { isSessionId, type SessionId } from "../core/ids.ts";
import { makeCheckpoint } from "./checkpoint.ts";
import { Commits } from "./commits.ts";
import { composeTree } from "./compose-tree.ts";
import {
  type ChangedFile,
  type Checkpoint,
  type CheckpointRequest,
  type CommitHash,
  type CommitRange,
  type ComposedEntry,
  DEFAULT_WORKSPACE_LIMITS,
  type ExtraFiles,
  type HistoryStep,
  type Leftover,
  type Merge,
  type MergeRequest,
  type PackRequest,
  type Patch,
  type PreparedWorkspace,
  type PrepareOptions,
  type TreeFiles,
  type TreeReader,
  type WorkspaceFiles,
  type WorkspaceLimits,
  type Workspaces,
  type WorkspacesOptions,
} from "./contract.ts";
import { makeFiles } from "./files.ts";
import { Git } from "./git.ts";
import { withMerge } from "./merge.ts";
import { probeOverlay } from "./overlay.ts";
import { packCommits } from "./packs.ts";
import { bytePath, readablePath } from "./paths.ts";
import {
  lastUseOf,
  namesIn,
  Place,
  readJson,
  readPristine,
  SessionPlace,
  type SessionRecord,
  touchPristine,
} from "./place.ts";
import { prepareSession } from "./prepare.ts";
import { checkoutOf, settle, trimPristines } from "./pristine.ts";
import { removeTree } from "./remove.ts";
import { readRendering } from "./renderings.ts";
import { extractFiles, restoreFiles } from "./restore.ts";
import { retellHistory } from "./retell.ts";
import { makeSessionRepository } from "./scratch.ts";
import { type FilesContext, workspaceFilesOf } from "./session-files.ts";
import { inspectSource, resolveCommit } from "./source.ts";
import { checkBranchFree, exportCommit, sendCommits } from "./transfer.ts";
import { openTreeFiles } from "./tree-files.ts";
import { ObjectTreeReader, treeOf } from "./tree-reader.ts";

const runFile = promisify(execFile);

/** Opens the workspaces of a folder; nothing is made before it is needed. */
export function openWorkspaces(options: WorkspacesOptions): Workspaces {
  return new FolderOfWorkspaces(options);
}

class FolderOfWorkspaces implements Workspaces {
  readonly #git: Git;
  readonly #place: Place;
  readonly #limits: WorkspaceLimits;
  #overlays: Promise<boolean> | undefined;

  constructor(options: WorkspacesOptions) {
    this.#limits = { ...DEFAULT_WORKSPACE_LIMITS, ...options.limits };
    this.#git = new Git(options.environment, this.#limits.gitMs);
    this.#place = new Place(options.folder, options.unique);
  }

  async prepare(
    sessionId: SessionId,
    source: string,
    options: PrepareOptions,
    signal: AbortSignal,
  ): Promise<PreparedWorkspace> {
    await this.#sweep();
    const found = await this.find(sessionId);
    if (found !== undefined) return found;
    const kind = async (build: string): Promise<"overlay" | "copy"> =>
      options.copies === true ? "copy" : this.#kind(build);
    const context = { git: this.#git, place: this.#place, limits: this.#limits, kind };
    await prepareSession(context, sessionId, source, options, signal);
    return this.#mustFind(sessionId);
  }

  async fork(
    sessionId: SessionId,
    from: { readonly sessionId: SessionId; readonly commit: CommitHash },
    signal: AbortSignal,
  ): Promise<PreparedWorkspace> {
    await this.#sweep();
    const found = await this.find(sessionId);
    if (found !== undefined) return found;
    const source = this.#session(from.sessionId);
    const { record, checkout, pristine } = this.#context(source);
    const commits = new Commits(this.#git, source.repository);
    await commits.check([from.commit], signal);
    const build = this.#place.build();
    try {
      const session = new SessionPlace(sessionId, join(build, "session"));
      mkdirSync(session.folder);
      const own = { ...record, generation: 1 };
      session.write(own);
      const excludes = join(source.repository, "info", "exclude");
      const { objectFormat } = pristine;
      makeSessionRepository(session.repository, checkout, { objectFormat, excludes });
      const range = { commit: from.commit, without: record.base };
      if (from.commit !== record.base) {
        await sendCommits(this.#git, source.repository, session.repository, range, signal);
      }
      const words = ["update-ref", commits.forkRef, from.commit];
      await this.#git.run({ gitFolder: session.repository }, words, signal);
      if (existsSync(source.included)) await copyFolder(this.#git, source.included, session.included, signal);
      await makeFiles(this.#git, session, own, checkout, signal);
      const context = { git: this.#git, limits: this.#limits, session, record: own, checkout, pristine };
      if (from.commit !== record.base) await restoreFiles(context, this.#place, from.commit, signal);
      touchPristine(this.#place.pristine(record.pristine));
      await settle(session.folder, signal);
      this.#place.finish(session.folder, this.#place.session(sessionId));
    } finally {
      await this.#place.removeBuild(build);
    }
    return this.#mustFind(sessionId);
  }

  find(sessionId: SessionId): Promise<PreparedWorkspace | undefined> {
    const session = this.#session(sessionId);
    const record = session.read();
    if (record === undefined) return Promise.resolve(undefined);
    const { base, tree, origin, subfolder, likelySecrets, nestedRepositories, rendered = [] } = record;
    const included = record.included.filter((path) => !rendered.includes(path));
    const context = this.#context(session);
    const submodules = context.pristine.submodules.map(({ path }) => readablePath(bytePath(path)));
    const files = workspaceFilesOf(context);
    const facts = {
      base,
      tree,
      origin,
      subfolder,
      included,
      rendered,
      likelySecrets,
      nestedRepositories,
      submodules,
    };
    return Promise.resolve({ sessionId, files, ...facts });
  }

  checkpoint(sessionId: SessionId, request: CheckpointRequest, signal: AbortSignal): Promise<Checkpoint> {
    return this.#inSession(sessionId, (context) => makeCheckpoint(context, request, signal));
  }

  async restore(sessionId: SessionId, commit: CommitHash, signal: AbortSignal): Promise<WorkspaceFiles> {
    await this.#sweep();
    return this.#inSession(sessionId, (context) => restoreFiles(context, this.#place, commit, signal));
  }

  lend<Answer>(
    sessionId: SessionId,
    commit: CommitHash,
    look: (folder: string) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    return this.#inSession(sessionId, async (context) => {
      const folder = this.#place.build();
      try {
        await extractFiles(context, commit, folder, signal);
        return await look(folder);
      } finally {
        await this.#place.removeBuild(folder);
      }
    });
  }

  rendering(sessionId: SessionId, path: string): Promise<Buffer | null> {
    return this.#inSession(sessionId, async (context) => readRendering(context, path));
  }

  diff(sessionId: SessionId, range: CommitRange, bytesMax: number, signal: AbortSignal): Promise<Patch> {
    return this.#inSession(sessionId, ({ session }) =>
      new Commits(this.#git, session.repository).diff(range, bytesMax, signal),
    );
  }

  changedFiles(
    sessionId: SessionId,
    range: CommitRange,
    signal: AbortSignal,
  ): Promise<readonly ChangedFile[]> {
    return this.#inSession(sessionId, ({ session }) =>
      new Commits(this.#git, session.repository).changedFiles(range, signal),
    );
  }

  retell(sessionId: SessionId, steps: readonly HistoryStep[], signal: AbortSignal): Promise<CommitHash> {
    return this.#inSession(sessionId, ({ session, record }) =>
      retellHistory(this.#git, session.repository, record.base, steps, signal),
    );
  }

  checkBranch(sessionId: SessionId, branch: string, signal: AbortSignal): Promise<void> {
    return this.#inSession(sessionId, ({ session, record }) =>
      checkBranchFree(this.#git, session, record, branch, signal),
    );
  }

  export(
    sessionId: SessionId,
    commit: CommitHash,
    branch: string,
    signal: AbortSignal,
    mayMove?: () => Promise<boolean>,
  ): Promise<{ readonly created: boolean }> {
    return this.#inSession(sessionId, ({ session, record }) =>
      exportCommit(this.#git, session, record, { commit, branch, mayMove }, signal),
    );
  }

  merge<Answer>(
    sessionId: SessionId,
    request: MergeRequest,
    use: (merge: Merge) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const repositoryOf = (other: SessionId): string => this.#session(other).repository;
    return this.#inSession(sessionId, ({ git, session, record }) =>
      withMerge({ git, place: this.#place, session, record, repositoryOf }, request, use, signal),
    );
  }

  reader(sessionId: SessionId, treeOrCommit: string, signal: AbortSignal): TreeReader {
    const { repository } = this.#session(sessionId);
    return new ObjectTreeReader(this.#git, repository, treeOrCommit, this.#limits.entries, signal);
  }

  treeOf(sessionId: SessionId, treeOrCommit: string, signal: AbortSignal): Promise<string> {
    return treeOf(this.#git, this.#session(sessionId).repository, treeOrCommit, signal);
  }

  composeTree(sessionId: SessionId, entries: readonly ComposedEntry[], signal: AbortSignal): Promise<string> {
    return this.#inSession(sessionId, ({ session }) =>
      composeTree(this.#git, session.repository, this.#place, entries, signal),
    );
  }

  openTree(
    sessionId: SessionId,
    tree: string,
    extra: ExtraFiles | null,
    signal: AbortSignal,
  ): Promise<TreeFiles> {
    return this.#inSession(sessionId, (context) => openTreeFiles(context, this.#place, tree, extra, signal));
  }

  pack(sessionId: SessionId, request: PackRequest, signal: AbortSignal): Promise<Buffer> {
    return this.#inSession(sessionId, ({ session }) =>
      packCommits(this.#git, session.repository, request, signal),
    );
  }

  take(sessionId: SessionId, folder: string, revision: string, signal: AbortSignal): Promise<CommitHash> {
    return this.#inSession(sessionId, async ({ session, record }) => {
      const known = await new Commits(this.#git, session.repository).resolve([revision], signal);
      if (Commits.isHash(revision) && known[0] != null) return known[0];
      const commit = await resolveCommit(this.#git, folder, revision, signal);
      if (commit === null)
        throw new NightshiftError("E_WORKSPACE_SOURCE", `${folder} has no commit ${revision}`, {
          hint: "Name a commit or a branch of that repository.",
        });
      const source = await inspectSource(this.#git, folder, signal);
      if (source.kind === "repository") {
        // A base of our own making is not in the repository that the session started from.
        const without = record.origin.kind === "repository" ? record.origin.commit : null;
        const range = { commit, without };
        await sendCommits(this.#git, source.commonFolder, session.repository, range, signal);
      }
      return commit;
    });
  }

  remove(sessionId: SessionId): Promise<void> {
    return this.#place.discard(this.#place.session(sessionId));
  }

  async findLeftovers(known: ReadonlySet<SessionId>): Promise<readonly Leftover[]> {
    const leftovers: Leftover[] = this.#place.deserted().map((path) => ({ kind: "build", path }));
    for (const name of namesIn(this.#place.folder)) {
      if (!isSessionId(name)) continue;
      const session = this.#session(name);
      if (!known.has(name)) leftovers.push({ kind: "session", path: session.folder });
      else {
        const current = session.read()?.generation;
        const old = namesIn(session.generations).filter((each) => each !== `${current}`);
        leftovers.push(
          ...old.map((each) => ({ kind: "files", path: join(session.generations, each) }) as const),
        );
      }
    }
    return leftovers;
  }

  async removeLeftover({ kind, path }: Leftover): Promise<void> {
    if (!path.startsWith(`${this.#place.folder}/`) || path.includes("/../")) {
      throw new NightshiftError("E_INTERNAL", `${path} is not below ${this.#place.folder}`);
    }
    if (kind === "build") await this.#place.removeBuild(path);
    else await this.#place.discard(path);
  }

  trimPristine(bytesMax: number): Promise<{ readonly removed: number; readonly bytes: number }> {
    return trimPristines(this.#place, () => this.#pristinesInUse(), bytesMax, lastUseOf);
  }

  /** Of sessions, and of those that are being made. */
  #pristinesInUse(): ReadonlySet<string> {
    const sessions = namesIn(this.#place.folder)
      .filter(isSessionId)
      .map((name) => join(this.#place.folder, name));
    const builds = namesIn(this.#place.builds).map((name) => join(this.#place.builds, name, "session"));
    const records = [...sessions, ...builds].map((folder) => readJson(join(folder, "record.json")));
    return new Set((records as (SessionRecord | undefined)[]).flatMap((record) => record?.pristine ?? []));
  }

  /** Removes what killed processes were building. */
  async #sweep(): Promise<void> {
    for (const folder of this.#place.deserted()) await this.#place.removeBuild(folder);
  }

  #kind(build: string): Promise<"overlay" | "copy"> {
    this.#overlays ??= this.#probe(build);
    return this.#overlays.then((works) => (works ? "overlay" : "copy"));
  }

  async #probe(build: string): Promise<boolean> {
    const folder = join(build, "probe");
    mkdirSync(folder);
    try {
      return await probeOverlay(folder, this.#git.cleanEnvironment);
    } finally {
      await removeTree(folder);
    }
  }

  #session(sessionId: SessionId): SessionPlace {
    return new SessionPlace(sessionId, this.#place.session(sessionId));
  }

  #context(session: SessionPlace): FilesContext {
    const record = session.mustRead();
    const pristine = readPristine(this.#place.pristine(record.pristine));
    if (pristine === undefined) {
      const message = `the pristine checkout of session ${session.sessionId} is gone`;
      throw new NightshiftError("E_WORKSPACE_UNKNOWN", message);
    }
    const checkout = checkoutOf(this.#place, record.pristine);
    return { git: this.#git, limits: this.#limits, session, record, checkout, pristine };
  }

  async #inSession<Answer>(
    sessionId: SessionId,
    act: (context: FilesContext) => Promise<Answer>,
  ): Promise<Answer> {
    return act(this.#context(this.#session(sessionId)));
  }

  async #mustFind(sessionId: SessionId): Promise<PreparedWorkspace> {
    const found = await this.find(sessionId);
    if (found === undefined)
      throw new NightshiftError("E_WORKSPACE_UNKNOWN", `session ${sessionId} was removed`);
    return found;
  }
}

async function copyFolder(git: Git, from: string, to: string, signal: AbortSignal): Promise<void> {
  await runFile("cp", ["-a", "--", from, to], { signal, env: git.cleanEnvironment });
}
