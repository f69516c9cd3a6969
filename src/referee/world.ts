/** What all checks of one verdict, or of one preflight, have in common. */
import type { RefereeParts, Surroundings } from "./parts.ts";

/** Where checks run. */
export interface CheckWorld {
  readonly parts: RefereeParts;
  readonly sessionId: string;
  readonly epoch: number | null;
  readonly surroundings: Surroundings;
}

const NOTHING: Surroundings = { mounts: [], environment: {} };

/**
 * Finds or makes what checks need, from the files of the base.
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`, `E_LAYER_FAILED`, `E_SOURCE_REFUSED`, `E_WORKSPACE_*`
 */
export async function openWorld(
  parts: RefereeParts,
  { sessionId, epoch }: { readonly sessionId: string; readonly epoch: number | null },
  baseTree: string,
  signal: AbortSignal,
): Promise<CheckWorld> {
  const { surroundings: find } = parts;
  if (find === null) return { parts, sessionId, epoch, surroundings: NOTHING };
  const { files, close } = await parts.trees.open(sessionId, baseTree, null, signal);
  try {
    const pristine = files.overlay?.lower.at(-1) ?? files.workspace;
    return { parts, sessionId, epoch, surroundings: await find(pristine, signal) };
  } finally {
    await close();
  }
}

/** Results in the order of the items, at most `limit` of them in the making. The first failure is thrown at the end. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  const waiting = items.entries();
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (const [index, item] of waiting) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
  return results;
}
