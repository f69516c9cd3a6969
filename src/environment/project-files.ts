/** What of a workspace a set-up sees: files read once, hashed, and bounded. */
import { hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, posix } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import { GlobPattern } from "../sandbox/daemon/glob-pattern.ts";
import type { LayerInput } from "./contract.ts";
import { refuse } from "./refusal.ts";

const FILE_BYTES_MAX = 64 * 1024 * 1024;
const FILES_MAX = 5000;
const FOLDERS_MAX = 20_000;
const IGNORED_FOLDERS: ReadonlySet<string> = new Set([".git", "node_modules", "target", ".venv", "vendor"]);

/** Reads a workspace and remembers what was read. */
export class ProjectFiles {
  readonly #root: string;
  readonly #texts = new Map<string, string>();
  readonly #inputs = new Map<string, string>();

  constructor(workspace: string) {
    this.#root = realpathSync(workspace);
  }

  /** Everything that was taken, by path. */
  get inputs(): readonly LayerInput[] {
    return [...this.#inputs]
      .map(([path, sha256]) => ({ path, sha256 }))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  /** Is it there, as a file and no link? Links could lead out of the workspace. */
  has(path: string): boolean {
    const found = lstatSync(join(this.#root, path), { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true) refuse(path, "the workspace", "it is a symbolic link");
    return found?.isFile() === true && this.#isInside(path);
  }

  /** Reads a file without making it an input. */
  look(path: string): string | undefined {
    return this.has(path) ? this.#read(path) : undefined;
  }

  /** Makes a file an input, if it is there. @returns its text */
  take(path: string): string | undefined {
    const text = this.look(path);
    if (text === undefined) return undefined;
    if (this.#inputs.size >= FILES_MAX)
      refuse("the project", "the workspace", `its set-up has more than ${FILES_MAX} files`);
    this.#inputs.set(path, hash("sha256", text, "hex"));
    return text;
  }

  /** As {@link take}, for a file that must be there. */
  takeRequired(path: string): string {
    return this.take(path) ?? refuse(path, "the workspace", "it is missing");
  }

  /** As {@link look}, for a file that must be there. */
  lookRequired(path: string): string {
    return this.look(path) ?? refuse(path, "the workspace", "it is missing");
  }

  /** Parsed JSON of a file; an empty object when it is not there. */
  json(path: string, text: string | undefined): Readonly<Record<string, unknown>> {
    if (text === undefined) return {};
    try {
      const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
      if (isRecord(value)) return value;
    } catch (cause) {
      throw new NightshiftError("E_SOURCE_REFUSED", `${path} is not JSON: ${messageOf(cause)}`, { cause });
    }
    return refuse(path, "the workspace", "it is not an object");
  }

  /** Files and folders right below a folder of the workspace; nothing when there is no such folder. */
  list(folder: string): readonly { readonly name: string; readonly isFolder: boolean }[] {
    try {
      return readdirSync(join(this.#root, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
        .sort((one, other) => (one.name < other.name ? -1 : 1));
    } catch {
      return [];
    }
  }

  /** Folders that match the patterns of a list of members (`packages/*`, `!packages/old`) and hold this file. */
  findMembers(patterns: readonly string[], manifest: string): readonly string[] {
    const parse = (pattern: string): GlobPattern => {
      const parsed = GlobPattern.parse(posix.normalize(pattern).replace(/^\.\/|\/$/g, ""));
      return parsed.ok ? parsed.value : refuse(pattern, "the list of members", parsed.problem);
    };
    const wanted = patterns.filter((pattern) => !pattern.startsWith("!")).map(parse);
    const unwanted = patterns
      .filter((pattern) => pattern.startsWith("!"))
      .map((each) => parse(each.slice(1)));
    return this.folders().filter(
      (folder) =>
        wanted.some((pattern) => matches(pattern, folder)) &&
        !unwanted.some((pattern) => matches(pattern, folder)) &&
        this.has(posix.join(folder, manifest)),
    );
  }

  /** Every folder below the root that may belong to the project. */
  folders(): readonly string[] {
    const found: string[] = [];
    const waiting = [""];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      for (const { name, isFolder } of this.list(folder)) {
        if (!isFolder || IGNORED_FOLDERS.has(name)) continue;
        if (found.length >= FOLDERS_MAX)
          refuse("the project", "the workspace", `it has more than ${FOLDERS_MAX} folders`);
        found.push(posix.join(folder, name));
        waiting.push(posix.join(folder, name));
      }
    }
    return found.sort();
  }

  /** A relative path of the project, or a refusal when it leads out. */
  resolve(folder: string, path: string, where: string): string {
    const resolved = posix.normalize(posix.join(folder, path));
    if (posix.isAbsolute(path) || resolved === ".." || resolved.startsWith("../"))
      refuse(path, where, "it leads out of the workspace");
    return resolved === "." ? "" : resolved.replace(/\/$/, "");
  }

  #isInside(path: string): boolean {
    const real = realpathSync(join(this.#root, path));
    if (real === join(this.#root, path)) return true;
    return refuse(path, "the workspace", "a folder on its way is a symbolic link");
  }

  #read(path: string): string {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    const full = join(this.#root, path);
    if (lstatSync(full).size > FILE_BYTES_MAX)
      refuse(path, "the workspace", `it has more than ${FILE_BYTES_MAX} bytes`);
    const text = readFileSync(full, "utf8");
    this.#texts.set(path, text);
    return text;
  }
}

/** A plain object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function matches(pattern: GlobPattern, folder: string): boolean {
  let state = pattern.start;
  for (const name of folder.split("/")) state = pattern.step(state, name);
  return pattern.isMatch(state);
}
