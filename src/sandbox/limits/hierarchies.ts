/**
 * Where control groups are on this machine, and which of them is this process's own. Version 1 has one hierarchy
 * per controller, version 2 one for all; both may be there at once.
 */
import { join } from "node:path";

/** One mounted tree of control groups. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1; those of version 2 differ from folder to folder. */
  readonly controllers: readonly string[];
  /** Where its topmost visible folder is. */
  readonly top: string;
  /** The folder of this process's own group. */
  readonly own: string;
}

/**
 * @param mountInfo - as in /proc/self/mountinfo
 * @param membership - as in /proc/self/cgroup
 */
export function findHierarchies(mountInfo: string, membership: string): Hierarchy[] {
  const own = parseMembership(membership);
  return mountInfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", top = ""] = before.split(" ").map(unescapeOctal);
    const [type = "", , options = ""] = after.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const version = type === "cgroup" ? 1 : 2;
    const names = options.split(",");
    const entry = own.find(({ controllers }) =>
      version === 2 ? controllers.length === 0 : controllers.some((name) => names.includes(name)),
    );
    const below = entry && pathBelow(root, entry.path);
    if (entry === undefined || below === undefined) return [];
    return [{ version, controllers: entry.controllers, top, own: join(top, below) } satisfies Hierarchy];
  });
}

interface Membership {
  /** None: the entry of version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

function parseMembership(text: string): Membership[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, names = "", ...path] = line.split(":");
      return { controllers: names.split(",").filter((name) => name !== ""), path: path.join(":") };
    });
}

/** A container may see only a part of the tree; what lies outside of that part cannot be used. */
function pathBelow(root: string, path: string): string | undefined {
  if (path.startsWith("/..")) return undefined;
  if (root === "/") return path;
  if (path === root || path.startsWith(`${root}/`)) return path.slice(root.length);
  return path === "/" ? path : undefined;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_whole, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
