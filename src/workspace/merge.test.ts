import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  atMs,
  calm,
  contentOf,
  git,
  inWorkspace,
  repository,
  someSession,
  temporaryFolder,
  workspacesIn,
  write,
} from "../../test/support/repositories.ts";
import type { Merge, Workspaces } from "./contract.ts";

interface Scene {
  readonly folder: string;
  readonly source: string;
  readonly workspaces: Workspaces;
  readonly commit: string;
  readonly merged: <T>(use: (merge: Merge) => Promise<T>, into?: string) => Promise<T>;
}

/** Work that changes a.txt and adds b.txt. */
async function scene(script = "echo work >>a.txt; echo b >b.txt"): Promise<Scene> {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n", "c.txt": "c\n" });
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { base, files } = await workspaces.prepare(session, source, { dirty: "ignore", atMs }, calm);
  inWorkspace(files, script);
  const request = { number: 1, previous: base, reason: "r", atMs };
  const { commit } = await workspaces.checkpoint(session, request, calm);
  const merged: Scene["merged"] = (use, into = source) =>
    workspaces.merge(session, { commit, folder: into, message: "Merge: r\n", atMs }, use, calm);
  return { folder, source, workspaces, commit, merged };
}

function commitOf(source: string, files: Readonly<Record<string, string>>): void {
  write(source, files);
  git(source, "add", "-A");
  git(source, "commit", "-qm", "mine");
}

test("looks without touching anything, then moves what is checked out", async () => {
  const { source, commit, merged } = await scene();
  const before = contentOf(source);
  await merged(async ({ kind, branch, changed, land }) => {
    expect({ kind, branch }).toEqual({ kind: "fast_forward", branch: "main" });
    expect(changed.map(({ path }) => path)).toEqual(["a.txt", "b.txt"]);
    expect(contentOf(source)).toEqual(before);
    await land();
  });
  expect(git(source, "rev-parse", "HEAD")).toBe(commit);
  expect(git(source, "status", "--porcelain")).toBe("");
  await merged(async ({ kind }) => expect(kind).toBe("up_to_date"));
});

test("merges with what was committed meanwhile, keeps local changes, and runs no hook", async () => {
  const { folder, source, commit, merged } = await scene("echo work >>a.txt; mkdir h; echo x >h/post-merge");
  commitOf(source, { "c.txt": "mine\n" });
  write(source, { "local.txt": "local\n" });
  const canary = join(folder, "canary");
  for (const hook of ["post-merge", "post-checkout", "reference-transaction", "pre-merge-commit"]) {
    write(source, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${canary}\n` });
    chmodSync(join(source, ".git/hooks", hook), 0o755);
  }
  const head = git(source, "rev-parse", "HEAD");
  await merged(async ({ kind, land }) => {
    expect(kind).toBe("merge");
    await land();
  });
  expect(existsSync(canary)).toBe(false);
  expect(git(source, "log", "-1", "--format=%P")).toBe(`${head} ${commit}`);
  expect(git(source, "show", "HEAD:c.txt")).toBe("mine");
  expect(git(source, "show", "HEAD:a.txt")).toBe("one\nwork");
  expect(git(source, "status", "--porcelain")).toBe("?? local.txt");
  expect(git(source, "fsck", "--strict")).toBe("");
});

test("names what both sides have changed, and changes nothing", async () => {
  const { source, merged } = await scene();
  commitOf(source, { "a.txt": "mine\n" });
  const before = contentOf(source);
  await merged(async ({ kind, conflicts }) => {
    expect({ kind, conflicts }).toEqual({ kind: "conflict", conflicts: ["a.txt"] });
  });
  expect(contentOf(source)).toEqual(before);
});

test("refuses when local changes are in the way, or what is checked out has moved meanwhile", async () => {
  const { source, merged } = await scene();
  write(source, { "a.txt": "local\n" });
  await merged(async ({ land }) => {
    await expect(land()).rejects.toMatchObject({ code: "E_WORKSPACE_DIRTY" });
  });
  git(source, "checkout", "-q", "a.txt");
  await merged(async ({ land }) => {
    commitOf(source, { "c.txt": "mine\n" });
    await expect(land()).rejects.toMatchObject({ code: "E_WORKSPACE_GIT" });
  });
  expect(git(source, "log", "-1", "--format=%s")).toBe("mine");
});

test("work that began before the first commit is merged once there is one", async () => {
  const folder = temporaryFolder();
  const source = join(folder, "project");
  write(source, { "a.txt": "one\n" });
  git(source, "init", "-q");
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { base, files } = await workspaces.prepare(session, source, { dirty: "include", atMs }, calm);
  inWorkspace(files, "echo work >>a.txt");
  const saved = { number: 1, previous: base, reason: "r", atMs };
  const { commit } = await workspaces.checkpoint(session, saved, calm);
  const request = { commit, folder: source, message: "Merge: r\n", atMs };
  const land = async (merge: Merge): Promise<Merge["kind"]> => {
    await merge.land();
    return merge.kind;
  };
  const apply = () => workspaces.merge(session, request, land, calm);
  await expect(apply()).rejects.toMatchObject({
    code: "E_WORKSPACE_SOURCE",
    hint: "Commit what is there, then apply again.",
  });
  commitOf(source, { "mine.txt": "mine\n" });
  expect(await apply()).toBe("merge");
  expect(git(source, "show", "HEAD:a.txt")).toBe("one\nwork");
  expect(git(source, "show", "HEAD:mine.txt")).toBe("mine");
  expect(git(source, "status", "--porcelain")).toBe("");
});

test("work of a folder that is no repository is a patch", async () => {
  const folder = temporaryFolder();
  const source = join(folder, "plain");
  write(source, { "a.txt": "one\n" });
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { base } = await workspaces.prepare(session, source, { dirty: "ignore", atMs }, calm);
  const request = { commit: base, folder: source, message: "Merge: r\n", atMs };
  await expect(workspaces.merge(session, request, async () => null, calm)).rejects.toMatchObject({
    message: expect.stringContaining("no repository"),
    hint: expect.stringContaining(`nightshift diff ${session} > work.patch`),
  });
});

test("works in another working tree of the repository, and in no other repository", async () => {
  const { folder, source, commit, merged } = await scene();
  const linked = join(folder, "linked");
  git(source, "worktree", "add", "-q", "-b", "side", linked);
  await merged(async ({ branch, land }) => {
    expect(branch).toBe("side");
    await land();
  }, linked);
  expect(git(linked, "rev-parse", "HEAD")).toBe(commit);
  expect(git(source, "log", "--format=%s", "main")).toBe("first");
  const other = repository(join(folder, "other"), { "x.txt": "x\n" });
  await expect(merged(async () => undefined, other)).rejects.toMatchObject({ code: "E_WORKSPACE_SOURCE" });
});
