/** A project that names dependencies and pins none of them: nothing can be installed for its checks. */
import { posix } from "node:path";
import type { TreeReader } from "./contract.ts";

const LOCKFILES: readonly string[] = [
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "yarn.lock",
];

/** @returns what is to be said of it; undefined when nothing is missing */
export async function missingLockfile(
  tree: TreeReader,
  folder: string,
): Promise<{ readonly code: "lockfile_missing"; readonly message: string } | undefined> {
  for (const place of new Set([folder, ""])) {
    const text = await tree.read(posix.join(place, "package.json"));
    if (text === undefined || !hasDependencies(text)) continue;
    const found = await Promise.all(LOCKFILES.map((name) => tree.read(posix.join(place, name))));
    if (found.some((content) => content !== undefined)) return undefined;
    const path = posix.join(place, "package.json");
    return {
      code: "lockfile_missing",
      message: `${path} names dependencies, but no lockfile pins them, so nothing was installed; run \`npm install\` and commit package-lock.json`,
    };
  }
  return undefined;
}

function hasDependencies(manifest: Buffer): boolean {
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest.toString("utf8")) as {
      readonly dependencies?: object;
      readonly devDependencies?: object;
    };
    return Object.keys({ ...dependencies, ...devDependencies }).length > 0;
  } catch {
    return false;
  }
}
