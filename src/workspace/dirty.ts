/** Changes that are not committed: finding them, and making a commit of them beside the user's repository. */
import { lstatSync } from "node:fs";
import { NightshiftError } from "../core/errors.ts";
import type { WorkspaceLimits } from "./contract.ts";
import { type Git, splitNul } from "./git.ts";
import { addLargeFiles } from "./large-files.ts";
import { type BytePath, bytePath, fileBytes, readablePath } from "./paths.ts";
import type { Scratch } from "./scratch.ts";

const NAMED_MAX = 10;
const STATUS: readonly string[] = [
  ...["status", "--porcelain=v2", "-z", "--untracked-files=all"],
  ...["--ignore-submodules=dirty", "--no-renames"],
];

/** What differs from the last commit. */
export interface Dirt {
  /** Of files that are tracked, in the working tree. */
  readonly changed: readonly BytePath[];
  readonly staged: readonly BytePath[];
  readonly untracked: readonly BytePath[];
  readonly unmerged: readonly BytePath[];
  /** Repositories that are no submodules. */
  readonly nested: readonly BytePath[];
}

/** Looks for it, with an index of ours. */
export async function findDirt(git: Git, { tree }: Scratch, signal: AbortSignal): Promise<Dirt> {
  const { output } = await git.run(tree, STATUS, signal);
  const entries = splitNul(output).flatMap(statusEntry);
  const paths = (is: (entry: StatusEntry) => boolean): BytePath[] =>
    entries.filter(is).map(({ path }) => bytePath(path));
  return {
    changed: paths(({ work }) => work !== "." && work !== "?"),
    staged: paths(({ staged }) => staged !== "." && staged !== "?"),
    unmerged: paths(({ isUnmerged }) => isUnmerged),
    untracked: paths(({ work, path }) => work === "?" && !path.endsWith("/")),
    nested: paths(({ work, path }) => work === "?" && path.endsWith("/")).map((path) =>
      bytePath(path.slice(0, -1)),
    ),
  };
}

interface StatusEntry {
  /** What differs between the last commit and the index, and between that and the working tree; `.` for nothing. */
  readonly staged: string;
  readonly work: string;
  readonly isUnmerged: boolean;
  readonly path: string;
}

/** One of `git status --porcelain=v2`: its kind, `XY`, some fields that are not needed, the path. */
function statusEntry(line: string): StatusEntry[] {
  if (line.startsWith("? ")) return [{ staged: "?", work: "?", isUnmerged: false, path: line.slice(2) }];
  const isUnmerged = line.startsWith("u ");
  if (!isUnmerged && !line.startsWith("1 ")) return [];
  const fields = line.split(" ", isUnmerged ? 10 : 8);
  const [staged = ".", work = "."] = fields[1] ?? "";
  return [{ staged, work, isUnmerged, path: line.slice(fields.join(" ").length + 1) }];
}

/** @throws NightshiftError `E_WORKSPACE_DIRTY` that names some of it */
export function refuseDirt(root: string, dirt: Dirt): void {
  const all = [...new Set([...dirt.staged, ...dirt.changed, ...dirt.untracked])];
  if (all.length === 0) return;
  throw new NightshiftError(
    "E_WORKSPACE_DIRTY",
    `${root} has changes that are not committed: ${named(all)}`,
    {
      data: { paths: all.slice(0, NAMED_MAX).map(readablePath), count: all.length },
    },
  );
}

/** A tree of the working tree as it is. @throws NightshiftError `E_WORKSPACE_DIRTY`, `E_WORKSPACE_TOO_LARGE` */
export async function writeDirtyTree(
  git: Git,
  scratch: Scratch,
  dirt: Dirt,
  limits: WorkspaceLimits,
  signal: AbortSignal,
): Promise<string> {
  const { tree } = scratch;
  if (dirt.unmerged.length > 0) {
    throw new NightshiftError("E_WORKSPACE_DIRTY", `a merge is not finished: ${named(dirt.unmerged)}`, {
      hint: "Resolve the conflicts, or begin without the changes: --dirty=ignore.",
    });
  }
  const root = tree.folder ?? "";
  const paths = [...dirt.changed, ...dirt.untracked].filter((path) => !isSpecial(root, path));
  checkSizes(root, paths, limits);
  const ordinary = await addLargeFiles(git, scratch, paths, signal);
  const input = Buffer.from(ordinary.map((path) => `${path}\0`).join(""), "latin1");
  await git.run(tree, ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], signal, { input });
  return git.text(tree, ["write-tree"], signal);
}

/** Refuses what is too large to become a commit. @throws NightshiftError `E_WORKSPACE_TOO_LARGE` */
export function checkSizes(root: string, paths: readonly BytePath[], limits: WorkspaceLimits): void {
  let total = 0;
  if (paths.length > limits.entries) {
    throw new NightshiftError(
      "E_WORKSPACE_TOO_LARGE",
      `${root} has more than ${limits.entries} files to take in`,
    );
  }
  for (const path of paths) {
    const size = lstatSync(fileBytes(root, path), { throwIfNoEntry: false })?.size ?? 0;
    total += size;
    if (size <= limits.fileBytes && total <= limits.totalBytes) continue;
    const what = size > limits.fileBytes ? `${readablePath(path)} has ${size} bytes` : "the files to take in";
    const limit = size > limits.fileBytes ? limits.fileBytes : limits.totalBytes;
    throw new NightshiftError("E_WORKSPACE_TOO_LARGE", `${root}: ${what}, more than ${limit} bytes`);
  }
}

function isSpecial(root: string, path: BytePath): boolean {
  const found = lstatSync(fileBytes(root, path), { throwIfNoEntry: false });
  return found !== undefined && !found.isFile() && !found.isSymbolicLink() && !found.isDirectory();
}

function named(paths: readonly BytePath[]): string {
  const first = paths.slice(0, NAMED_MAX).map(readablePath).join(", ");
  return paths.length > NAMED_MAX ? `${first} and ${paths.length - NAMED_MAX} more` : first;
}
