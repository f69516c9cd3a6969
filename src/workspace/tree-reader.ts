/** Reading one tree of a session's repository. */
import { NightshiftError } from "../core/errors.ts";
import { Commits } from "./commits.ts";
import type { TreeItem, TreeReader } from "./contract.ts";
import type { Git, GitPlace } from "./git.ts";
import { readBlobs, sizesOf } from "./large-files.ts";
import { textPath } from "./paths.ts";
import { listTree } from "./tree.ts";

const FILE_BYTES_MAX = 16 * 2 ** 20;
/** What one run of git is asked for at once. */
const BATCH_BYTES = 64 * 2 ** 20;
const GITLINK = "160000";

interface Question {
  readonly path: string;
  readonly object: string;
  resolve(content: Buffer): void;
  reject(error: unknown): void;
}

/** Asks git; what is wanted at the same time is asked for at once. */
export class ObjectTreeReader implements TreeReader {
  readonly #git: Git;
  readonly #place: GitPlace;
  readonly #tree: string;
  readonly #entriesMax: number;
  readonly #signal: AbortSignal;
  #items: Promise<ReadonlyMap<string, TreeItem>> | undefined;
  #questions: Question[] = [];

  constructor(git: Git, repository: string, tree: string, entriesMax: number, signal: AbortSignal) {
    this.#git = git;
    this.#place = { gitFolder: repository };
    this.#tree = tree;
    this.#entriesMax = entriesMax;
    this.#signal = signal;
  }

  async list(): Promise<readonly TreeItem[]> {
    return [...(await this.#known()).values()];
  }

  async read(path: string): Promise<Buffer | undefined> {
    const item = (await this.#known()).get(path);
    if (item === undefined || item.mode === GITLINK) return undefined;
    return await this.#ask(path, item.object);
  }

  #known(): Promise<ReadonlyMap<string, TreeItem>> {
    this.#items ??= this.#list();
    return this.#items;
  }

  async #list(): Promise<ReadonlyMap<string, TreeItem>> {
    const { gitFolder = "" } = this.#place;
    const tree = await treeOf(this.#git, gitFolder, this.#tree, this.#signal);
    const entries = await listTree(this.#git, this.#place, tree, this.#signal);
    if (entries.length > this.#entriesMax) {
      const message = `the tree ${this.#tree} has more than ${this.#entriesMax} files`;
      throw new NightshiftError("E_WORKSPACE_TOO_LARGE", message);
    }
    return new Map(
      entries.map(({ path, mode, object }) => [textPath(path), { path: textPath(path), mode, object }]),
    );
  }

  #ask(path: string, object: string): Promise<Buffer> {
    if (this.#questions.length === 0) queueMicrotask(() => void this.#answer());
    return new Promise((resolve, reject) => this.#questions.push({ path, object, resolve, reject }));
  }

  async #answer(): Promise<void> {
    const questions = this.#questions;
    this.#questions = [];
    try {
      const objects = questions.map(({ object }) => object);
      const sizes = await sizesOf(this.#git, this.#place, objects, this.#signal);
      let batch: Question[] = [];
      let bytes = 0;
      for (const question of questions) {
        const size = sizes.get(question.object);
        const problem = problemOf(question, size);
        if (problem !== undefined) {
          question.reject(problem);
          continue;
        }
        batch.push(question);
        bytes += size ?? 0;
        if (bytes < BATCH_BYTES) continue;
        await this.#read(batch);
        batch = [];
        bytes = 0;
      }
      await this.#read(batch);
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }

  async #read(batch: readonly Question[]): Promise<void> {
    const objects = batch.map(({ object }) => object);
    const contents = await readBlobs(this.#git, this.#place, objects, this.#signal);
    for (const [index, { resolve }] of batch.entries()) {
      resolve(Buffer.from(contents[index] ?? "", "latin1"));
    }
  }
}

function problemOf({ path, object }: Question, size: number | undefined): NightshiftError | undefined {
  if (size === undefined)
    return new NightshiftError("E_WORKSPACE_DAMAGED", `the content of ${path}, ${object}, is missing`);
  if (size <= FILE_BYTES_MAX) return undefined;
  const message = `${path} has ${size} bytes, more than the ${FILE_BYTES_MAX} that are read of a file`;
  return new NightshiftError("E_CONTRACT_FILE", message, { hint: "Keep files that decide checks small." });
}

/** See the contract of workspaces. */
export async function treeOf(
  git: Git,
  gitFolder: string,
  treeOrCommit: string,
  signal: AbortSignal,
): Promise<string> {
  if (Commits.isHash(treeOrCommit)) {
    const words = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${treeOrCommit}^{tree}`];
    const { output } = await git.run({ gitFolder }, words, signal, { exitCodes: [0, 1, 128] });
    const tree = output.toString("latin1").trim().split("\n").at(-1) ?? "";
    if (Commits.isHash(tree)) return tree;
  }
  const message = `this session has no tree ${JSON.stringify(treeOrCommit)}`;
  throw new NightshiftError("E_WORKSPACE_UNKNOWN", message);
}
