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
import type { SessionId } from "../core/ids.ts";
import type { PreparedWorkspace, Workspaces } from "./contract.ts";

const BRANCH = "nightshift/fix-3k9d2";

interface Scene {
  readonly folder: string;
  readonly source: string;
  readonly workspaces: Workspaces;
  readonly session: SessionId;
  readonly prepared: PreparedWorkspace;
  save(number: number, previous: string, script: string): Promise<string>;
}

async function scene(dirty: "include" | "ignore" = "ignore"): Promise<Scene> {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n" });
  if (dirty === "include") write(source, { "test.txt": "failing\n" });
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const prepared = await workspaces.prepare(session, source, { dirty, atMs }, calm);
  const save = async (number: number, previous: string, script: string): Promise<string> => {
    inWorkspace(prepared.files, script);
    const request = { number, previous, reason: `step ${number}`, atMs };
    return (await workspaces.checkpoint(session, request, calm)).commit;
  };
  return { folder, source, workspaces, session, prepared, save };
}

test("puts the history into a branch, without hooks and without touching anything else", async () => {
  const { folder, source, workspaces, session, prepared, save } = await scene();
  const canary = join(folder, "canary");
  for (const hook of ["reference-transaction", "post-update", "update"]) {
    write(source, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${canary}\n` });
    chmodSync(join(source, ".git/hooks", hook), 0o755);
  }
  const before = contentOf(source, { without: ".git" });
  const index = contentOf(join(source, ".git"), { without: "objects" });
  const one = await save(1, prepared.base, "echo b >b.txt");
  const two = await save(2, one, "rm a.txt");
  expect(await workspaces.export(session, two, BRANCH, calm)).toEqual({ created: true });
  expect(existsSync(canary)).toBe(false);
  expect(contentOf(source, { without: ".git" })).toEqual(before);
  const after = contentOf(join(source, ".git"), { without: "objects" });
  expect(Object.keys(after).filter((name) => !(name in index))).toEqual([
    "logs/refs/heads/nightshift/fix-3k9d2",
    "refs/heads/nightshift/fix-3k9d2",
  ]);
  expect(git(source, "log", "--format=%s", BRANCH)).toBe("step 2\nstep 1\nfirst");
  expect(git(source, "log", "-1", "--format=%(trailers:key=Nightshift-Session,valueonly)", BRANCH)).toBe(
    session,
  );
  expect(git(source, "fsck", "--strict")).toBe("");
});

test("moves a branch of its own, and is idempotent", async () => {
  const { source, workspaces, session, prepared, save } = await scene();
  const one = await save(1, prepared.base, "echo b >b.txt");
  await workspaces.export(session, one, BRANCH, calm);
  const two = await save(2, one, "echo c >c.txt");
  expect(await workspaces.export(session, two, BRANCH, calm)).toEqual({ created: false });
  expect(await workspaces.export(session, two, BRANCH, calm)).toEqual({ created: false });
  expect(git(source, "rev-parse", BRANCH)).toBe(two);
  git(source, "checkout", "-q", BRANCH);
  const three = await save(3, two, "echo d >d.txt");
  await expect(workspaces.export(session, three, BRANCH, calm)).rejects.toMatchObject({
    code: "E_BRANCH_TAKEN",
    message: expect.stringContaining("checked out"),
  });
});

test("brings the user's uncommitted changes along as a commit of their own", async () => {
  const { source, workspaces, session, prepared, save } = await scene("include");
  const one = await save(1, prepared.base, "echo fixed >a.txt");
  await workspaces.export(session, one, BRANCH, calm);
  expect(git(source, "log", "--format=%s", BRANCH)).toBe(
    "step 1\nFiles as they were when the session began\nfirst",
  );
  expect(git(source, "status", "--porcelain")).toBe("?? test.txt");
});

test.each([BRANCH, "nightshift", "nightshift/FIX-3k9d2", "nightshift/fix-3k9d2/more"])(
  "leaves the user's branch %s alone",
  async (taken) => {
    const { source, workspaces, session, prepared, save } = await scene();
    git(source, "branch", taken);
    const one = await save(1, prepared.base, "echo b >b.txt");
    await expect(workspaces.export(session, one, BRANCH, calm)).rejects.toMatchObject({
      code: "E_BRANCH_TAKEN",
    });
    expect(git(source, "rev-parse", taken)).toBe(prepared.base);
  },
);

test.each(["-f", "a..b", "a b", "HEAD", "@{-1}", "a.lock", "", "x~1", "a\nb"])(
  "refuses the branch name %j",
  async (name) => {
    const { workspaces, session, prepared } = await scene();
    await expect(workspaces.export(session, prepared.base, name, calm)).rejects.toMatchObject({
      code: "E_USAGE",
    });
  },
);

test("lets git refuse what could attack whoever checks it out", async () => {
  const { source, workspaces, session, prepared, save } = await scene();
  const one = await save(1, prepared.base, "ln -s /etc/passwd .gitmodules");
  await expect(workspaces.export(session, one, BRANCH, calm)).rejects.toMatchObject({
    code: "E_EXPORT_REFUSED",
  });
  expect(git(source, "branch", "--list")).toBe("* main");
});

test("refuses commits that the session does not have", async () => {
  const { workspaces, session } = await scene();
  for (const commit of ["0".repeat(40), "HEAD", "--help", "refs/heads/main"]) {
    await expect(workspaces.export(session, commit, BRANCH, calm)).rejects.toMatchObject({
      code: "E_WORKSPACE_UNKNOWN",
    });
    await expect(workspaces.restore(session, commit, calm)).rejects.toMatchObject({
      code: "E_WORKSPACE_UNKNOWN",
    });
    const range = { from: commit, to: commit };
    await expect(workspaces.diff(session, range, 100, calm)).rejects.toMatchObject({
      code: "E_WORKSPACE_UNKNOWN",
    });
  }
});

test("goes on from a revision that is no ancestor of what is checked out", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n" });
  git(source, "checkout", "-q", "-b", "side");
  write(source, { "side.txt": "side\n" });
  git(source, "add", "-A");
  git(source, "commit", "-qm", "side");
  git(source, "checkout", "-q", "main");
  write(source, { "a.txt": "main\n" });
  git(source, "commit", "-qam", "main");
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const options = { dirty: "refuse", base: "side", atMs } as const;
  const { base, files, origin } = await workspaces.prepare(session, source, options, calm);
  expect(origin).toMatchObject({ commit: base });
  inWorkspace(files, "echo b >b.txt");
  const { commit } = await workspaces.checkpoint(
    session,
    { number: 1, previous: base, reason: "r", atMs },
    calm,
  );
  await workspaces.export(session, commit, BRANCH, calm);
  expect(git(source, "log", "--format=%s", BRANCH)).toBe("r\nside\nfirst");
});

test("a fork begins where a checkpoint was and goes on by itself", async () => {
  const { source, workspaces, session, prepared, save } = await scene();
  const one = await save(1, prepared.base, "echo b >b.txt");
  await save(2, one, "echo c >c.txt");
  const other = someSession();
  const fork = await workspaces.fork(other, { sessionId: session, commit: one }, calm);
  await workspaces.remove(session);
  expect(inWorkspace(fork.files, "ls")).toBe("a.txt\nb.txt\n");
  inWorkspace(fork.files, "echo d >d.txt");
  const request = { number: 1, previous: one, reason: "forked", atMs };
  const { commit } = await workspaces.checkpoint(other, request, calm);
  await workspaces.export(other, commit, "nightshift/fork-1", calm);
  expect(git(source, "log", "--format=%s", "nightshift/fork-1")).toBe("forked\nstep 1\nfirst");
});

test("a patch is cut at a line when it is too long", async () => {
  const { workspaces, session, prepared, save } = await scene();
  const one = await save(1, prepared.base, "seq 1 1000 >numbers");
  const patch = await workspaces.diff(session, { from: prepared.base, to: one }, 500, calm);
  expect(patch).toMatchObject({ isCut: true, changes: { files: 1, added: 1000, removed: 0 } });
  expect(patch.text.length).toBeLessThanOrEqual(500);
  expect(patch.text).toMatch(/\n\+\d+\n$/);
});

test("retells checkpoints in other words: same files, and the same commits whenever it is asked", async () => {
  const { source, workspaces, session, prepared, save } = await scene();
  const one = await save(1, prepared.base, "echo b >b.txt");
  const two = await save(2, one, "echo c >c.txt");
  const three = await save(3, two, "echo d >d.txt");
  const steps = [
    { source: two, message: "Half of it\n\nNightshift-Verdict: 1\n", atMs },
    { source: three, message: "All of it\n", atMs: atMs + 1000 },
  ];
  const head = await workspaces.retell(session, steps, calm);
  expect(await workspaces.retell(session, steps, calm)).toBe(head);
  expect(await workspaces.treeOf(session, head, calm)).toBe(await workspaces.treeOf(session, three, calm));
  expect(await workspaces.retell(session, [], calm)).toBe(prepared.base);
  const half = await workspaces.retell(session, steps.slice(0, 1), calm);
  await workspaces.export(session, half, BRANCH, calm);
  await workspaces.export(session, head, BRANCH, calm);
  expect(git(source, "log", "--format=%s", BRANCH)).toBe("All of it\nHalf of it\nfirst");
  expect(git(source, "fsck", "--strict")).toBe("");
  await expect(
    workspaces.retell(session, [{ ...steps[0], source: "HEAD" } as never], calm),
  ).rejects.toMatchObject({
    code: "E_WORKSPACE_UNKNOWN",
  });
});

test("tells the same files anew in the place of what it told before, unless somebody went on from there", async () => {
  const { source, workspaces, session, prepared, save } = await scene();
  const one = await save(1, prepared.base, "echo b >b.txt");
  const told = async (message: string): Promise<string> =>
    await workspaces.retell(session, [{ source: one, message, atMs }], calm);
  await workspaces.export(session, await told("Not verified: fix\n"), BRANCH, calm);
  const verified = await told("Fix\n");
  expect(await workspaces.export(session, verified, BRANCH, calm)).toEqual({ created: false });
  expect(git(source, "log", "--format=%s", BRANCH)).toBe("Fix\nfirst");
  git(source, "checkout", "-q", BRANCH);
  git(source, "commit", "-q", "--allow-empty", "-m", "mine");
  git(source, "checkout", "-q", "main");
  const again = workspaces.export(session, await told("Fix, once more\n"), BRANCH, calm);
  await expect(again).rejects.toMatchObject({ code: "E_BRANCH_TAKEN" });
  expect(git(source, "log", "-1", "--format=%s", BRANCH)).toBe("mine");
});

test("says before anything is done that a branch cannot be made", async () => {
  const { source, workspaces, session } = await scene();
  await workspaces.checkBranch(session, BRANCH, calm);
  git(source, "branch", "nightshift");
  await expect(workspaces.checkBranch(session, BRANCH, calm)).rejects.toMatchObject({
    code: "E_BRANCH_TAKEN",
  });
});

test("works where the repository is a submodule, and where it is another working tree", async () => {
  const folder = temporaryFolder();
  const inner = repository(join(folder, "inner"), { "a.txt": "one\n" });
  const outer = repository(join(folder, "outer"), { "o.txt": "outer\n" });
  git(outer, "submodule", "add", "-q", inner, "sub");
  git(outer, "worktree", "add", "-q", "-b", "other", join(folder, "linked"));
  const workspaces = workspacesIn(folder);
  for (const [index, place] of [join(outer, "sub"), join(folder, "linked")].entries()) {
    const session = someSession();
    const { base, files } = await workspaces.prepare(session, place, { dirty: "ignore", atMs }, calm);
    inWorkspace(files, "echo b >b.txt");
    const request = { number: 1, previous: base, reason: "r", atMs };
    const { commit } = await workspaces.checkpoint(session, request, calm);
    await workspaces.export(session, commit, `nightshift/place-${index}`, calm);
    expect(git(place, "log", "--format=%s", `nightshift/place-${index}`)).toBe("r\nfirst");
    expect(git(place, "status", "--porcelain")).toBe("");
  }
  const bare = join(folder, "bare.git");
  git(folder, "clone", "-q", "--bare", inner, bare);
  await expect(
    workspaces.prepare(someSession(), bare, { dirty: "ignore", atMs }, calm),
  ).rejects.toMatchObject({
    code: "E_WORKSPACE_SOURCE",
  });
});
