import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

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

/** Packages that the types behind the package's entries import: whoever compiles against them needs theirs as well. */
export function packagesOfTypes(exports: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, target = ""] of readFileSync(path, "utf8").matchAll(/(?:from |import\()"([^"]+)"/g)) {
      if (target.startsWith(".")) visit(join(dirname(path), target).replace(/\.[jt]s$/, ".d.ts"));
      else packages.add(target);
    }
  };
  for (const entry of Object.values(exports))
    if (typeof entry === "object" && entry !== null && "types" in entry) visit(String(entry.types));
  return packages;
}
