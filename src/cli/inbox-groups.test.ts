import { expect, test } from "vitest";
import { inboxEntries } from "./inbox-groups.ts";
import type { InboxItem } from "./inbox-items.ts";

const change = (item: string, session = "sesn_1"): InboxItem =>
  ({ session, kind: "change", item }) as InboxItem;
const question = { session: "sesn_1", kind: "question", item: "q1_0" } as unknown as InboxItem;
const shown = (items: readonly InboxItem[]) =>
  inboxEntries(items).map(({ folder, items: grouped }) => [folder, ...grouped.map(({ item }) => item)]);

test("many changes of a session are grouped by their folder, at the place of the first", () => {
  const items = [change("a/x"), question, change("b/c/y"), change("a/z"), change("a/b/w"), change("top")];
  expect(shown(items)).toEqual([
    ["a/", "a/x", "a/z"],
    [null, "q1_0"],
    [null, "b/c/y"],
    [null, "a/b/w"],
    [null, "top"],
  ]);
});

test("a few, and those of other sessions, stand alone", () => {
  const items = [change("a/x"), change("a/y"), change("a/z"), change("a/x", "sesn_2")];
  expect(shown(items)).toEqual(items.map(({ item }) => [null, item]));
});
