import { expect, test } from "vitest";
import type { ChangedFile } from "../../workspace/contract.ts";
import { findOversize } from "./size.ts";

const changed = (path: string, added: number | null, removed: number | null = 0): ChangedFile => {
  return { path, change: "modified", added, removed, isExecutable: false };
};
const CHANGES = [
  changed("src/a.js", 5, 3),
  changed("logo.png", null, null),
  changed("package-lock.json", 900),
];

test.each([
  ["without limits", {}, []],
  ["within them; a lockfile is a file, and its lines are nobody's", { files: 3, lines: 8 }, []],
  ["over both", { files: 2, lines: 7 }, ["more is changed than was agreed: 3 files, of 2; 8 lines, of 7"]],
  ["over one", { files: 9, lines: 1 }, ["more is changed than was agreed: 8 lines, of 1"]],
])("%s", (_, limits, details) => {
  const found = findOversize(limits, CHANGES);
  expect(found.map(({ detail }) => detail)).toEqual(details);
  for (const { gate, effect } of found) expect(`${gate} ${effect}`).toBe("size review");
});
