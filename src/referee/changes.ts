/** What differs between two trees, by path. */
import type { ChangedFile } from "../workspace/contract.ts";
import type { TreeReader } from "./contract.ts";

const EXECUTABLE = "100755";

/** In the order of paths. Lines are not counted. */
export async function changesBetween(base: TreeReader, candidate: TreeReader): Promise<ChangedFile[]> {
  const before = new Map((await base.list()).map((entry) => [entry.path, entry]));
  const after = new Map((await candidate.list()).map((entry) => [entry.path, entry]));
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): ChangedFile[] => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old?.object === now?.object && old?.mode === now?.mode) return [];
    return [
      {
        path,
        change: changeOf(old?.mode, now?.mode),
        added: null,
        removed: null,
        isExecutable: now?.mode === EXECUTABLE,
      },
    ];
  });
}

function changeOf(old: string | undefined, now: string | undefined): ChangedFile["change"] {
  if (old === undefined) return "added";
  if (now === undefined) return "deleted";
  return old.slice(0, 2) === now.slice(0, 2) ? "modified" : "type_changed";
}
