/** A walk through folders in a fixed order, so that equal trees give equal answers, also when they are cut short. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { HeldFolder } from "./held-folder.ts";

/** Never entered unless a search starts inside: generated, and larger than everything else. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules"]);

/** More entries than this are not looked at. */
const ENTRIES_MAX = 500_000;

/** One entry that was found. */
export interface Found<State> {
  /** Relative to the folder where the walk began. */
  readonly path: string;
  readonly kind: "folder" | "file" | "other";
  readonly state: State;
}

/** Decides about each entry on the way, by its name and what was decided for its folder. */
export interface Visitor<State> {
  readonly start: State;
  enter(state: State, name: string): State | undefined;
}

/**
 * Every entry below a folder, sorted by name folder by folder; links are not followed. Entries that the visitor
 * has no state for are left out with everything below. Folders that cannot be read count as empty.
 */
export async function* walk<State>(
  folder: HeldFolder,
  visitor: Visitor<State>,
  signal: AbortSignal,
): AsyncGenerator<Found<State>> {
  const open: Found<State>[] = [{ path: "", kind: "folder", state: visitor.start }];
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    signal.throwIfAborted();
    if (next.path !== "") yield next;
    if (next.kind !== "folder") continue;
    const entries = await entriesOf(folder, next.path);
    seen += entries.length;
    if (seen > ENTRIES_MAX) throw new WalkTooLarge();
    for (const entry of entries) {
      const state = SKIPPED.has(entry.name) ? undefined : visitor.enter(next.state, entry.name);
      if (state !== undefined) open.push({ path: join(next.path, entry.name), kind: kindOf(entry), state });
    }
  }
}

/** There is more to look at than a search may. */
export class WalkTooLarge extends Error {
  override readonly name = "WalkTooLarge";

  constructor() {
    super(`there are more than ${ENTRIES_MAX} files; search in a folder further down`);
  }
}

function kindOf(entry: Dirent): "folder" | "file" | "other" {
  if (entry.isDirectory()) return "folder";
  return entry.isFile() ? "file" : "other";
}

/** Last name first, because the walk takes from the end of its list. */
async function entriesOf(start: HeldFolder, path: string): Promise<Dirent[]> {
  const entries = await list(start, path).catch((): Dirent[] => []);
  return entries.sort((one, other) => (one.name < other.name ? 1 : -1));
}

async function list(start: HeldFolder, path: string): Promise<Dirent[]> {
  await using folder = await start.below(path === "" ? [] : path.split("/"));
  return await readdir(folder.at("."), { withFileTypes: true });
}
