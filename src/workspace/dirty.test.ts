import { existsSync, mkdirSync, symlinkSync } from "node:fs";
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

const FILES = { "a.txt": "one\n", "b.txt": "two\n", "d/c.txt": "three\n", ".gitignore": "*.env\nlocal/\n" };

function dirtyRepository(folder: string): string {
  const source = repository(join(folder, "project"), FILES);
  write(source, {
    "a.txt": "changed\n",
    "new.txt": "new\n",
    "server.key": "key\n",
    "dev.env": "SECRET=1\n",
    "local/x": "x\n",
  });
  git(source, "rm", "-q", "b.txt");
  write(source, { "staged.txt": "staged\n" });
  git(source, "add", "staged.txt");
  write(source, { "intended.txt": "intended\n" });
  git(source, "add", "-N", "intended.txt");
  return source;
}

test("refuses to begin with changes, and names them", async () => {
  const folder = temporaryFolder();
  const source = dirtyRepository(folder);
  const before = contentOf(source);
  const workspaces = workspacesIn(folder);
  await expect(
    workspaces.prepare(someSession(), source, { dirty: "refuse", atMs }, calm),
  ).rejects.toMatchObject({
    code: "E_WORKSPACE_DIRTY",
    message: expect.stringContaining("a.txt"),
  });
  expect(contentOf(source)).toEqual(before);
  expect(await workspaces.findLeftovers(new Set())).toEqual([]);
});

test("refuses a change that is in a tracked file alone, but not a file that was only touched", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), FILES);
  const workspaces = workspacesIn(folder);
  write(source, { "a.txt": "one\n" });
  const { base } = await workspaces.prepare(someSession(), source, { dirty: "refuse", atMs }, calm);
  expect(base).toBe(git(source, "rev-parse", "HEAD"));
  write(source, { "a.txt": "eno\n" });
  const asked = workspaces.prepare(someSession(), source, { dirty: "refuse", atMs }, calm);
  await expect(asked).rejects.toMatchObject({ code: "E_WORKSPACE_DIRTY" });
});

test("begins without the changes", async () => {
  const folder = temporaryFolder();
  const source = dirtyRepository(folder);
  const { base, files } = await workspacesIn(folder).prepare(
    someSession(),
    source,
    { dirty: "ignore", atMs },
    calm,
  );
  expect(base).toBe(git(source, "rev-parse", "HEAD"));
  expect(inWorkspace(files, "ls; cat a.txt")).toBe("a.txt\nb.txt\nd\none\n");
});

test("makes the changes a base of its own and writes nothing to the user's folder", async () => {
  const folder = temporaryFolder();
  const source = dirtyRepository(folder);
  const before = contentOf(source);
  const prepared = await workspacesIn(folder).prepare(
    someSession(),
    source,
    { dirty: "include", atMs },
    calm,
  );
  expect(contentOf(source)).toEqual(before);
  expect(prepared.base).not.toBe(git(source, "rev-parse", "HEAD"));
  expect(prepared.likelySecrets).toEqual(["server.key"]);
  expect(
    inWorkspace(prepared.files, "ls; cat a.txt intended.txt; git log --format=%s; git status --porcelain"),
  ).toBe(
    "a.txt\nd\nintended.txt\nnew.txt\nserver.key\nstaged.txt\nchanged\nintended\nFiles as they were when the session began\nfirst\n",
  );
});

test("lets ignored files in by .worktreeinclude, names secrets, and commits none of them", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), {
    ...FILES,
    ".worktreeinclude": "*.env\nlocal/*\n!local/big\n",
  });
  write(source, { ".env": "A=1\n", "d/dev.env": "B=2\n", "local/x": "x\n", "local/big": "b\n" });
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { included, likelySecrets, files, base } = await workspaces.prepare(
    session,
    source,
    { dirty: "refuse", atMs },
    calm,
  );
  expect(included).toEqual([".env", "d/dev.env", "local/x"]);
  expect(likelySecrets).toEqual([".env", "d/dev.env"]);
  expect(inWorkspace(files, "cat .env d/dev.env local/x; echo C=3 >.env; git status --porcelain")).toBe(
    "A=1\nB=2\nx\n",
  );
  const checkpoint = await workspaces.checkpoint(
    session,
    { number: 1, previous: base, reason: "r", atMs },
    calm,
  );
  expect(checkpoint.changes.files).toBe(0);
  const again = await workspaces.restore(session, base, calm);
  expect(inWorkspace(again, "cat .env")).toBe("A=1\n");
});

test("ignores what the user ignores everywhere", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), FILES);
  write(folder, { "home/.config/git/ignore": ".idea/\n" });
  write(source, { ".idea/x": "x\n", ".git/info/exclude": "mine.txt\n", "mine.txt": "m\n" });
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { base, files } = await workspaces.prepare(session, source, { dirty: "refuse", atMs }, calm);
  inWorkspace(files, "mkdir .idea; echo y >.idea/y; echo z >mine.txt; echo kept >kept.txt");
  const { changes } = await workspaces.checkpoint(
    session,
    { number: 1, previous: base, reason: "r", atMs },
    calm,
  );
  expect(changes.files).toBe(1);
});

test("begins before the first commit, in a linked working tree, and at a revision", async () => {
  const folder = temporaryFolder();
  const empty = join(folder, "empty");
  mkdirSync(empty);
  git(empty, "init", "-q");
  write(empty, { "first.txt": "1\n" });
  const workspaces = workspacesIn(folder);
  const unborn = await workspaces.prepare(someSession(), empty, { dirty: "include", atMs }, calm);
  expect(unborn.origin).toMatchObject({ commit: null, branch: "main" });
  expect(inWorkspace(unborn.files, "cat first.txt; git log --format=%s | wc -l")).toBe("1\n1\n");

  const source = repository(join(folder, "project"), FILES);
  git(source, "worktree", "add", "-q", "-b", "side", join(folder, "side"));
  write(join(folder, "side"), { "side.txt": "s\n" });
  const side = await workspaces.prepare(
    someSession(),
    join(folder, "side", "d"),
    { dirty: "include", atMs },
    calm,
  );
  expect(side).toMatchObject({ origin: { branch: "side", root: join(folder, "side") }, subfolder: "d" });
  expect(inWorkspace(side.files, "cat side.txt a.txt")).toBe("s\none\n");

  const old = git(source, "rev-parse", "HEAD");
  write(source, { "a.txt": "later\n" });
  git(source, "commit", "-qam", "later");
  const early = await workspaces.prepare(
    someSession(),
    source,
    { dirty: "refuse", base: "HEAD~1", atMs },
    calm,
  );
  expect(early.base).toBe(old);
  const refused = workspaces.prepare(someSession(), source, { dirty: "ignore", base: "no-such", atMs }, calm);
  await expect(refused).rejects.toMatchObject({ code: "E_WORKSPACE_SOURCE" });
});

test("makes a repository of a plain folder, without nested repositories and special files", async () => {
  const folder = temporaryFolder();
  const source = join(folder, "plain");
  write(source, { "a.txt": "one\n", ".gitignore": "*.log\n", "x.log": "log\n", "-rf": "dash\n" });
  symlinkSync("/etc/passwd", join(source, "link"));
  repository(join(source, "nested"), { n: "n\n" });
  const before = contentOf(source);
  const workspaces = workspacesIn(folder);
  const prepared = await workspaces.prepare(someSession(), source, { dirty: "refuse", atMs }, calm);
  expect(contentOf(source)).toEqual(before);
  expect(prepared).toMatchObject({
    origin: { kind: "folder", root: source },
    nestedRepositories: ["nested"],
  });
  expect(inWorkspace(prepared.files, "ls -A; readlink link; git log --oneline | wc -l")).toBe(
    "-rf\n.git\n.gitignore\na.txt\nlink\n/etc/passwd\n1\n",
  );
  const exported = workspaces.export(prepared.sessionId, prepared.base, "nightshift/x", calm);
  await expect(exported).rejects.toMatchObject({ code: "E_WORKSPACE_SOURCE" });
});

test("refuses bare repositories, files and what is too large", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), FILES);
  git(folder, "clone", "-q", "--bare", source, "bare.git");
  const workspaces = workspacesIn(folder, { limits: { fileBytes: 1000 } });
  for (const path of [join(folder, "bare.git"), join(source, "a.txt"), join(folder, "none"), "relative"]) {
    const asked = workspaces.prepare(someSession(), path, { dirty: "ignore", atMs }, calm);
    await expect(asked).rejects.toMatchObject({ code: "E_WORKSPACE_SOURCE" });
  }
  write(source, { large: "x".repeat(1001) });
  const asked = workspaces.prepare(someSession(), source, { dirty: "include", atMs }, calm);
  await expect(asked).rejects.toMatchObject({
    code: "E_WORKSPACE_TOO_LARGE",
    message: expect.stringContaining("large"),
  });
});

test("leaves the state folder out when it is inside the source", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), FILES);
  const workspaces = workspacesIn(source);
  const { base } = await workspaces.prepare(someSession(), source, { dirty: "refuse", atMs }, calm);
  expect(base).toBe(git(source, "rev-parse", "HEAD"));
  expect(existsSync(join(source, "state", "pristine"))).toBe(true);
});
