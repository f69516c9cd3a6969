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

/** Stands for all files of a candidate; a decision about it holds for exactly these. */
export const WHOLE_TREE = ".";

const DETAIL_LENGTH_MAX = 4000;
const ITEM_DIGITS = 16;

/**
 * Names one change of one path. A decision about it holds for these two contents and for no others.
 * @param base, candidate - object names of git; null where there is no such path
 */
export function reviewHash(path: string, base: string | null, candidate: string | null): string {
  return hash("sha256", JSON.stringify(["nightshift review 1", path, base, candidate]), "hex");
}

/** What waits for a person, and what they have decided about this very candidate. */
export interface Review {
  readonly open: readonly ReviewItem[];
  readonly denied: readonly ReviewItem[];
  /** Paths whose change was approved. */
  readonly approved: ReadonlySet<string>;
}

/** Before anything was looked at. */
export const NO_REVIEW: Review = { open: [], denied: [], approved: new Set() };

/** Findings for review as one item per path. */
export async function reviewOf(
  findings: readonly Finding[],
  base: TreeReader,
  candidate: TreeReader,
  decisions: Decisions,
): Promise<Review> {
  const byPath = Map.groupBy(
    findings.filter(({ effect }) => effect === "review"),
    ({ path }) => path,
  );
  const before = await objectsOf(base);
  const after = await objectsOf(candidate);
  const nameOf = (path: string): string =>
    reviewHash(path, before.get(path) ?? null, after.get(path) ?? null);
  const { approved, denied } = decisions;
  const items = [...byPath].map(([path, group]) => itemOf(path, nameOf(path), group));
  const paths = approved.size === 0 ? [] : [...before.keys(), ...after.keys()];
  return {
    open: items.filter((item) => !approved.has(item.hash) && !denied.has(item.hash)),
    denied: items.filter((item) => denied.has(item.hash)),
    approved: new Set(paths.filter((path) => approved.has(nameOf(path)))),
  };
}

function itemOf(path: string, name: string, findings: readonly Finding[]): ReviewItem {
  const detail = findings.map((each) => `${each.gate}: ${each.detail}`).join("\n");
  const item = `review-${name.slice(0, ITEM_DIGITS)}`;
  return { item, hash: name, path, detail: detail.slice(0, DETAIL_LENGTH_MAX) };
}

async function objectsOf(reader: TreeReader): Promise<ReadonlyMap<string, string>> {
  const items = await reader.list();
  const whole = hash(
    "sha256",
    JSON.stringify(items.map(({ path, mode, object }) => [path, mode, object])),
    "hex",
  );
  return new Map([...items.map(({ path, object }) => [path, object] as const), [WHOLE_TREE, whole]]);
}
