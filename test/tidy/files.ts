import { readdirSync } from "node:fs";

const GENERATED: ReadonlySet<string> = new Set([
  ".git",
  "coverage",
  "dist",
  "fixtures",
  "node_modules",
  ".vitest",
]);

/** All files below a folder as sorted paths from where the program runs; a missing folder has none. */
export function listFiles(folder: string): string[] {
  const entries = readFolder(folder).filter(({ name }) => !GENERATED.has(name));
  return entries
    .flatMap((entry) => {
      const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return listFiles(path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

function readFolder(folder: string): { name: string; isDirectory(): boolean; isFile(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
