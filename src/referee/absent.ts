/**
 * What a check is made of and a tree does not have. Without it the check is red whatever the files do, and whoever adds
 * it decides alone when it is green.
 */
import { posix } from "node:path";
import type { Check, Contract, Finding } from "../core/contract/contract.ts";
import { splitPieces } from "../core/contract/shell-pieces.ts";
import type { TreeReader } from "./contract.ts";
import { finding } from "./tree/finding.ts";

/** One such thing. */
export interface Absent {
  readonly kind: "folder" | "file" | "script";
  /** Where it would be; of a script, the `package.json` that would have it. */
  readonly path: string;
  /** For people. */
  readonly name: string;
}

const SHELLS: readonly string[] = ["sh", "bash", "dash", "zsh", "ksh"];
const SCRIPTS: readonly string[] = ["node", "tsx", "ts-node", "python", "python3", "ruby", "perl", "php"];
const INTERPRETERS: ReadonlySet<string> = new Set([...SHELLS, ...SCRIPTS]);
const MANAGERS: ReadonlySet<string> = new Set(["npm", "pnpm", "yarn", "bun"]);
const ENDINGS: readonly string[] = ["", ".js", ".cjs", ".mjs", ".ts", ".mts", ".cts"];
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
/** What a shell would make something else of. */
const MADE_UP = /[$`*?[\]{}~]/;

/** The first of them; undefined when everything that the command's words name is there, or nobody can tell. */
export async function absentFrom(
  { argv, folder, shell, held_out: heldOut }: Check,
  tree: TreeReader,
): Promise<Absent | undefined> {
  // What no worker sees is put beside the tree for the run.
  if (heldOut !== undefined) return undefined;
  const pieces = shell ? splitPieces(argv.join(" ")) : [{ words: argv }];
  const paths = new Set((await tree.list()).map(({ path }) => path));
  const place = new Place(tree, paths, folder);
  if (!place.isThere) return place.absent;
  for (const { words } of pieces ?? []) {
    const first = words.findIndex((word) => !ASSIGNMENT.test(word));
    const found = first < 0 ? undefined : await place.command(words.slice(first));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where the next command runs. */
class Place {
  readonly #tree: TreeReader;
  readonly #paths: ReadonlySet<string>;
  #folder: string;
  /** It has left what words can tell. */
  #isLost = false;
  #hasRun = false;

  constructor(tree: TreeReader, paths: ReadonlySet<string>, folder: string) {
    this.#tree = tree;
    this.#paths = paths;
    this.#folder = posix.normalize(folder || ".");
  }

  get isThere(): boolean {
    return this.#folder === "." || this.#isFolder(this.#folder);
  }

  get absent(): Absent {
    return { kind: "folder", path: this.#folder, name: `the folder ${this.#folder}` };
  }

  async command([program = "", ...rest]: readonly string[]): Promise<Absent | undefined> {
    if (this.#isLost) return undefined;
    const [first = ""] = rest;
    if (program === "cd") return this.#enter(first, rest.length);
    // What runs first may make what the next one needs: `npm run build && node dist/check.js`.
    const mayBeMade = this.#hasRun;
    this.#hasRun = true;
    if (MANAGERS.has(program)) return this.#script(rest);
    if (!INTERPRETERS.has(posix.basename(program)) || first === "" || first.startsWith("-")) return undefined;
    return mayBeMade ? undefined : this.#file(first);
  }

  #enter(word: string, count: number): Absent | undefined {
    if (count !== 1 || !isPlain(word) || this.#hasRun) {
      this.#isLost = true;
      return undefined;
    }
    this.#folder = posix.join(this.#folder, word).replace(/\/$/, "");
    return this.isThere ? undefined : this.absent;
  }

  #file(word: string): Absent | undefined {
    const path = posix.join(this.#folder, word);
    if (!isPlain(word) || path.includes("node_modules/") || this.#isFolder(path)) return undefined;
    if (ENDINGS.some((ending) => this.#paths.has(path + ending))) return undefined;
    return { kind: "file", path, name: path };
  }

  /** Only what says plainly that it is a script of this package. */
  async #script(words: readonly string[]): Promise<Absent | undefined> {
    const name = /^run(?:-script)?$/.test(words[0] ?? "")
      ? words[1]
      : /^(?:t|test)$/.test(words[0] ?? "") && "test";
    if (!name || !isPlain(name) || name.startsWith("-")) return undefined;
    const path = posix.join(this.#folder, "package.json");
    const manifest = await this.#tree.read(path);
    if (manifest === undefined || hasScript(manifest.toString("utf8"), name)) return undefined;
    return { kind: "script", path, name: `the script ${JSON.stringify(name)} of ${path}` };
  }

  #isFolder(path: string): boolean {
    const prefix = `${path.replace(/\/$/, "")}/`;
    return path.startsWith("..") || [...this.#paths].some((each) => each.startsWith(prefix));
  }
}

function isPlain(word: string): boolean {
  return word !== "" && !word.startsWith("/") && !MADE_UP.test(word);
}

function hasScript(manifest: string, name: string): boolean {
  try {
    const { scripts = {} } = JSON.parse(manifest.replace(/^\ufeff/, "")) as { readonly scripts?: object };
    return Object.hasOwn(scripts, name);
  } catch {
    return true;
  }
}

/** What checks are made of and the candidate has brought itself: a person looks at it. */
export async function ownChecks(
  { criteria }: Contract,
  base: TreeReader,
  candidate: TreeReader,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { id, check } of criteria) {
    const absent = check === null ? undefined : await absentFrom(check, base);
    if (check === null || absent === undefined) continue;
    if ((await absentFrom(check, candidate))?.path === absent.path) continue;
    const path = await placeOf(absent, candidate);
    if (path !== undefined)
      findings.push(finding("protected", path, "review", `criterion ${id} runs it, and the base has none`));
  }
  return findings;
}

/** The file of the candidate in which it is. */
async function placeOf({ kind, path }: Absent, candidate: TreeReader): Promise<string | undefined> {
  const delivered = new Set((await candidate.list()).map((entry) => entry.path));
  const places =
    kind === "folder" ? [posix.join(path, "package.json")] : ENDINGS.map((ending) => path + ending);
  return places.find((each) => delivered.has(each));
}
