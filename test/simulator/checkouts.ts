/** Checkouts of sessions: their files in generations, and the host's repository of checkpoints. */
import { hash } from "node:crypto";
import { NightshiftError } from "../../src/core/errors.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { SessionWorkspaces } from "../../src/runtime/checkouts.ts";
import type { BranchWorkspaces } from "../../src/runtime/session-branch.ts";
import type { Checkpoint, PreparedWorkspace } from "../../src/workspace/contract.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { Workspace } from "./workspace.ts";

/** Texts by path. */
export type Files = ReadonlyMap<string, string>;

/** The commit that every session with a checkout begins with: no files. */
export const BASE: string = commitOf(new Map(), "");

interface Generation {
  readonly path: string;
  readonly workspace: Workspace;
}

/** What is on disk: it belongs to no process and outlives all of them. */
export class CheckoutHost {
  readonly #objects = new Map<string, Files>([[BASE, new Map()]]);
  readonly #refs = new Map<string, string>();
  readonly #trees = new Map<string, string>();
  readonly #branches = new Map<string, string>();
  readonly #current = new Map<SessionId, Generation>();
  readonly #byPath = new Map<string, Workspace>();
  #generations = 0;

  /** The files that the session works on now. */
  current(session: SessionId): Generation {
    return this.#current.get(session) ?? this.#begin(session, new Map());
  }

  /** The files of a sandbox; undefined for those of no checkout. */
  at(path: string): Workspace | undefined {
    return this.#byPath.get(path);
  }

  filesOf(commit: string): Files | undefined {
    return this.#objects.get(commit);
  }

  /** New files with the content of a commit; nobody finds the old ones any more. */
  restore(session: SessionId, commit: string): Generation {
    const files = this.#objects.get(commit);
    if (files === undefined) throw new NightshiftError("E_WORKSPACE_UNKNOWN", `there is no commit ${commit}`);
    return this.#begin(session, files);
  }

  writeObjects(files: Files, previous: string): string {
    const commit = commitOf(files, previous);
    this.#objects.set(commit, files);
    return commit;
  }

  /** A commit with the files of another one. */
  retell(files: Files, previous: string, message: string, tree: string): string {
    const commit = commitOf(files, `${previous} ${message}`);
    this.#objects.set(commit, files);
    this.#trees.set(commit, tree);
    return commit;
  }

  treeOf(commit: string): string {
    return this.#trees.get(commit) ?? commit;
  }

  /** Where a branch of the user's repository is. */
  branch(name: string): string | undefined {
    return this.#branches.get(name);
  }

  /** As git does it: only from where it was seen. @returns whether it was moved */
  moveBranch(name: string, from: string | undefined, to: string): boolean {
    if (this.#branches.get(name) !== from) return false;
    this.#branches.set(name, to);
    return true;
  }

  checkpoint(session: SessionId, number: number): string | undefined {
    return this.#refs.get(`${session}/${number}`);
  }

  /** @returns the commit of that number: the first one that anybody gave it */
  writeRef(session: SessionId, number: number, commit: string): string {
    const key = `${session}/${number}`;
    const first = this.#refs.get(key) ?? commit;
    this.#refs.set(key, first);
    return first;
  }

  #begin(session: SessionId, files: Files): Generation {
    const path = `/files/${session}/${++this.#generations}`;
    const generation = { path, workspace: new Workspace(files) };
    this.#current.set(session, generation);
    this.#byPath.set(path, generation.workspace);
    return generation;
  }
}

function commitOf(files: Files, previous: string): string {
  return hash("sha1", JSON.stringify([previous, [...files].sort()]), "hex");
}

/** Of one step of a large checkout. */
const STEP_MS_MAX = 3000;
/** How often a checkpoint cannot be made. */
const FAILURE_CHANCE = 0.04;

/** The workspaces as one process sees them: between any two steps it may stand still, or die. */
export class SimulatedWorkspaces implements SessionWorkspaces, BranchWorkspaces {
  readonly #host: CheckoutHost;
  readonly #process: Process;
  readonly #random: Random;

  constructor(host: CheckoutHost, process: Process, random: Random) {
    this.#host = host;
    this.#process = process;
    this.#random = random;
  }

  prepare: SessionWorkspaces["prepare"] = (sessionId) => this.#found(sessionId);
  fork: SessionWorkspaces["fork"] = (sessionId) => this.#found(sessionId);
  find: SessionWorkspaces["find"] = (sessionId) => this.#found(sessionId);

  checkpoint: SessionWorkspaces["checkpoint"] = async (session, { number, previous }, signal) => {
    const known = this.#host.checkpoint(session, number);
    if (known !== undefined) return answer(number, known);
    const { workspace } = this.#host.current(session);
    // A walk takes its time: what changes meanwhile is seen in one half and not in the other.
    const paths = [...workspace.files.keys()];
    const files = new Map(picked(workspace.files, paths.slice(0, paths.length / 2)));
    await this.#step(session, signal);
    for (const [path, text] of workspace.files) if (!files.has(path)) files.set(path, text);
    if (this.#random.chance(FAILURE_CHANCE))
      throw new NightshiftError("E_WORKSPACE_BUSY", "the files keep changing");
    const commit = this.#host.writeObjects(files, previous);
    await this.#step(session, signal);
    const first = this.#host.writeRef(session, number, commit);
    await this.#step(session, signal);
    return answer(number, first);
  };

  restore: SessionWorkspaces["restore"] = async (session, commit, signal) => {
    const began = this.#host.current(session).path;
    await this.#step(session, signal);
    // As the real ones do: whoever stood still while another gave the session new files does not replace them.
    if (this.#host.current(session).path !== began)
      throw new NightshiftError("E_WORKSPACE_BUSY", "another process has given it new files meanwhile");
    const { path } = this.#host.restore(session, commit);
    await this.#step(session, signal);
    return { workspace: path };
  };

  retell: BranchWorkspaces["retell"] = async (session, steps, signal) => {
    let head = BASE;
    for (const { source, message } of steps) {
      const files = this.#host.filesOf(source);
      if (files === undefined) throw new NightshiftError("E_WORKSPACE_UNKNOWN", `there is no ${source}`);
      await this.#step(session, signal);
      head = this.#host.retell(files, head, message, source);
    }
    return head;
  };

  treeOf: BranchWorkspaces["treeOf"] = (_session, commit) => Promise.resolve(this.#host.treeOf(commit));

  export: BranchWorkspaces["export"] = async (session, commit, name, signal, mayMove) => {
    await this.#step(session, signal);
    const old = this.#host.branch(name);
    if (this.#random.chance(FAILURE_CHANCE)) throw new NightshiftError("E_BRANCH_TAKEN", "it is checked out");
    await this.#step(session, signal);
    if (old === commit) return { created: false };
    if (mayMove !== undefined && !(await mayMove())) throw new NightshiftError("E_FENCED", "not any more");
    await this.#step(session, signal);
    const isMoved = this.#host.moveBranch(name, old, commit);
    await this.#step(session, signal);
    if (isMoved || this.#host.branch(name) === commit) return { created: isMoved && old === undefined };
    throw new NightshiftError("E_BRANCH_TAKEN", "somebody else has moved it");
  };

  lend: SessionWorkspaces["lend"] = () => Promise.reject(new Error("no session here has a set-up"));
  changedFiles: SessionWorkspaces["changedFiles"] = () => Promise.resolve([]);

  async #step(session: SessionId, signal: AbortSignal): Promise<void> {
    await this.#process.pause(this.#random.chance(0.7) ? 10 : this.#random.between(100, STEP_MS_MAX));
    await this.#process.at("timer.after", session);
    signal.throwIfAborted();
  }

  #found(sessionId: SessionId): Promise<PreparedWorkspace> {
    const { path } = this.#host.current(sessionId);
    const none: readonly string[] = [];
    return Promise.resolve({
      sessionId,
      files: { workspace: path },
      base: BASE,
      tree: BASE,
      origin: { kind: "folder", root: "/w" },
      subfolder: "",
      ...{ included: none, rendered: none, likelySecrets: none, nestedRepositories: none, submodules: none },
    });
  }
}

function picked(files: Files, paths: readonly string[]): [string, string][] {
  return paths.map((path) => [path, files.get(path) ?? ""]);
}

function answer(number: number, commit: string): Checkpoint {
  const changes = { files: 1, added: 1, removed: 0 };
  return { number, commit, tree: commit, changes, skipped: [], skippedCount: 0, changedSubmodules: [] };
}
