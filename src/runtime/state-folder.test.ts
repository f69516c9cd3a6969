import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gitCommonFolder, placeInTree, stateFolderFor } from "./state-folder.ts";

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-state-folder-")));
  git("init", "-q", "main");
  git("-C", "main", "commit", "-q", "--allow-empty", "-m", "first");
  git("-C", "main", "worktree", "add", "-q", "../tree");
  git("init", "-q", "--bare", "bare.git");
  git(
    "-C",
    "main",
    "-c",
    "protocol.file.allow=always",
    "submodule",
    "--quiet",
    "add",
    join(folder, "main"),
    "sub",
  );
  mkdirSync(join(folder, "main/deep/er"), { recursive: true });
  mkdirSync(join(folder, "plain/.git"), { recursive: true });
  symlinkSync("main/deep", join(folder, "link"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function git(...words: string[]): string {
  return execFileSync("git", words, {
    cwd: folder,
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a@example.org",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a@example.org",
    },
  }).trim();
}

describe("the folder that worktrees share", () => {
  test.each(["main", "main/deep/er", "tree", "link/er", "bare.git", "main/sub", "main/.git"])(
    "of %s is what git says",
    (path) => {
      const said = git("-C", path, "rev-parse", "--path-format=absolute", "--git-common-dir");
      expect(gitCommonFolder(join(folder, path))).toBe(realpathSync(said));
    },
  );

  test("outside of a repository there is none, whatever a folder is called", () => {
    expect(gitCommonFolder(join(folder, "plain"))).toBe(undefined);
  });

  test("a pointer that leads nowhere is none", () => {
    mkdirSync(join(folder, "broken"));
    writeFileSync(join(folder, "broken/.git"), "gitdir: ../nowhere\n");
    expect(gitCommonFolder(join(folder, "broken"))).toBe(undefined);
  });
});

test.each([
  ["main", "main", ""],
  ["main/deep/er", "main", "deep/er"],
  ["link/er", "main", "deep/er"],
  ["tree", "tree", ""],
  ["main/sub", "main/sub", ""],
  ["plain", "plain", ""],
])("%s is in the working tree %s, there in %j", (path, root, subfolder) => {
  expect(placeInTree(join(folder, path))).toEqual({ root: join(folder, root), subfolder });
});

describe("the state folder", () => {
  const of = (path: string): string => stateFolderFor(join(folder, path), "/base");

  test("is one for a repository, its worktrees and its subfolders", () => {
    expect(of("main")).toMatch(/^\/base\/main-[0-9a-f]{12}$/);
    expect(new Set(["main", "tree", "main/deep/er", "link"].map(of)).size).toBe(1);
  });

  test("is another one for every other place", () => {
    expect(new Set(["main", "main/sub", "bare.git", "plain"].map(of)).size).toBe(4);
    expect(of("bare.git")).toMatch(/\/bare-/);
  });

  test("has a name that is fit for a path, whatever the project is called", () => {
    mkdirSync(join(folder, "ü a/.x y"), { recursive: true });
    expect(of("ü a/.x y")).toMatch(/^\/base\/folder\.x-y-[0-9a-f]{12}$/);
  });
});
