import { posix } from "node:path";
import type { SourceFile } from "./source.ts";
import { walk } from "./source.ts";

/** Import cycles, through types too: a cycle means that two files are one thought. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const complaints: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      complaints.push(
        `import cycle ${[...trail.slice(seenAt), path].join(" -> ")}: move what they share into a third file`,
      );
    }
    if (seenAt >= 0 || finished.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const { path } of files) visit(path, []);
  return complaints;
}

/** Files below src that no other file loads and that are no entry of the package; the compiler uses descriptions. */
export function unusedFiles(files: readonly SourceFile[], entries: ReadonlySet<string>): string[] {
  const used = new Set<string>(entries);
  for (const file of files.filter(({ path }) => !path.endsWith(".test.ts"))) {
    for (const target of mentionedFiles(file)) used.add(target);
  }
  return files
    .map((file) => file.path)
    .filter((path) => path.startsWith("src/") && !/\.(test|d)\.ts$/.test(path) && !used.has(path))
    .map((path) => `${path} is not used by any file: delete it, or name it in the package's exports`);
}

/** Imports, plus relative paths in strings: a child process is started by its file's name. */
function mentionedFiles(file: SourceFile): string[] {
  const mentioned: string[] = [];
  walk(file.program, (node) => {
    const value = node.value;
    if (node.type !== "Literal" || typeof value !== "string" || !/^\.{1,2}\//.test(value)) return;
    const path = posix.join(posix.dirname(file.path), value).replace(/\.c?js$/, ".ts");
    if (path !== file.path) mentioned.push(path);
  });
  return mentioned;
}
