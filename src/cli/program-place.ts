/** Where a program and the files that it is given are, seen from a sandbox that isolates. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { placeInTree } from "../runtime/state-folder.ts";

/** What sandboxes have of the machine, or have their own of. */
const OF_ANY_MACHINE = /^\/(usr|bin|sbin|lib\w*|etc|dev|proc|sys)(\/|$)/;

/**
 * The program as its attempts find it, which begin at the root of a checkout: one that is named by its place in the
 * repository is that of the checkout.
 */
export function programInCheckout(program: string, workspace: string, isIsolated: boolean): string {
  if (!program.includes("/") || (isAbsolute(program) && !isIsolated)) return program;
  const { root } = placeInTree(workspace);
  const path = resolve(workspace, program);
  return path.startsWith(`${root}/`) ? `./${relative(root, path)}` : path;
}

/** What a person should know before attempts fail for it: files that are there, and not in the sandbox. */
export function unseenFiles(
  [, ...words]: readonly string[],
  workspace: string,
  mounts: readonly { readonly target: string }[],
): string[] {
  const { root } = placeInTree(workspace);
  const isMounted = (path: string): boolean =>
    mounts.some(({ target }) => path === target || path.startsWith(`${target}/`));
  return words
    .filter((word) => isAbsolute(word) && !OF_ANY_MACHINE.test(word) && !isMounted(word) && existsSync(word))
    .map((path) =>
      path.startsWith(`${root}/`)
        ? `the program cannot see ${path}: in its sandbox it is ${relative(root, path)}, if it is committed`
        : `the program cannot see ${path}: --mount ${dirname(path)} shows its folder, read-only`,
    );
}
