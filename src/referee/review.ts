/** Review items: what a person decides, bound to exactly what was looked at. */
import { hash } from "node:crypto";
import type { Finding } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { TreeReader } from "./contract.ts";

/** One thing that waits for a person. */
export type ReviewItem = EventBody<"verdict.given">["review"][number];

/** What people have said of earlier items, by hash. */
export interface Decisions {
  readonly approved: ReadonlySet<string>;
  readonly denied: ReadonlySet<string>;
}

const DETAIL_LENGTH_MAX = 4000;
const ITEM_DIGITS = 16;

/**
 * Names one change of one path. A decision about it holds for these two contents and for no others.
 * @param base, candidate - object names of git; null where there is no such path
 */
export function reviewHash(path: string, base: string | null, candidate: string | null): string {
  return hash("sha256", JSON.stringify(["nightshift review 1", path, base, candidate]), "hex");
}

/** Findings for review as one item per path, without what was decided; and what was denied. */
export async function reviewItems(
  findings: readonly Finding[],
  base: TreeReader,
  candidate: TreeReader,
  { approved, denied }: Decisions,
): Promise<{ readonly open: readonly ReviewItem[]; readonly denied: readonly ReviewItem[] }> {
  const byPath = Map.groupBy(
    findings.filter(({ effect }) => effect === "review"),
    ({ path }) => path,
  );
  if (byPath.size === 0) return { open: [], denied: [] };
  const before = await objectsOf(base);
  const after = await objectsOf(candidate);
  const items = [...byPath].map(([path, group]): ReviewItem => {
    const name = reviewHash(path, before.get(path) ?? null, after.get(path) ?? null);
    const detail = group.map((each) => `${each.gate}: ${each.detail}`).join("\n");
    return {
      item: `review-${name.slice(0, ITEM_DIGITS)}`,
      hash: name,
      path,
      detail: detail.slice(0, DETAIL_LENGTH_MAX),
    };
  });
  return {
    open: items.filter((item) => !approved.has(item.hash) && !denied.has(item.hash)),
    denied: items.filter((item) => denied.has(item.hash)),
  };
}

async function objectsOf(reader: TreeReader): Promise<ReadonlyMap<string, string>> {
  return new Map((await reader.list()).map(({ path, object }) => [path, object]));
}
