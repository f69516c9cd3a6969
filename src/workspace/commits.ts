/** Commits of a session's own repository, which nobody but the host writes to. */
import { join } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { ChangeCount, ChangedFile, CommitHash, CommitRange, Patch } from "./contract.ts";
import type { Git, GitPlace } from "./git.ts";
import { splitNul } from "./git.ts";
import { type BytePath, bytePath, readablePath } from "./paths.ts";
import { readText } from "./place.ts";

/** Folder of the refs that keep checkpoints. */
export const CHECKPOINT_REFS = "refs/nightshift/checkpoints";
/** Where a fork has begun. */
const FORK_REF = "refs/nightshift/fork";
const HASH = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
const DIFF_WORDS = [
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--no-renames",
  "--ignore-submodules=none",
];
const OBJECTS_MISSING = "missing";

/** One path that differs between two trees. */
export interface RawChange {
  readonly path: BytePath;
  readonly status: string;
  /** Afterwards; zeros when it is gone. */
  readonly mode: string;
  readonly object: string;
}

/** The commits that one session has. */
export class Commits {
  readonly #git: Git;
  readonly #place: GitPlace;

  constructor(git: Git, repository: string) {
    this.#git = git;
    this.#place = { gitFolder: repository, settings: ["core.attributesFile=/dev/null"] };
  }

  /** Name of the ref that keeps a checkpoint. */
  refOf(number: number): string {
    return `${CHECKPOINT_REFS}/${number}`;
  }

  /** The checkpoint of that number; null if there is none. Read as a file: nobody ever packs these refs. */
  find(number: number): CommitHash | null {
    const text = readText(join(this.#place.gitFolder ?? "", this.refOf(number))).trim();
    return HASH.test(text) ? text : null;
  }

  get forkRef(): string {
    return FORK_REF;
  }

  /** The commits that those names stand for, null where there is none. */
  async resolve(names: readonly string[], signal: AbortSignal): Promise<(string | null)[]> {
    const input = names.map((name) => `${name}^{commit}\n`).join("");
    const asked = ["cat-file", "--batch-check=%(objectname)"];
    const lines = (await this.#git.text(this.#place, asked, signal, { input })).split("\n");
    return lines.map((line) => (line.endsWith(OBJECTS_MISSING) || !HASH.test(line) ? null : line));
  }

  /** @throws NightshiftError `E_WORKSPACE_UNKNOWN` */
  async check(commits: readonly CommitHash[], signal: AbortSignal): Promise<void> {
    const found = commits.every((commit) => HASH.test(commit)) ? await this.resolve(commits, signal) : [null];
    const missing = commits.find((_, index) => (found[index] ?? null) === null);
    if (missing === undefined) return;
    throw new NightshiftError(
      "E_WORKSPACE_UNKNOWN",
      `this session has no commit ${JSON.stringify(missing)}`,
      {
        hint: "Name its base or one of its checkpoints; `nightshift status` shows them.",
      },
    );
  }

  /** Is it written as the full name of a commit is? */
  static isHash(text: string): boolean {
    return HASH.test(text);
  }

  /** Parent and tree of a commit. */
  async read(
    commit: CommitHash,
    signal: AbortSignal,
  ): Promise<{ readonly parent: string; readonly tree: string }> {
    const text = await this.#git.text(this.#place, ["cat-file", "commit", commit], signal);
    const [, tree = ""] = /^tree ([0-9a-f]+)$/m.exec(text) ?? [];
    const [, parent = ""] = /^parent ([0-9a-f]+)$/m.exec(text) ?? [];
    return { parent, tree };
  }

  /** Commits that checkpoints and the fork's beginning are. */
  async all(signal: AbortSignal): Promise<ReadonlySet<CommitHash>> {
    const words = ["for-each-ref", "--format=%(objectname)", "refs/nightshift"];
    const text = await this.#git.text(this.#place, words, signal);
    return new Set(text.split("\n").filter((line) => line !== ""));
  }

  /** Which paths differ. */
  async rawChanges({ from, to }: CommitRange, signal: AbortSignal): Promise<RawChange[]> {
    const words = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", ...DIFF_WORDS, from, to];
    const parts = splitNul((await this.#git.run(this.#place, words, signal)).output);
    const changes: RawChange[] = [];
    for (let at = 0; at < parts.length; at += 2) {
      const [, mode = "", , object = "", status = ""] = (parts[at] ?? "").split(" ");
      changes.push({ path: bytePath(parts[at + 1] ?? ""), mode, object, status });
    }
    return changes;
  }

  /** Files and lines. The commits may still be in the making. */
  async count(range: CommitRange | Promise<CommitRange>, signal: AbortSignal): Promise<ChangeCount> {
    return sumOf([...(await this.#lines(range, signal)).values()]);
  }

  /** See the contract of workspaces. */
  async changedFiles(range: CommitRange, signal: AbortSignal): Promise<ChangedFile[]> {
    await this.check([range.from, range.to], signal);
    const lines = await this.#lines(range, signal);
    return (await this.rawChanges(range, signal)).map(({ path, status, mode }) => ({
      path: readablePath(path),
      change: CHANGES[status] ?? "modified",
      ...(lines.get(path) ?? { added: null, removed: null }),
      isExecutable: mode === "100755",
    }));
  }

  /** See the contract of workspaces. */
  async diff(range: CommitRange, bytesMax: number, signal: AbortSignal): Promise<Patch> {
    await this.check([range.from, range.to], signal);
    const changes = await this.count(range, signal);
    const child = this.#git.start(this.#place, [
      "diff-tree",
      "-r",
      "-p",
      ...DIFF_WORDS,
      range.from,
      range.to,
      ...(range.path === undefined ? [] : ["--", `:(literal)${range.path}`]),
    ]);
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of child.stdout) {
        signal.throwIfAborted();
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > bytesMax) break;
      }
    } finally {
      child.kill("SIGKILL");
    }
    const whole = Buffer.concat(chunks);
    const isCut = whole.length > bytesMax;
    const kept = isCut ? whole.subarray(0, whole.lastIndexOf("\n", bytesMax - 1) + 1) : whole;
    return { text: kept.toString("utf8"), isCut, changes };
  }

  async #lines(
    range: CommitRange | Promise<CommitRange>,
    signal: AbortSignal,
  ): Promise<Map<BytePath, LineCount>> {
    const words = ["diff-tree", "--stdin", "--no-commit-id", "-r", "-z", "--numstat", ...DIFF_WORDS];
    // Of a commit and what shall count as its parent.
    const input = Promise.resolve(range).then(({ from, to }) => `${to} ${from}\n`);
    const parts = splitNul((await this.#git.run(this.#place, words, signal, { input })).output);
    return new Map(
      parts.map((part) => {
        const [added = "", removed = ""] = part.split("\t", 2);
        const path = bytePath(part.slice(added.length + removed.length + 2));
        return [
          path,
          { added: added === "-" ? null : Number(added), removed: removed === "-" ? null : Number(removed) },
        ];
      }),
    );
  }
}

const CHANGES: Readonly<Record<string, ChangedFile["change"]>> = {
  A: "added",
  D: "deleted",
  M: "modified",
  T: "type_changed",
};

interface LineCount {
  readonly added: number | null;
  readonly removed: number | null;
}

function sumOf(lines: readonly LineCount[]): ChangeCount {
  const sum = (pick: (line: LineCount) => number | null): number =>
    lines.reduce((total, line) => total + (pick(line) ?? 0), 0);
  return { files: lines.length, added: sum(({ added }) => added), removed: sum(({ removed }) => removed) };
}
