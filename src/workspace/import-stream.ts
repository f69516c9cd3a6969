/**
 * Makes a commit out of findings through `git fast-import`: blobs, trees, commit and ref in one process, which writes
 * one pack, syncs it, and only then moves the ref.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import type { BlobSink } from "./blobs.ts";
import type { Findings } from "./findings.ts";
import { gitFailure } from "./git.ts";
import type { BytePath } from "./paths.ts";

const PROBLEMS_LENGTH_MAX = 2000;

/**
 * What git is started with. No deltas: it would look for one between each file and the one before, which is hardly
 * ever there and takes longer than all the rest. Packs get theirs when they are joined.
 */
export const IMPORT_WORDS: readonly string[] = ["fast-import", "--quiet", "--date-format=raw", "--depth=0"];

/** What the commit is to say. */
export interface CommitText {
  readonly ref: string;
  readonly parent: string;
  /** The tree that the findings are put upon. */
  readonly baseTree: string;
  readonly message: string;
  readonly atMs: number;
}

/** One commit in the making. */
export class ImportStream implements BlobSink {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  #problems = "";
  #answer = "";
  #failure: unknown;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      this.#answer += chunk.toString("latin1");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#problems = (this.#problems + chunk.toString("utf8")).slice(0, PROBLEMS_LENGTH_MAX);
    });
    child.stdin.on("error", (error) => {
      this.#failure ??= error;
    });
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#failure = error;
        resolve(null);
      });
      child.once("close", resolve);
    });
    child.stdin.write("feature done\n");
  }

  async begin(bytes: number): Promise<void> {
    await this.#send(Buffer.from(`blob\ndata ${bytes}\n`));
  }

  async write(chunk: Buffer): Promise<void> {
    // The caller uses its buffer again, the stream may still hold this.
    await this.#send(Buffer.from(chunk));
  }

  async end(): Promise<void> {
    await this.#send(Buffer.from("\n"));
  }

  /** Makes the commit. Durable when it resolves, but for the folders that the new files are in. */
  async commit(
    text: CommitText,
    findings: Findings,
    submodules: readonly { readonly path: string; readonly commit: string }[],
  ): Promise<{ readonly commit: string; readonly tree: string }> {
    const { ref, parent, baseTree, message, atMs } = text;
    const body = Buffer.from(message);
    const lines = [
      `commit ${ref}\nmark :1\ncommitter Nightshift <nightshift@localhost> ${Math.floor(atMs / 1000)} +0000\n`,
      `data ${body.length}\n${body.toString("latin1")}\nfrom ${parent}\ndeleteall\nM 040000 ${baseTree} ""\n`,
      ...findings.removals.map((path) => `D ${quote(path)}\n`),
      ...submodules.map(({ path, commit }) => `M 160000 ${commit} ${quote(path as BytePath)}\n`),
      ...findings.files.map(({ path, mode, blob }) => `M ${mode} ${blob} ${quote(path)}\n`),
      `ls ""\nget-mark :1\ndone\n`,
    ];
    await this.#send(Buffer.from(lines.join(""), "latin1"));
    this.#child.stdin.end();
    const exitCode = await this.#ended;
    const [, tree, commit] = /^040000 tree ([0-9a-f]+)\t\n([0-9a-f]+)\n$/.exec(this.#answer) ?? [];
    if (exitCode !== 0 || tree === undefined || commit === undefined) {
      throw gitFailure(["fast-import"], this.#failure ?? null, this.#problems || `it ended with ${exitCode}`);
    }
    return { commit, tree };
  }

  /** Ends it without a commit; harmless after {@link ImportStream.commit}. */
  async abort(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #send(bytes: Buffer): Promise<void> {
    if (this.#failure !== undefined || this.#child.exitCode !== null) {
      await this.#ended;
      throw gitFailure(["fast-import"], this.#failure ?? null, this.#problems);
    }
    if (this.#child.stdin.write(bytes)) return;
    const leave = new AbortController();
    try {
      await Promise.race([once(this.#child.stdin, "drain", { signal: leave.signal }), this.#ended]);
    } catch (error) {
      this.#failure ??= error;
    } finally {
      leave.abort();
    }
  }
}

function quote(path: BytePath): string {
  const escaped = path.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
