/**
 * Tests that start many processes run the built program, where `npm test` has just built it: what is tested is then
 * what is shipped, and helper programs start from one file each, in half the time. Where the build is older than a
 * source, as when one part is tried by hand, the sources are run.
 */
import { globSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const ROOT: URL = new URL("../../", import.meta.url);
const SOURCES: string = fileURLToPath(new URL("src/", ROOT));
const BUILT: string = fileURLToPath(new URL("dist/", ROOT));

/** Modules of `src` are those of `dist`; nothing where the build is stale. */
export function builtModules(): Plugin[] {
  return isFresh() ? [redirect] : [];
}

function isFresh(): boolean {
  const builtMs = statSync(new URL("dist/index.js", ROOT), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync("src/**/*.ts", { cwd: ROOT, exclude: (name) => name.endsWith(".test.ts") });
  return sources.every((path) => statSync(new URL(path, ROOT)).mtimeMs <= builtMs);
}

const redirect: Plugin = {
  name: "built-modules",
  enforce: "pre",
  async resolveId(source, importer, options) {
    const found = await this.resolve(source, importer, { ...options, skipSelf: true });
    if (found === null || !found.id.startsWith(SOURCES) || !found.id.endsWith(".ts")) return found;
    if (found.id.endsWith(".test.ts")) return found;
    return { id: `${BUILT}${found.id.slice(SOURCES.length, -".ts".length)}.js`, external: true };
  },
};
