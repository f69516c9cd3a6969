/** Composing and opening on a session's real repository. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { JS, TEST } from "../../../test/support/compositions.ts";
import {
  atMs,
  calm,
  git,
  inWorkspace,
  repository,
  someSession,
  temporaryFolder,
  workspacesIn,
} from "../../../test/support/repositories.ts";
import { contractOf, matchOf } from "../../../test/support/trees.ts";
import type { ComposeRequest, RefereeTrees } from "../contract.ts";
import { type Review, reviewOf } from "../review.ts";
import { refereeTrees } from "./trees.ts";

interface Scene {
  readonly trees: RefereeTrees;
  readonly session: ReturnType<typeof someSession>;
  readonly base: string;
  readonly place: string;
  commit(script: string): Promise<string>;
  request(candidate: string): ComposeRequest;
}

async function scene(): Promise<Scene> {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), JS);
  const workspaces = workspacesIn(folder);
  const session = someSession();
  const { base, files } = await workspaces.prepare(session, source, { dirty: "refuse", atMs }, calm);
  let number = 0;
  const commit = async (script: string): Promise<string> => {
    inWorkspace(files, script);
    const request = { number: ++number, previous: base, reason: "r", atMs };
    return (await workspaces.checkpoint(session, request, calm)).commit;
  };
  const request = (candidate: string): ComposeRequest => ({
    base,
    candidate,
    contract: contractOf("npm test"),
    matches: [matchOf("vitest")],
    approved: new Set(),
  });
  const place = join(folder, "state", session, "repository.git");
  return { trees: refereeTrees(workspaces), session, base, place, commit, request };
}

test("what is more than the contract allows is one thing to look at, and a yes holds for exactly these files", async () => {
  const { trees, session, base, commit, request } = await scene();
  const first = await commit("echo 'export const add = 1;' >src/add.js; echo x >a.txt");
  const limited = (candidate: string): ComposeRequest => {
    const asked = request(candidate);
    return { ...asked, contract: { ...asked.contract, limits: { verdicts: 20, files: 1, lines: 2 } } };
  };
  const lookAt = async (candidate: string, approved: readonly string[]): Promise<Review> => {
    const { findings } = await trees.compose(session, limited(candidate), calm);
    const readers = [trees.reader(session, base, calm), trees.reader(session, candidate, calm)] as const;
    return reviewOf(findings, ...readers, { approved: new Set(approved), denied: new Set() });
  };
  const { open } = await lookAt(first, []);
  expect(open).toMatchObject([
    { path: ".", detail: "size: more is changed than was agreed: 2 files, of 1; 3 lines, of 2" },
  ]);
  const approved = open.map(({ hash }) => hash);
  expect((await lookAt(first, approved)).open).toEqual([]);
  expect((await lookAt(await commit("echo y >a.txt"), approved)).open).toHaveLength(1);
  const { findings } = await trees.compose(session, request(first), calm);
  expect(findings).toEqual([]);
});

test("pass A has the base's tests, pass B the candidate's, and both have its sources", async () => {
  const { trees, session, base, place, commit, request } = await scene();
  const candidate = await commit(
    "echo 'test.skip()' >test/add.test.js; echo x >test/new.test.js; echo 'export const add = 1;' >src/add.js; rm vite.config.js; ln -s / link",
  );
  const composed = await trees.compose(session, request(candidate), calm);
  expect(composed.baseTree).toBe(git(place, "rev-parse", `${base}^{tree}`));
  expect(composed.treeB).toBe(git(place, "rev-parse", `${candidate}^{tree}`));
  expect(composed.findings.map(({ effect, path }) => `${effect} ${path}`)).toEqual([
    "review test/add.test.js",
    "review vite.config.js",
  ]);
  expect(composed.changed.map(({ change, path }) => `${change} ${path}`)).toEqual([
    "modified test/add.test.js",
    "added test/new.test.js",
    "deleted vite.config.js",
  ]);
  const script = "cat src/add.js test/*.js; ls; readlink link";
  const shown: string[] = [];
  for (const tree of [composed.treeA, composed.treeB]) {
    const opened = await trees.open(session, tree, null, calm);
    shown.push(inWorkspace(opened.files, script));
    await opened.close();
  }
  expect(shown).toEqual([
    `export const add = 1;\n${TEST}link\npackage.json\nsrc\ntest\nvite.config.js\n/\n`,
    "export const add = 1;\ntest.skip()\nx\nlink\npackage.json\nsrc\ntest\n/\n",
  ]);
});

test("a candidate that changed nothing is the base in both passes", async () => {
  const { trees, session, base, commit, request } = await scene();
  const same = await trees.compose(session, request(base), calm);
  expect(same).toMatchObject({ treeA: same.baseTree, treeB: same.baseTree, findings: [], changed: [] });
  const candidate = await commit("touch src/add.js");
  expect(await trees.compose(session, request(candidate), calm)).toEqual(same);
});

test("a link in the place of the folder of tests is refused, and leads nowhere in pass A", async () => {
  const { trees, session, commit, request } = await scene();
  const candidate = await commit("rm -r test; ln -s /etc test");
  const { findings, treeA } = await trees.compose(session, request(candidate), calm);
  expect(findings).toContainEqual(expect.objectContaining({ gate: "swap", path: "test", effect: "refuse" }));
  const opened = await trees.open(session, treeA, null, calm);
  expect(inWorkspace(opened.files, "test ! -L test; ls test")).toBe("add.test.js\n");
  await opened.close();
});

test("a tree that no honest git makes is refused and composed without what is wrong", async () => {
  const { trees, session, base, place, request } = await scene();
  const make = (lines: string): string =>
    execFileSync("git", ["mktree"], { cwd: place, input: lines, stdio: ["pipe", "pipe", "ignore"] })
      .toString()
      .trim();
  const blob = git(place, "rev-parse", `${base}:src/add.js`);
  const inner = make(`100644 blob ${blob}\tx\n`);
  const own = git(place, "ls-tree", base);
  for (const name of ["..", ".git", ".GIT"]) {
    const tree = make(`${own}\n40000 tree ${inner}\t${name}\n`);
    const { findings, treeA, baseTree } = await trees.compose(session, request(tree), calm);
    expect(findings.map(({ effect, gate, path }) => `${effect} ${gate} ${path}`)).toEqual([
      `refuse names ${name}/x`,
    ]);
    expect(treeA).toBe(baseTree);
  }
});
