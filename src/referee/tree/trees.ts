/** The trees that a verdict is about, in a session's repository. */
import type { Finding } from "../../core/contract/contract.ts";
import type { SessionId } from "../../core/ids.ts";
import type { ExtraFiles, TreeFiles, TreeReader, Workspaces } from "../../workspace/contract.ts";
import { entriesWithout } from "../apart.ts";
import { changesBetween } from "../changes.ts";
import type { ComposeRequest, Composition, RefereeTrees } from "../contract.ts";
import { planComposition } from "./compose.ts";
import { findOversize } from "./size.ts";

type TreeWorkspaces = Pick<Workspaces, "reader" | "treeOf" | "composeTree" | "openTree" | "changedFiles">;

/** The trees of these workspaces. */
export function refereeTrees(workspaces: TreeWorkspaces): RefereeTrees {
  return new SessionTrees(workspaces);
}

class SessionTrees implements RefereeTrees {
  readonly #workspaces: TreeWorkspaces;

  constructor(workspaces: TreeWorkspaces) {
    this.#workspaces = workspaces;
  }

  reader(sessionId: string, treeOrCommit: string, signal: AbortSignal): TreeReader {
    return this.#workspaces.reader(sessionId as SessionId, treeOrCommit, signal);
  }

  async compose(sessionId: string, request: ComposeRequest, signal: AbortSignal): Promise<Composition> {
    const session = sessionId as SessionId;
    const base = this.reader(session, request.base, signal);
    const candidate = this.reader(session, request.candidate, signal);
    const { entries, findings: planned, changed } = await planComposition(base, candidate, request);
    const findings = [...planned, ...(await this.#oversize(session, request, signal))];
    const [baseTree, treeB] = await Promise.all([
      this.#workspaces.treeOf(session, request.base, signal),
      this.#workspaces.treeOf(session, request.candidate, signal),
    ]);
    const treeA = entries === null ? treeB : await this.#workspaces.composeTree(session, entries, signal);
    const differing = await changesBetween(base, candidate);
    return { treeA, treeB, baseTree, findings, changed: differing.filter(({ path }) => changed.has(path)) };
  }

  /** Lines are counted only where somebody wants to know. */
  async #oversize(
    session: SessionId,
    { contract: { limits }, base: from, candidate: to }: ComposeRequest,
    signal: AbortSignal,
  ): Promise<Finding[]> {
    if ((limits.files ?? limits.lines) === undefined) return [];
    return findOversize(limits, await this.#workspaces.changedFiles(session, { from, to }, signal));
  }

  async without(
    sessionId: string,
    tree: string,
    paths: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const session = sessionId as SessionId;
    const entries = await entriesWithout(this.reader(session, tree, signal), paths);
    return entries && (await this.#workspaces.composeTree(session, entries, signal));
  }

  async withFiles(
    sessionId: string,
    base: string,
    candidate: string,
    paths: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<string> {
    const session = sessionId as SessionId;
    const [before, after] = await Promise.all(
      [base, candidate].map((commit) => this.reader(session, commit, signal).list()),
    );
    const entries = [
      ...(before ?? []).filter(({ path }) => !paths.has(path)),
      ...(after ?? []).filter(({ path }) => paths.has(path)),
    ];
    return await this.#workspaces.composeTree(session, entries, signal);
  }

  open(sessionId: string, tree: string, extra: ExtraFiles | null, signal: AbortSignal): Promise<TreeFiles> {
    return this.#workspaces.openTree(sessionId as SessionId, tree, extra, signal);
  }
}
