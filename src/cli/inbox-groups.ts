/** Many changes of files as few entries: those of one folder belong together, and may be answered together. */
import type { InboxItem } from "./inbox-items.ts";

/** Fewer of a session are shown one by one. */
const GROUPED_MIN = 4;

/** One entry: a single item, or the changes in one folder of a session. */
export type InboxEntry =
  | { readonly folder: null; readonly items: readonly [InboxItem] }
  | { readonly folder: string; readonly items: readonly InboxItem[] };

/** In the same order, a group where its first item was. */
export function inboxEntries(items: readonly InboxItem[]): InboxEntry[] {
  const changes = Map.groupBy(items.filter(isChange), ({ session }) => session);
  const isMany = ({ session }: InboxItem): boolean => (changes.get(session)?.length ?? 0) >= GROUPED_MIN;
  const groups = Map.groupBy(items, (item) => {
    const folder = isChange(item) && isMany(item) ? folderOf(item.item) : "";
    return folder === "" ? item : `${item.session} ${folder}`;
  });
  return [...groups.values()].flatMap(([first, ...rest]): InboxEntry[] => {
    if (first === undefined) return [];
    return rest.length === 0
      ? [{ folder: null, items: [first] }]
      : [{ folder: folderOf(first.item), items: [first, ...rest] }];
  });
}

/** With a slash at its end; empty for a file at the top. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function isChange({ kind }: InboxItem): boolean {
  return kind === "change";
}
