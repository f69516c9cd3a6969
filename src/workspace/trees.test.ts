/** Trees without files: reading, composing, and giving them files of their own. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atMs,
  calm,
  git,
  inWorkspace,
  repository,
  someSession,
  temporaryFolder,
  workspacesIn,
  write,
} from "../../test/support/repositories.ts";
import type { SessionId } from "../core/ids.ts";
import type { TreeItem, Workspaces } from "./contract.ts";
import { bytePath, bytesOfText, textPath } from "./paths.ts";

interface Scene {
  readonly folder: string;
  readonly workspaces: Workspaces;
  readonly session: SessionId;
  readonly base: string;
  readonly place: string;
  /** Another tree, of the base with these files on top. */
  tree(files: Readonly<Record<string, string>>): Promise<string>;
}

async function scene(copies: boolean): Promise<Scene> {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), {
    "a.txt": "one\n",
    "src/b.txt": "two\n",
    "run.sh*": "#!/bin/sh\n",
  });
  git(source, "branch", "secret");
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { base } = await workspaces.prepare(session, source, { dirty: "refuse", atMs, copies }, calm);
  const place = join(folder, "state", session, "repository.git");
  const tree = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const items = await workspaces.reader(session, base, calm).list();
    const fresh = Object.entries(files).map(([path, content]) => ({
      path,
      mode: "100644",
      content: Buffer.from(content),
    }));
    const kept = items.filter(({ path }) => !(path in files));
    return await workspaces.composeTree(session, [...kept, ...fresh], calm);
  };
  return { folder, workspaces, session, base, place, tree };
}

const names = (items: readonly TreeItem[]): string[] => items.map(({ path, mode }) => `${mode} ${path}`);

test("any bytes make a path that gives them back, and different bytes different paths", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((each) => Buffer.from(each));
  const utf8 = fc.string({ unit: "binary", maxLength: 6 }).map((each) => Buffer.from(each));
  const either = fc
    .array(fc.oneof(bytes, utf8), { maxLength: 4 })
    .map((parts) => Buffer.concat(parts).toString("latin1"));
  fc.assert(
    fc.property(either, (latin1) => {
      expect(bytesOfText(textPath(bytePath(latin1)))).toBe(latin1);
    }),
  );
  expect(textPath(bytePath(Buffer.from("grün.txt").toString("latin1")))).toBe("grün.txt");
  expect(textPath(bytePath("a\xffb"))).toBe("a\udcffb");
});

describe("reading a tree", () => {
  test("lists its files and reads those that there are, at the same time as others", async () => {
    const { workspaces, session, base } = await scene(true);
    const reader = workspaces.reader(session, base, calm);
    expect(names(await reader.list())).toEqual(["100644 a.txt", "100755 run.sh", "100644 src/b.txt"]);
    const paths = ["a.txt", "src/b.txt", "src", "none", "src/../a.txt", "/a.txt"];
    const contents = await Promise.all(paths.map((path) => reader.read(path)));
    expect(contents.map(String)).toEqual(["one\n", "two\n", ...Array(4).fill("undefined")]);
  });

  test("gives the target of a link, and nothing of what is behind it", async () => {
    const { workspaces, session } = await scene(true);
    const link = { path: "l", mode: "120000", content: Buffer.from("../../etc/passwd") };
    const tree = await workspaces.composeTree(session, [link], calm);
    const reader = workspaces.reader(session, tree, calm);
    expect(String(await reader.read("l"))).toBe("../../etc/passwd");
    expect(await reader.read("l/x")).toBeUndefined();
  });

  test.each(["main", "--help", "refs/nightshift/checkpoints/1", "0".repeat(40)])(
    "%s is no tree of the session",
    async (name) => {
      const { workspaces, session } = await scene(true);
      const asked = workspaces.reader(session, name, calm).list();
      await expect(asked).rejects.toMatchObject({ code: "E_WORKSPACE_UNKNOWN" });
      const opened = workspaces.openTree(session, name, null, calm);
      await expect(opened).rejects.toMatchObject({ code: "E_WORKSPACE_UNKNOWN" });
    },
  );

  test("a file that is too large is refused by name, and others are read", async () => {
    const { workspaces, session } = await scene(true);
    const entries = [
      { path: "large", mode: "100644", content: Buffer.alloc(16 * 2 ** 20 + 1) },
      { path: "small", mode: "100644", content: Buffer.from("s") },
    ];
    const reader = workspaces.reader(session, await workspaces.composeTree(session, entries, calm), calm);
    const [large, small] = await Promise.allSettled([reader.read("large"), reader.read("small")]);
    expect(large).toMatchObject({
      reason: { code: "E_CONTRACT_FILE", message: /^large has 16777217 bytes/ },
    });
    expect(small).toMatchObject({ value: Buffer.from("s") });
  });
});

describe("composing a tree", () => {
  test("of what a tree lists is that tree, and new content is put beside", async () => {
    const { workspaces, session, base, place } = await scene(true);
    const items = await workspaces.reader(session, base, calm).list();
    expect(await workspaces.composeTree(session, items, calm)).toBe(
      git(place, "rev-parse", `${base}^{tree}`),
    );
    const odd = { path: "d/\udcff", mode: "100755", content: Buffer.from("x") };
    const tree = await workspaces.composeTree(session, [...items, odd], calm);
    const listed = await workspaces.reader(session, tree, calm).list();
    expect(names(listed)).toContain("100755 d/\udcff");
    expect(await workspaces.findLeftovers(new Set([session]))).toEqual([]);
  });

  test.each(["../x", "/x", "a/../x", ".git/config", "a/.GIT/x", "a//b", "./a", "", "src/b.txt/c", "src"])(
    "%j is a path that this tree cannot have",
    async (path) => {
      const { workspaces, session, base } = await scene(true);
      const items = await workspaces.reader(session, base, calm).list();
      const entries = [...items, { path, mode: "100644", content: Buffer.from("x") }];
      const composed = workspaces.composeTree(session, entries, calm);
      await expect(composed).rejects.toMatchObject({ code: "E_WORKSPACE_GIT" });
    },
  );
});

describe.each([false, true])("files of a tree (copies: %s)", (copies) => {
  test("are its content, for several at the same time, and gone when they are closed", async () => {
    const { workspaces, session, base, folder, tree } = await scene(copies);
    const one = await tree({ "a.txt": "changed\n", "new/file": "n\n" });
    const two = await tree({ "src/b.txt": "other\n" });
    const opened = await Promise.all(
      [one, two, one, base].map((each) => workspaces.openTree(session, each, null, calm)),
    );
    const shown = opened.map(({ files }) =>
      inWorkspace(files, "cat a.txt src/b.txt; ls new 2>&1 || true; echo mine >mine.txt; ls | wc -l"),
    );
    expect(shown[0]).toMatch(/^changed\ntwo\nfile\n5\n$/);
    expect(shown[1]).toMatch(/^one\nother\nls: .*\n4\n$/);
    expect(shown[2]).toBe(shown[0]);
    const state = inWorkspace(
      opened[2]!.files,
      "git for-each-ref --format='%(refname)'; git remote; git stash list; git reflog; ls .git; cat .git/objects/info/alternates 2>/dev/null || true",
    );
    expect(state).toMatch(/^refs\/heads\/nightshift\n(?!.*(logs|remotes|secret|alternates))/s);
    expect(await workspaces.findLeftovers(new Set([session]))).toEqual([]);
    for (const each of opened) await each.close();
    await opened[0]!.close();
    expect(readdirSync(join(folder, "state", "builds"))).toEqual([]);
    expect(
      inWorkspace((await workspaces.find(session))!.files, "cat a.txt; ls mine.txt 2>&1 || true"),
    ).toMatch(/^one\nls/);
  });

  test("with files of the host that replace what is in their way, and follow no link out", async () => {
    const { workspaces, session, folder, base } = await scene(copies);
    const held = join(folder, "held");
    const outside = join(folder, "outside");
    mkdirSync(outside);
    write(held, { "x.test.js": "held\n", "deep/run*": "r\n", ".git/config": "evil\n" });
    symlinkSync("../outside", join(held, "link"));
    const items = await workspaces.reader(session, base, calm).list();
    const link = (path: string, target: string) => ({ path, mode: "120000", content: Buffer.from(target) });
    const hostile = [link("tests", outside), link("a/b", outside)];
    const tree = await workspaces.composeTree(session, [...items, ...hostile], calm);
    const first = await workspaces.openTree(session, tree, { folder: held, target: "tests" }, calm);
    expect(
      inWorkspace(
        first.files,
        "cat tests/x.test.js; test -x tests/deep/run; readlink tests/link; ls -A tests",
      ),
    ).toBe("held\n../outside\ndeep\nlink\nx.test.js\n");
    const second = await workspaces.openTree(session, tree, { folder: held, target: "a/b/c" }, calm);
    expect(inWorkspace(second.files, "cat a/b/c/x.test.js")).toBe("held\n");
    const top = await workspaces.openTree(session, tree, { folder: held, target: "" }, calm);
    expect(inWorkspace(top.files, "cat x.test.js a.txt .git/config")).not.toContain("evil");
    for (const each of [first, second, top]) await each.close();
    expect(readdirSync(outside)).toEqual([]);
  });

  test.each([
    { target: "../x", problem: /cannot be put at/ },
    { target: "/x", problem: /cannot be put at/ },
    { target: ".git/hooks", problem: /cannot be put at/ },
    { target: "pipe", problem: /is no file/ },
  ])("$target: what cannot be put leaves nothing behind", async ({ target, problem }) => {
    const { workspaces, session, base, folder } = await scene(copies);
    const held = join(folder, "held");
    mkdirSync(held);
    execFileSync("sh", ["-c", `mkfifo "$0"`, join(held, "p")]);
    const opened = workspaces.openTree(session, base, { folder: held, target }, calm);
    await expect(opened).rejects.toMatchObject({ code: "E_CONTRACT_FILE", message: problem });
    expect(readdirSync(join(folder, "state", "builds"))).toEqual([]);
  });

  test("a tree that leads out, or into the repository, is not written", async () => {
    const { workspaces, session, place, folder } = await scene(copies);
    const blob = git(place, "hash-object", "-w", join(folder, "project", "a.txt"));
    for (const name of ["..", ".git", "."]) {
      const inner = execFileSync("git", ["mktree"], { cwd: place, input: `100644 blob ${blob}\tescaped\n` });
      const line = `40000 tree ${inner.toString().trim()}\t${name}\n`;
      const hostile = execFileSync("git", ["mktree"], { cwd: place, input: line }).toString().trim();
      const opened = workspaces.openTree(session, hostile, null, calm);
      await expect(opened).rejects.toMatchObject({ code: "E_WORKSPACE_DAMAGED" });
    }
    expect(existsSync(join(folder, "state", "escaped"))).toBe(false);
    expect(readdirSync(join(folder, "state", "builds"))).toEqual([]);
  });
});

test("files of a check whose harness has died are leftovers", async () => {
  const { workspaces, session, base, folder } = await scene(true);
  const opened = await workspaces.openTree(session, base, null, calm);
  const [name] = readdirSync(join(folder, "state", "builds")).filter((each) => !each.endsWith(".json"));
  const mark = join(folder, "state", "builds", `${name}.json`);
  writeFileSync(mark, JSON.stringify({ pid: process.pid, startTime: "another life" }));
  const leftovers = await workspaces.findLeftovers(new Set([session]));
  expect(leftovers).toEqual([{ kind: "build", path: join(folder, "state", "builds", name!) }]);
  await workspaces.removeLeftover(leftovers[0]!);
  expect(existsSync(opened.files.workspace)).toBe(false);
  expect(await workspaces.findLeftovers(new Set([session]))).toEqual([]);
});
