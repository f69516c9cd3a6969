/**
 * Workspaces: the files that a session works on, as the host sees them. A workspace is a *pristine checkout* of the
 * session's base commit, which is shared and never written to, and what the session has changed on top of it, which
 * is disposable. What lasts is the session's own repository of *checkpoints*: commits that the host makes of the
 * workspace's content, and that everything can be restored from.
 *
 * What commands can write is hostile: the host reads names, bytes and modes there, and never runs git with a
 * configuration, hook, attribute, index or repository that it finds. The repository and the working tree that a
 * session starts from are only read; {@link Workspaces.export} alone writes to that repository, and only objects
 * and one branch; and {@link Merge.land}, when a person says so, moves what is checked out.
 *
 * All methods with a signal reject with its reason when it aborts, and may be called again: whatever a crash, a kill
 * or an abort has left behind is garbage that the next call replaces or {@link Workspaces.findLeftovers} names.
 */
import type { SessionId } from "../core/ids.ts";
import type { SandboxSpec } from "../sandbox/contract.ts";
import type { ChangedFile, CommitHash, HistoryStep, Merge, MergeRequest } from "./result.ts";

export type { ChangedFile, CommitHash, HistoryStep, Merge, MergeRequest } from "./result.ts";

/** The workspaces of one state folder. */
export interface Workspaces {
  /**
   * Makes the workspace of a session, or finds the one that an earlier call has made, whatever that was asked for.
   * @param source - a folder of a repository with a working tree, or any other folder, of which a repository is made
   * @throws NightshiftError `E_WORKSPACE_SOURCE`, `E_WORKSPACE_DIRTY`, `E_WORKSPACE_MISSING`, `E_WORKSPACE_TOO_LARGE`,
   *   `E_WORKSPACE_GIT`
   */
  prepare(
    sessionId: SessionId,
    source: string,
    options: PrepareOptions,
    signal: AbortSignal,
  ): Promise<PreparedWorkspace>;
  /**
   * Makes the workspace of a new session that starts where a checkpoint of another one was: same base, same
   * checkpoint history, independent from then on. @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_GIT`
   */
  fork(
    sessionId: SessionId,
    from: { readonly sessionId: SessionId; readonly commit: CommitHash },
    signal: AbortSignal,
  ): Promise<PreparedWorkspace>;
  /** What {@link Workspaces.prepare} answered, with the files as they are now; undefined if there is none. */
  find(sessionId: SessionId): Promise<PreparedWorkspace | undefined>;
  /**
   * Commits the content of the workspace; durable before it answers. Call it when no execution is open. The same
   * number gives the first answer again, and is refused with another `previous`.
   * @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_BUSY` when files keep changing while they are read,
   *   `E_WORKSPACE_TOO_LARGE`, `E_WORKSPACE_GIT`
   */
  checkpoint(sessionId: SessionId, request: CheckpointRequest, signal: AbortSignal): Promise<Checkpoint>;
  /**
   * Gives the session new files, whose content is that of a checkpoint or of the base. Destroy its sandboxes first;
   * those made later must be given the answer. @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_DAMAGED`
   */
  restore(sessionId: SessionId, commit: CommitHash, signal: AbortSignal): Promise<WorkspaceFiles>;
  /**
   * Lends the files of a commit of the session, in a folder that is there as long as `look` runs and is only to be
   * read: its files are shared with the pristine checkout. It has no repository, and links are as the agent made them.
   * @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_GIT`
   */
  lend<Answer>(
    sessionId: SessionId,
    commit: CommitHash,
    look: (folder: string) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** What a rendering holds now, as the agent has left it; null when it is no file any more. */
  rendering(sessionId: SessionId, path: string): Promise<Buffer | null>;
  /** What changed between two commits of the session, as a patch of at most `bytesMax`, cut at a line. */
  diff(sessionId: SessionId, range: CommitRange, bytesMax: number, signal: AbortSignal): Promise<Patch>;
  /** What changed between two commits of the session, by path, in the order of git. */
  changedFiles(
    sessionId: SessionId,
    range: CommitRange,
    signal: AbortSignal,
  ): Promise<readonly ChangedFile[]>;
  /**
   * Makes commits upon the base, each with the files of a checkpoint and a message of its own. The same steps make the
   * same commits. @returns the last one; the base without steps @throws NightshiftError `E_WORKSPACE_UNKNOWN`
   */
  retell(sessionId: SessionId, steps: readonly HistoryStep[], signal: AbortSignal): Promise<CommitHash>;
  /** Can a branch of that name be made? @throws NightshiftError `E_BRANCH_TAKEN`, `E_WORKSPACE_SOURCE`, `E_USAGE` */
  checkBranch(sessionId: SessionId, branch: string, signal: AbortSignal): Promise<void>;
  /**
   * Puts a checkpoint, or what was retold of it, and its history into the repository that the session started from, as
   * a branch. A branch that is not one of this session's, or that is checked out somewhere, is left alone.
   * @param branch - for example `nightshift/fix-login-3k9d2`
   * @param mayMove - asked after looking where the branch is, and before it is moved from there
   * @throws NightshiftError `E_BRANCH_TAKEN`, `E_EXPORT_REFUSED` when git's own checks reject an object, `E_FENCED`
   */
  export(
    sessionId: SessionId,
    commit: CommitHash,
    branch: string,
    signal: AbortSignal,
    mayMove?: () => Promise<boolean>,
  ): Promise<{ readonly created: boolean }>;
  /**
   * Lends what the merge of a commit of the session into a working tree of its repository comes to. Nothing of the
   * user's is changed before {@link Merge.land}. @throws NightshiftError `E_WORKSPACE_SOURCE`, `E_WORKSPACE_UNKNOWN`
   */
  merge<Answer>(
    sessionId: SessionId,
    request: MergeRequest,
    use: (merge: Merge) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Looks into a tree of the session; everything is asked for when it is needed. @param treeOrCommit - full name */
  reader(sessionId: SessionId, treeOrCommit: string, signal: AbortSignal): TreeReader;
  /** The tree of a commit, or of itself. @throws NightshiftError `E_WORKSPACE_UNKNOWN` */
  treeOf(sessionId: SessionId, treeOrCommit: string, signal: AbortSignal): Promise<string>;
  /**
   * Makes a tree in the session's repository, without any files. What nothing refers to lasts until the session is
   * removed. @returns its name @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_GIT` for entries that no
   *   tree can have
   */
  composeTree(sessionId: SessionId, entries: readonly ComposedEntry[], signal: AbortSignal): Promise<string>;
  /**
   * Fresh files with the content of a tree, for one sandbox; any number of them at the same time.
   * @param extra - files that are put into them as well; they belong to no tree
   * @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_DAMAGED`, `E_CONTRACT_FILE` for `extra`
   */
  openTree(
    sessionId: SessionId,
    tree: string,
    extra: ExtraFiles | null,
    signal: AbortSignal,
  ): Promise<TreeFiles>;
  /**
   * A commit with all its history since the base, the base without its own, and these trees: a pack of git's.
   * @throws NightshiftError `E_WORKSPACE_UNKNOWN`, `E_WORKSPACE_GIT`
   */
  pack(sessionId: SessionId, request: PackRequest, signal: AbortSignal): Promise<Buffer>;
  /**
   * Brings a commit of another repository into the session's, with its history since the base. It becomes no
   * checkpoint. @param folder - of that repository; only read
   * @throws NightshiftError `E_WORKSPACE_SOURCE` when there is no such commit, `E_EXPORT_REFUSED`
   */
  take(sessionId: SessionId, folder: string, revision: string, signal: AbortSignal): Promise<CommitHash>;
  /** Removes everything of a session but the branches that were exported. Idempotent. */
  remove(sessionId: SessionId): Promise<void>;
  /** What belongs to nobody: sessions that are not in `known`, and what crashes have left behind. */
  findLeftovers(known: ReadonlySet<SessionId>): Promise<readonly Leftover[]>;
  /** Removes one of what {@link Workspaces.findLeftovers} has named. Idempotent. */
  removeLeftover(leftover: Leftover): Promise<void>;
  /**
   * Removes pristine checkouts that no session uses, the longest unused first, until those that remain need at most
   * `bytesMax`.
   */
  trimPristine(bytesMax: number): Promise<{ readonly removed: number; readonly bytes: number }>;
}

/** What is packed. */
export interface PackRequest {
  readonly base: CommitHash;
  readonly commit: CommitHash;
  /** Besides those of the commits. */
  readonly trees: readonly string[];
}

/** What was packed, in a repository of its own. */
export interface UnpackedCommits {
  /** Absolute; top of its working tree, which has no files. */
  readonly folder: string;
  reader(treeOrCommit: string): TreeReader;
  /** @throws NightshiftError `E_WORKSPACE_UNKNOWN` */
  treeOf(commit: CommitHash): Promise<string>;
}

/**
 * Reads one tree, without following links. A path is relative, with `/`; bytes that are no UTF-8 are lone surrogates
 * in it, U+DC80 to U+DCFF, so that different names stay different.
 */
export interface TreeReader {
  /** All paths but those of folders, with their git mode (`100644`, `100755`, `120000`, `160000`), in git's order. */
  list(): Promise<readonly TreeItem[]>;
  /** Content of a file, or the target of a link; undefined when there is none. At most 16 MiB, else `E_CONTRACT_FILE`. */
  read(path: string): Promise<Buffer | undefined>;
}

/** One path of a tree. */
export interface TreeItem {
  readonly path: string;
  readonly mode: string;
  /** Name of the blob, or of the commit of a submodule. */
  readonly object: string;
}

/** One path of a tree that is to be made: with an object of the session's, or with new content. */
export type ComposedEntry = TreeItem | (Omit<TreeItem, "object"> & { readonly content: Buffer });

/** A folder of the host whose content is put into files. */
export interface ExtraFiles {
  /** Absolute. */
  readonly folder: string;
  /** Relative to the top of the files; empty for the top itself. */
  readonly target: string;
}

/** Fresh files with the content of a tree, for one sandbox. */
export interface TreeFiles {
  readonly files: WorkspaceFiles;
  /** Removes them; the sandbox must be gone. Idempotent. */
  close(): Promise<void>;
}

/** How a workspace is to begin. */
export interface PrepareOptions {
  /**
   * What to do with changes that are not committed, untracked files among them: refuse to begin, make them part of
   * the base, or begin without them.
   */
  readonly dirty: "refuse" | "include" | "ignore";
  /** Revision to begin with; the checked-out commit unless given. Not together with `include`. */
  readonly base?: string;
  /** Calendar time, for a base commit that has to be made. */
  readonly atMs: number;
  /** Make a plain folder even where overlays work, for a sandbox that cannot mount. */
  readonly copies?: boolean;
  /** A file that nobody has committed and that is no part of the work, such as a contract; absolute. It stays out. */
  readonly apart?: string;
  /** Texts of the harness for the agent to read. */
  readonly renderings?: readonly Rendering[];
}

/** A text that is seen in the workspace and is part of no commit. */
export interface Rendering {
  /** Relative, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Nobody is meant to write to it, and its mode says so. */
  readonly isForReading?: boolean;
}

/** What to give to a sandbox: these are fields of {@link SandboxSpec}. */
export type WorkspaceFiles = Pick<SandboxSpec, "workspace" | "overlay">;

/** A workspace, ready to be worked in. */
export interface PreparedWorkspace {
  readonly sessionId: SessionId;
  readonly files: WorkspaceFiles;
  readonly base: CommitHash;
  /** Tree of the base. */
  readonly tree: string;
  readonly origin: Origin;
  /** Where the source was within the workspace: empty for its top, else with `/` between and none at the ends. */
  readonly subfolder: string;
  /** Ignored files that `.worktreeinclude` has let in. They are part of no commit. */
  readonly included: readonly string[];
  /** Renderings that were put there; what the project itself has at such a place counts. */
  readonly rendered: readonly string[];
  /** Files without history that came in and look like secrets, by their names. */
  readonly likelySecrets: readonly string[];
  /** Repositories within the source that are none of its submodules; they stay out. */
  readonly nestedRepositories: readonly string[];
  /** Paths of submodules; their content is there to be read, and changes of it are not kept. */
  readonly submodules: readonly string[];
}

/** Where a workspace came from. */
export type Origin =
  | {
      readonly kind: "repository";
      /** Top of its working tree. */
      readonly root: string;
      /** The commit that was asked for; parent of the base if that had to be made. Null before the first commit. */
      readonly commit: CommitHash | null;
      readonly branch: string | null;
    }
  | { readonly kind: "folder"; readonly root: string };

/** One checkpoint to be made. */
export interface CheckpointRequest {
  /** From 1, dense, per session. */
  readonly number: number;
  /** The checkpoint before, or the base: becomes the parent. */
  readonly previous: CommitHash;
  /** Few words, for people; the first line of the commit's message. */
  readonly reason: string;
  /** Calendar time of the commit. */
  readonly atMs: number;
}

/** A checkpoint that was made. */
export interface Checkpoint {
  readonly number: number;
  readonly commit: CommitHash;
  readonly tree: string;
  /** Against `previous`. */
  readonly changes: ChangeCount;
  /** What could not be kept, at most {@link SKIPPED_MAX} of them. */
  readonly skipped: readonly SkippedFile[];
  readonly skippedCount: number;
  /** Submodules whose content or place was changed. The change is not in the checkpoint. */
  readonly changedSubmodules: readonly string[];
}

/** How many {@link Checkpoint.skipped} are named. */
export const SKIPPED_MAX = 50;

/** Size of a change. Binary files count as no lines. */
export interface ChangeCount {
  readonly files: number;
  readonly added: number;
  readonly removed: number;
}

/** Something in the workspace that is part of no checkpoint. */
export interface SkippedFile {
  readonly path: string;
  /**
   * `special`: socket, pipe or device · `too_large` · `unreadable` · `reserved_name`: git would take it for a part of
   * a repository · `mount`: another file system.
   */
  readonly reason: "special" | "too_large" | "unreadable" | "reserved_name" | "mount";
}

/** Two commits of a session: its base or checkpoints. */
export interface CommitRange {
  readonly from: CommitHash;
  readonly to: CommitHash;
  /** Of a patch: only this file or folder, taken literally. */
  readonly path?: string;
}

/** A patch for people and models. Names and contents in it are as the agent made them: hostile. */
export interface Patch {
  readonly text: string;
  /** What did not fit. */
  readonly isCut: boolean;
  readonly changes: ChangeCount;
}

/** Something on disk that belongs to nobody. */
export interface Leftover {
  /** `session`: a whole one that is unknown · `files`: of a known session, replaced or unfinished · `build`: something unfinished, or the files of a check. */
  readonly kind: "session" | "files" | "build";
  /** Absolute. */
  readonly path: string;
}

/** Limits, each of them with a default. */
export interface WorkspaceLimits {
  /** Largest file that a checkpoint or a dirty base takes in. */
  readonly fileBytes: number;
  /** New content of one checkpoint, and of a base that has to be made. */
  readonly totalBytes: number;
  /** Entries that one walk looks at. */
  readonly entries: number;
  /** For one run of git. */
  readonly gitMs: number;
}

/** The limits unless told otherwise. */
export const DEFAULT_WORKSPACE_LIMITS: WorkspaceLimits = {
  fileBytes: 256 * 2 ** 20,
  totalBytes: 4 * 2 ** 30,
  entries: 1_000_000,
  gitMs: 30 * 60_000,
};

/** Where workspaces are kept, and what they may use. */
export interface WorkspacesOptions {
  /** Absolute; holds a folder per session, and one of pristine checkouts. */
  readonly folder: string;
  /** Of the user: `PATH` to find programs, `HOME` and `XDG_CONFIG_HOME` to find what the user ignores. */
  readonly environment: { readonly [name: string]: string | undefined };
  /** Random text for names of folders under construction. */
  readonly unique: () => string;
  readonly limits?: Partial<WorkspaceLimits>;
}
