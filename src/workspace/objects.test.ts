import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
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

function withSubmodule(folder: string): string {
  const inner = repository(join(folder, "inner"), { "in.txt": "deep\n" });
  const middle = repository(join(folder, "middle"), { "mid.txt": "middle\n" });
  git(middle, "submodule", "add", "-q", inner, "inner");
  git(middle, "commit", "-qm", "with inner");
  const source = repository(join(folder, "project"), { "a.txt": "one\n" });
  git(source, "submodule", "add", "-q", middle, "vendor/middle");
  git(source, "submodule", "update", "-q", "--init", "--recursive");
  git(source, "commit", "-qm", "with middle");
  return source;
}

test.each([false, true])(
  "submodules are there to be read, from local objects (copies: %s)",
  async (copies) => {
    const folder = temporaryFolder();
    const source = withSubmodule(folder);
    for (const name of ["inner", "middle"]) rmSync(join(folder, name), { recursive: true });
    const before = contentOf(source);
    const workspaces = workspacesIn(folder);
    const session = someSession();
    const prepared = await workspaces.prepare(session, source, { dirty: "include", atMs, copies }, calm);
    expect(contentOf(source)).toEqual(before);
    expect(prepared.base).toBe(git(source, "rev-parse", "HEAD"));
    expect(prepared.submodules).toEqual(["vendor/middle", "vendor/middle/inner"]);
    const { files } = prepared;
    expect(
      inWorkspace(files, "cat vendor/middle/mid.txt vendor/middle/inner/in.txt; git status --porcelain"),
    ).toBe("middle\ndeep\n");
    const request = { number: 1, previous: prepared.base, reason: "r", atMs };
    const untouched = await workspaces.checkpoint(session, request, calm);
    expect(untouched).toMatchObject({ changes: { files: 0 }, changedSubmodules: [] });
    inWorkspace(files, "echo more >>vendor/middle/inner/in.txt; echo b >b.txt");
    const changed = await workspaces.checkpoint(
      session,
      { ...request, number: 2, previous: untouched.commit },
      calm,
    );
    expect(changed).toMatchObject({ changes: { files: 1 } });
    expect(changed.changedSubmodules).toContain("vendor/middle");
    inWorkspace(files, "rm -rf vendor");
    const gone = await workspaces.checkpoint(
      session,
      { ...request, number: 3, previous: changed.commit },
      calm,
    );
    expect(gone.tree).not.toBe("");
    const kept = await workspaces.changedFiles(session, { from: changed.commit, to: gone.commit }, calm);
    expect(kept).toEqual([]);
    const restored = await workspaces.restore(session, gone.commit, calm);
    expect(inWorkspace(restored, "cat b.txt vendor/middle/inner/in.txt")).toBe("b\ndeep\n");
  },
);

test("a submodule without its commit is refused, with the command that fetches it", async () => {
  const folder = temporaryFolder();
  const source = withSubmodule(folder);
  git(folder, "clone", "-q", source, "clone");
  const asked = workspacesIn(folder).prepare(
    someSession(),
    join(folder, "clone"),
    { dirty: "ignore", atMs },
    calm,
  );
  await expect(asked).rejects.toMatchObject({
    code: "E_WORKSPACE_MISSING",
    message: expect.stringContaining("vendor/middle"),
    hint: expect.stringContaining("submodule update --init --recursive"),
  });
});

test("a partial clone without the files of its commit is refused; one without older contents is not", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n" });
  write(source, { "a.txt": "two\n" });
  git(source, "commit", "-qam", "second");
  git(source, "config", "uploadpack.allowFilter", "true");
  git(source, "config", "uploadpack.allowAnySHA1InWant", "true");
  const clone = join(folder, "clone");
  git(folder, "clone", "-q", "--no-checkout", "--filter=blob:none", `file://${source}`, clone);
  const before = contentOf(clone);
  const workspaces = workspacesIn(folder);
  const asked = workspaces.prepare(someSession(), clone, { dirty: "ignore", atMs }, calm);
  await expect(asked).rejects.toMatchObject({
    code: "E_WORKSPACE_MISSING",
    message: expect.stringContaining("a.txt"),
    hint: `Run \`git -C ${clone} fetch --refetch --no-filter\`, then start again.`,
  });
  expect(contentOf(clone)).toEqual(before);
  git(clone, "checkout", "-q", "main");
  const { files } = await workspaces.prepare(someSession(), clone, { dirty: "refuse", atMs }, calm);
  expect(inWorkspace(files, "cat a.txt; git log --format=%s")).toBe("two\nsecond\nfirst\n");
  rmSync(clone, { recursive: true });
  git(folder, "clone", "-q", "--no-checkout", "--filter=blob:none", `file://${source}`, clone);
  git(clone, "fetch", "-q", "--refetch", "--no-filter");
  await workspacesIn(join(folder, "other")).prepare(someSession(), clone, { dirty: "ignore", atMs }, calm);
});

test("a shallow clone begins with what it has", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n" });
  write(source, { "a.txt": "two\n" });
  git(source, "commit", "-qam", "second");
  git(folder, "clone", "-q", "--depth=1", `file://${source}`, "clone");
  const clone = join(folder, "clone");
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { files, base } = await workspaces.prepare(session, clone, { dirty: "refuse", atMs }, calm);
  expect(inWorkspace(files, "git log --format=%s; git fsck --strict; echo b >b.txt")).toBe("second\n");
  const { commit } = await workspaces.checkpoint(
    session,
    { number: 1, previous: base, reason: "r", atMs },
    calm,
  );
  expect(await workspaces.export(session, commit, "nightshift/shallow", calm)).toEqual({ created: true });
  expect(git(clone, "show", "nightshift/shallow:b.txt")).toBe("b");
});

function withLargeFile(folder: string): { source: string; content: string; store: string } {
  const content = "large content\n".repeat(100);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${content.length}\n`;
  const source = repository(join(folder, "project"), {
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "big.bin": pointer,
    "a.txt": "one\n",
  });
  const store = join(source, ".git", "lfs", "objects", sha256.slice(0, 2), sha256.slice(2, 4));
  mkdirSync(store, { recursive: true });
  write(store, { [sha256]: content });
  return { source, content, store };
}

test.each([false, true])(
  "large files have their content, from the local store (copies: %s)",
  async (copies) => {
    const folder = temporaryFolder();
    const { source, content } = withLargeFile(folder);
    write(source, { "big.bin": content });
    const workspaces = workspacesIn(folder);
    const session = someSession();
    const prepared = await workspaces.prepare(session, source, { dirty: "refuse", atMs, copies }, calm);
    expect(prepared.base).toBe(git(source, "rev-parse", "HEAD"));
    expect(inWorkspace(prepared.files, "cat big.bin; git status --porcelain >&2")).toBe(content);
    inWorkspace(prepared.files, "cat big.bin >copy; cat copy >big.bin; rm copy; echo b >b.txt");
    const request = { number: 1, previous: prepared.base, reason: "r", atMs };
    const checkpoint = await workspaces.checkpoint(session, request, calm);
    expect(checkpoint.changes).toMatchObject({ files: 1 });
    const restored = await workspaces.restore(session, checkpoint.commit, calm);
    expect(inWorkspace(restored, "cat big.bin b.txt")).toBe(`${content}b\n`);
  },
);

test("a changed large file becomes a pointer in the base, and its content comes along", async () => {
  const folder = temporaryFolder();
  const { source } = withLargeFile(folder);
  write(source, { "big.bin": "other\n", "new.bin": "new\n" });
  const { files } = await workspacesIn(folder).prepare(
    someSession(),
    source,
    { dirty: "include", atMs },
    calm,
  );
  expect(inWorkspace(files, "cat big.bin new.bin; git show HEAD:new.bin")).toMatch(
    /^other\nnew\nversion https:/,
  );
});

test("a large file without its content is refused, with the command that fetches it", async () => {
  const folder = temporaryFolder();
  const { source, store } = withLargeFile(folder);
  rmSync(store, { recursive: true });
  const asked = workspacesIn(folder).prepare(someSession(), source, { dirty: "refuse", atMs }, calm);
  await expect(asked).rejects.toMatchObject({
    code: "E_WORKSPACE_MISSING",
    message: expect.stringContaining("big.bin"),
    hint: expect.stringContaining("lfs fetch"),
  });
});

test("sessions at one commit share a checkout, and later commits share their history", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n" });
  const workspaces = workspacesIn(folder);
  const [one, two] = [someSession(), someSession()];
  const first = await workspaces.prepare(one, source, { dirty: "refuse", atMs }, calm);
  const second = await workspaces.prepare(two, source, { dirty: "refuse", atMs }, calm);
  expect(second.files.overlay?.lower).toEqual(first.files.overlay?.lower);
  inWorkspace(first.files, "echo mine >a.txt");
  expect(inWorkspace(second.files, "cat a.txt")).toBe("one\n");
  write(source, { "a.txt": "two\n" });
  git(source, "commit", "-qam", "second");
  const three = someSession();
  const third = await workspaces.prepare(three, source, { dirty: "refuse", atMs }, calm);
  expect(
    inWorkspace(third.files, "ls .git/objects/pack/*.pack | wc -l; git log --format=%s; git fsck --strict"),
  ).toBe("2\nsecond\nfirst\n");
  expect(await workspaces.trimPristine(0)).toMatchObject({ removed: 0 });
  await workspaces.remove(one);
  await workspaces.remove(two);
  expect(await workspaces.trimPristine(Number.MAX_SAFE_INTEGER)).toMatchObject({ removed: 0 });
  expect(await workspaces.trimPristine(0)).toMatchObject({ removed: 1 });
  expect(inWorkspace(third.files, "git fsck --strict; git show HEAD~1:a.txt")).toBe("one\n");
});
