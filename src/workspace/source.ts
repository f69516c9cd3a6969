/** What a session starts from, as it is. Everything here only reads. */
import { lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { Git } from "./git.ts";
import { readText } from "./place.ts";

const EXCLUDES_BYTES_MAX = 2 ** 20;
/** Settings by which a working tree is compared with what is committed. */
const TREE_SETTINGS =
  /^core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|checkstat|trustctime)$/;

/** A folder to start from. */
export type Source = RepositorySource | FolderSource;

/** A folder of a repository with a working tree. */
export interface RepositorySource {
  readonly kind: "repository";
  readonly root: string;
  readonly subfolder: string;
  /** Of this working tree. */
  readonly gitFolder: string;
  /** Of all working trees. */
  readonly commonFolder: string;
  readonly objectFormat: string;
  readonly head: string | null;
  readonly branch: string | null;
  /** As `name=value`: how the user compares files. */
  readonly settings: readonly string[];
  /** Patterns of what the user ignores beyond `.gitignore`. */
  readonly excludes: string;
  /** Where Git LFS keeps contents. */
  readonly largeFileStore: string;
}

/** Any other folder. */
export interface FolderSource {
  readonly kind: "folder";
  readonly root: string;
}

/** Looks at a folder. @throws NightshiftError `E_WORKSPACE_SOURCE` */
export async function inspectSource(git: Git, path: string, signal: AbortSignal): Promise<Source> {
  const found = isAbsolute(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
  if (!found?.isDirectory()) throw unusable(`${path} is not an existing absolute folder`);
  const folder = realpathSync(path);
  if (folder.includes("\n")) throw unusable(`the name of ${JSON.stringify(folder)} has a line end`);
  const questions = ["--is-inside-work-tree", "--show-toplevel", "--absolute-git-dir", "--git-common-dir"];
  const { output } = await git.readUser(
    folder,
    ["rev-parse", ...questions, "--show-prefix", "--show-object-format"],
    signal,
  );
  const [inside = "", root = "", gitFolder = "", common = "", prefix = "", format = "sha1"] = output
    .toString("utf8")
    .split("\n");
  if (inside === "") return { kind: "folder", root: folder };
  if (inside !== "true") throw unusable(`${folder} is in a repository, but in no working tree of it`);
  const commonFolder = realpathSync(resolve(folder, common));
  const settings = await readSettings(git, root, signal);
  return {
    kind: "repository",
    root,
    subfolder: prefix.replace(/\/$/, ""),
    gitFolder,
    commonFolder,
    objectFormat: format,
    head: await resolveCommit(git, root, "HEAD", signal),
    branch: firstLine((await git.readUser(root, ["symbolic-ref", "-q", "--short", "HEAD"], signal)).output),
    settings: [...settings].filter(([name]) => TREE_SETTINGS.test(name)).map((each) => each.join("=")),
    excludes: await readExcludes(git, root, { commonFolder, settings }, signal),
    largeFileStore: join(resolve(commonFolder, settings.get("lfs.storage") ?? "lfs"), "objects"),
  };
}

/** The commit that a revision names; null if there is none. */
export async function resolveCommit(
  git: Git,
  root: string,
  revision: string,
  signal: AbortSignal,
): Promise<string | null> {
  const words = ["rev-parse", "-q", "--verify", "--end-of-options", `${revision}^{commit}`];
  return firstLine((await git.readUser(root, words, signal)).output);
}

function firstLine(output: Buffer): string | null {
  return output.toString("utf8").split("\n")[0] || null;
}

async function readSettings(git: Git, root: string, signal: AbortSignal): Promise<Map<string, string>> {
  const { output } = await git.readUser(root, ["config", "-z", "--get-regexp", "^(core|lfs)\\."], signal);
  const pairs = output.toString("utf8").split("\0").slice(0, -1);
  return new Map(
    pairs.map((pair) => {
      const end = pair.indexOf("\n");
      return end < 0 ? [pair, "true"] : [pair.slice(0, end), pair.slice(end + 1)];
    }),
  );
}

async function readExcludes(
  git: Git,
  root: string,
  { commonFolder, settings }: { readonly commonFolder: string; readonly settings: Map<string, string> },
  signal: AbortSignal,
): Promise<string> {
  const own = settings.has("core.excludesfile")
    ? firstLine((await git.readUser(root, ["config", "--type=path", "core.excludesFile"], signal)).output)
    : null;
  const paths = [
    own === null ? git.userFile("git/ignore") : resolve(root, own),
    join(commonFolder, "info", "exclude"),
  ];
  return paths.map((path) => (path === undefined ? "" : readSmall(path))).join("\n");
}

function readSmall(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() && found.size <= EXCLUDES_BYTES_MAX ? readText(path) : "";
}

/** A regular file at the top of the source, not through a link. */
export function readTopFile(root: string, name: string): string | undefined {
  const path = join(root, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() && found.size <= EXCLUDES_BYTES_MAX ? readFileSync(path, "utf8") : undefined;
}

/** A source that cannot be used. */
export function unusable(message: string): NightshiftError {
  return new NightshiftError("E_WORKSPACE_SOURCE", message);
}
