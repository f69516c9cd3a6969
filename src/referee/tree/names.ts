/** Paths that mean something else than they look like, here or on the machine of whoever checks the branch out. */
import type { Finding } from "../../core/contract/contract.ts";
import { isReservedName } from "../../workspace/paths.ts";
import { type Change, type Difference, foldersOf, GITLINK, LINK, nameOf } from "./difference.ts";
import { finding } from "./finding.ts";

/** Characters that nobody sees: joiners, marks of direction, variation selectors, soft hyphens. */
const HIDDEN = /\p{Default_Ignorable_Code_Point}/gu;
/** Files that git itself obeys. */
const OBEYED: ReadonlySet<string> = new Set([".gitattributes", ".gitmodules", ".gitignore"]);

/** Refuses names that no honest tree has. @param isProtected - by its path in the base */
export function findBadNames(difference: Difference, isProtected: (path: string) => boolean): Finding[] {
  if (difference.added.length === 0) return [];
  const folded = foldedBase(difference);
  return difference.added.flatMap(({ path }) => {
    const problem = problemOf(path) ?? collisionOf(path, difference, folded, isProtected);
    return problem === undefined ? [] : [finding("names", path, "refuse", problem)];
  });
}

/** Can it be a path of a tree at all? */
export function isPossible(path: string): boolean {
  return path
    .split("/")
    .every((name) => name !== "" && name !== "." && name !== ".." && !isRepositoryName(name));
}

function problemOf(path: string): string | undefined {
  if (!isPossible(path)) return "no tree may have such a path: it leads elsewhere, or into a repository";
  const name = path.split("/").find((each) => OBEYED.has(folded(each)) && !OBEYED.has(each));
  if (name !== undefined) return `on some file systems ${JSON.stringify(name)} is ${folded(name)}`;
  return undefined;
}

function isRepositoryName(name: string): boolean {
  return isReservedName(Buffer.from(name, "utf8").toString("latin1")) || folded(name) === ".git";
}

/** As file systems see a name that mind neither case nor the form of characters. */
function folded(path: string): string {
  return path
    .replace(HIDDEN, "")
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[. ]+(?=\/|$)/g, "");
}

/** Files and folders of the base as such file systems see them. */
function foldedBase({ base, baseFolders }: Difference): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const path of [...base.keys(), ...baseFolders]) {
    const key = folded(path);
    const known = found.get(key);
    if (known === undefined) found.set(key, [path]);
    else known.push(path);
  }
  return found;
}

function collisionOf(
  path: string,
  { base, baseFolders }: Difference,
  known: ReadonlyMap<string, readonly string[]>,
  isProtected: (path: string) => boolean,
): string | undefined {
  for (const part of [path, ...foldersOf(path)]) {
    if (base.has(part) || baseFolders.has(part)) continue;
    const others = (known.get(folded(part)) ?? []).filter((each) => each !== part);
    const other = others.find((each) => isProtected(each) || hasProtected(each, base, isProtected));
    if (other !== undefined) return `on some file systems it is the protected ${other}`;
  }
  return undefined;
}

function hasProtected(
  folder: string,
  base: Difference["base"],
  isProtected: (path: string) => boolean,
): boolean {
  return [...base.keys()].some((path) => path.startsWith(`${folder}/`) && isProtected(path));
}

/** Refuses links, submodules and files in the place of what is protected, and folders in the place of a file. */
export function findSwaps(
  protectedChanges: readonly Change[],
  { candidate, candidateFolders }: Difference,
): Finding[] {
  return protectedChanges.flatMap(({ path, base, candidate: now }) => {
    if (base === undefined) return [];
    if (now?.mode === GITLINK && base.mode !== GITLINK)
      return [finding("swap", path, "refuse", "a submodule is where a protected file was")];
    if (now?.mode === LINK && base.mode !== LINK)
      return [finding("swap", path, "refuse", "a symbolic link is where a protected file was")];
    const above = now === undefined ? foldersOf(path).find((folder) => candidate.has(folder)) : undefined;
    if (above !== undefined) {
      const what = { [LINK]: "a symbolic link", [GITLINK]: "a submodule" }[candidate.get(above)?.mode ?? ""];
      return [
        finding(
          "swap",
          above,
          "refuse",
          `${what ?? "a file"} is where a protected folder was, with ${nameOf(path)}`,
        ),
      ];
    }
    const isFolder = now === undefined && candidateFolders.has(path);
    return isFolder ? [finding("swap", path, "refuse", "a folder is where a protected file was")] : [];
  });
}
