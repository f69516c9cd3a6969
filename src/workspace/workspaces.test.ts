import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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

const FILES = {
  "README.md": "hello\n",
  "src/a.txt": "one\n",
  "src/b.txt": "two\n",
  "run.sh*": "#!/bin/sh\n",
  ".gitignore": "*.log\nout/\n",
};

describe.each([{ copies: false }, { copies: true }])("a workspace ($copies = copies)", ({ copies }) => {
  test("begins with the base and a repository that has only its ancestors", async () => {
    const folder = temporaryFolder();
    const source = repository(join(folder, "project"), FILES);
    git(source, "branch", "other");
    write(source, { "README.md": "more\n" });
    git(source, "commit", "-qam", "second");
    git(source, "branch", "-f", "later");
    const before = contentOf(source);
    const workspaces = workspacesIn(folder);
    const { base, files, origin } = await workspaces.prepare(
      someSession(),
      join(source, "src"),
      { dirty: "refuse", atMs, copies },
      calm,
    );
    expect(contentOf(source)).toEqual(before);
    expect(base).toBe(git(source, "rev-parse", "HEAD"));
    expect(origin).toEqual({ kind: "repository", root: source, commit: base, branch: "main" });
    expect(files.overlay === undefined).toBe(copies);
    expect(
      inWorkspace(
        files,
        "git for-each-ref --format='%(refname)'; git remote; git stash list; git log --format=%s; git status --porcelain; cat README.md; ls .git",
      ),
    ).toMatch(/^refs\/heads\/nightshift\nsecond\nfirst\nmore\n/);
    expect(inWorkspace(files, "git fsck --strict; git reflog; ls .git; cat .git/config")).not.toMatch(
      /hooks\n|alternates|logs/,
    );
  });

  test("lends the files of a commit, whatever the session's own are by now", async () => {
    const folder = temporaryFolder();
    const source = repository(join(folder, "project"), FILES);
    const workspaces = workspacesIn(folder);
    const session = someSession();
    const { files, base } = await workspaces.prepare(
      session,
      source,
      { dirty: "refuse", atMs, copies },
      calm,
    );
    inWorkspace(
      files,
      "echo new > src/a.txt; rm src/b.txt; ln -s /etc/passwd link; rm run.sh; mkdir run.sh; echo x > run.sh/x",
    );
    const request = { number: 1, previous: base, reason: "test", atMs };
    const { commit } = await workspaces.checkpoint(session, request, calm);
    inWorkspace(files, "echo newer > src/a.txt");
    let lent = "";
    const look = async (place: string): Promise<Record<string, string>> => {
      lent = place;
      return contentOf(place);
    };
    expect(await workspaces.lend(session, base, look, calm)).toEqual(contentOf(source, { without: ".git" }));
    const {
      [".gitignore"]: ignore,
      ["README.md"]: readme,
      ...changed
    } = await workspaces.lend(session, commit, look, calm);
    expect([ignore, readme]).not.toContain(undefined);
    const one = (text: string): string => `644 ${hash("sha256", text, "hex")}`;
    expect(changed).toEqual({ link: "link /etc/passwd", "run.sh/x": one("x\n"), "src/a.txt": one("new\n") });
    expect(existsSync(lent)).toBe(false);
    await expect(workspaces.lend(session, "0".repeat(40), look, calm)).rejects.toMatchObject({
      code: "E_WORKSPACE_UNKNOWN",
    });
  });

  test("has the files of one of those who restore it at the same time, and the others are told", async () => {
    const folder = temporaryFolder();
    const source = repository(join(folder, "project"), FILES);
    const session = someSession();
    const first = workspacesIn(folder);
    const { base, files } = await first.prepare(session, source, { dirty: "refuse", atMs, copies }, calm);
    inWorkspace(files, "echo changed > src/a.txt");
    const request = { number: 1, previous: base, reason: "test", atMs };
    const { commit } = await first.checkpoint(session, request, calm);
    const others = Array.from({ length: 4 }, () => workspacesIn(folder));
    const goals = [commit, base, commit, base];
    const ends = await Promise.allSettled(
      others.map((each, index) => each.restore(session, goals[index] ?? base, calm)),
    );
    const found = (await first.find(session))?.files;
    const winners = ends.flatMap((end, index) =>
      end.status === "fulfilled" ? [{ files: end.value, index }] : [],
    );
    const owner = winners.find((winner) => JSON.stringify(winner.files) === JSON.stringify(found));
    expect(owner).toBeDefined();
    const content = goals[owner?.index ?? 0] === base ? "one\n" : "changed\n";
    expect(inWorkspace(found ?? files, "cat src/a.txt")).toBe(content);
    for (const end of ends)
      if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "E_WORKSPACE_BUSY" });
  });

  test("is committed as its content is, and restored to it", async () => {
    const folder = temporaryFolder();
    const source = repository(join(folder, "project"), FILES);
    const workspaces = workspacesIn(folder);
    const session = someSession();
    const { base, files } = await workspaces.prepare(
      session,
      source,
      { dirty: "refuse", atMs, copies },
      calm,
    );
    inWorkspace(
      files,
      "rm src/a.txt; echo 2 >>src/b.txt; echo n >new; ln -s b.txt src/l; echo x >a.log; mkdir -p out d/e; echo >out/x; echo deep >d/e/f; chmod +x d/e/f; chmod -x run.sh",
    );
    const first = await workspaces.checkpoint(
      session,
      { number: 1, previous: base, reason: "tests pass", atMs },
      calm,
    );
    expect(first).toMatchObject({ number: 1, changes: { files: 6, added: 4, removed: 1 }, skippedCount: 0 });
    const changed = await workspaces.changedFiles(session, { from: base, to: first.commit }, calm);
    expect(changed.map(({ path, change, isExecutable }) => `${change} ${path} ${isExecutable}`)).toEqual([
      "added d/e/f true",
      "added new false",
      "modified run.sh false",
      "deleted src/a.txt false",
      "modified src/b.txt false",
      "added src/l false",
    ]);
    const again = await workspaces.checkpoint(
      session,
      { number: 1, previous: base, reason: "other words", atMs: 0 },
      calm,
    );
    expect(again).toEqual(first);
    inWorkspace(files, "rm -rf src && mkdir src && echo other >src/c; rm new; echo 3 >>README.md");
    const second = await workspaces.checkpoint(
      session,
      { number: 2, previous: first.commit, reason: "more", atMs },
      calm,
    );
    expect(second.changes).toEqual({ files: 5, added: 2, removed: 4 });
    const restored = await workspaces.restore(session, first.commit, calm);
    expect(
      inWorkspace(
        restored,
        "cat src/b.txt new d/e/f; readlink src/l; ls -A src; test -x d/e/f; test ! -x run.sh",
      ),
    ).toBe("two\n2\nn\ndeep\nb.txt\nb.txt\nl\n");
    const third = await workspaces.checkpoint(
      session,
      { number: 3, previous: second.commit, reason: "", atMs },
      calm,
    );
    expect(third.tree).toBe(first.tree);
    const clean = await workspaces.restore(session, base, calm);
    expect(inWorkspace(clean, "git status --porcelain --ignored; cat README.md")).toBe("hello\n");
    const back = await workspaces.restore(session, second.commit, calm);
    expect(inWorkspace(back, "ls src; git status --porcelain")).toContain("c\n");
    const patch = await workspaces.diff(session, { from: first.commit, to: second.commit }, 10_000, calm);
    expect(patch).toMatchObject({ isCut: false, changes: second.changes });
    expect(patch.text).toContain("+3\n");
    await workspaces.remove(session);
    expect(existsSync(join(folder, "state", session))).toBe(false);
    expect(await workspaces.findLeftovers(new Set())).toEqual([]);
  });
});
