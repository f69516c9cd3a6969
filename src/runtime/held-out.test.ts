import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findHeldOut, keepHeldOut } from "./held-out.ts";

let place: string;
let hidden: string;
let workspace: string;
let store: string;
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-held-out-")));
  [hidden, workspace, store] = ["hidden", "project", "store"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(join(hidden, "deep"), { recursive: true });
  mkdirSync(workspace);
  writeFileSync(join(hidden, "deep", "a.test.js"), "secret");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

test("files are kept by their content, wherever the originals go", () => {
  const digest = keepHeldOut(hidden, store, workspace);
  expect(keepHeldOut(hidden, store, workspace)).toBe(digest);
  rmSync(hidden, { recursive: true });
  expect(findHeldOut(digest, store)).toBe(join(store, digest));
  expect(findHeldOut("0".repeat(64), store)).toBeUndefined();
  expect(findHeldOut("../project", store)).toBeUndefined();
});

test("another content has another name", () => {
  const digest = keepHeldOut(hidden, store, workspace);
  writeFileSync(join(hidden, "deep", "a.test.js"), "other");
  expect(keepHeldOut(hidden, store, workspace)).not.toBe(digest);
});

test("what was changed afterwards does not count, and is replaced by whoever keeps it again", () => {
  const digest = keepHeldOut(hidden, store, workspace);
  writeFileSync(join(store, digest, "deep", "a.test.js"), "easier");
  expect(findHeldOut(digest, store)).toBeUndefined();
  expect(keepHeldOut(hidden, store, workspace)).toBe(digest);
  expect(findHeldOut(digest, store)).toBe(join(store, digest));
});

test.each([
  ["a folder that is not there", () => join(place, "nowhere")],
  [
    "a folder without files",
    () => mkdirSync(join(place, "empty"), { recursive: true }) ?? join(place, "empty"),
  ],
  [
    "a folder that the agent sees",
    () => mkdirSync(join(workspace, "test"), { recursive: true }) ?? join(workspace, "test"),
  ],
  [
    "one that it sees by another way",
    () => {
      mkdirSync(join(workspace, "test"));
      writeFileSync(join(workspace, "test", "a.test.js"), "seen");
      symlinkSync(workspace, join(place, "alias"));
      return join(place, "alias", "test");
    },
  ],
  [
    "one with links",
    () => {
      symlinkSync("/etc/passwd", join(hidden, "link"));
      return hidden;
    },
  ],
])("%s is refused", (_what, make) => {
  const folder = make();
  expect(() => keepHeldOut(folder, store, workspace)).toThrow(
    expect.objectContaining({ code: "E_CONTRACT_INVALID" }),
  );
});
