import { existsSync } from "node:fs";
import { dirname } from "node:path";

/** What the launcher and the child processes start by file name. */
const STARTED_BY_NAME: readonly string[] = ["src/cli/main.ts"];

/** The source files behind `exports` of package.json. A part of the program whose folder is missing is left out. */
export function packageEntries(
  exports: Readonly<Record<string, string | { readonly default: string }>>,
): ReadonlySet<string> {
  const targets = Object.values(exports)
    .map((target) => (typeof target === "string" ? target : target.default))
    .filter((target) => target.startsWith("./dist/"))
    .map((target) => target.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts"));
  return new Set([...targets, ...STARTED_BY_NAME].filter((path) => existsSync(dirname(path))));
}
