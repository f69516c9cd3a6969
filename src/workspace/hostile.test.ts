/** What an agent could leave in its workspace to make the host do something, or give something away. */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
} from "../../test/support/repositories.ts";
import type { SessionId } from "../core/ids.ts";
import type { Checkpoint, PreparedWorkspace, Workspaces } from "./contract.ts";

const CANARY = "canary-of-the-host";

interface Scene {
  readonly folder: string;
  readonly secret: string;
  readonly executed: string;
  readonly workspaces: Workspaces;
  readonly session: SessionId;
  readonly prepared: PreparedWorkspace;
  attack(script: string): Promise<Checkpoint>;
  /** All that the checkpoint holds: names and contents. */
  held(commit: string): string;
}

async function scene(copies: boolean, limits = {}): Promise<Scene> {
  const folder = temporaryFolder();
  const secret = join(folder, "secret");
  writeFileSync(secret, CANARY);
  const executed = join(folder, "executed");
  const source = repository(join(folder, "project"), {
    "a.txt": "one\n",
    "d/b.txt": "two\n",
    "d/e/c.txt": "3\n",
  });
  const workspaces = workspacesIn(folder, { limits });
  const session = someSession();
  const prepared = await workspaces.prepare(session, source, { dirty: "refuse", atMs, copies }, calm);
  const attack = (script: string): Promise<Checkpoint> => {
    inWorkspace(prepared.files, script.replaceAll("$SECRET", secret).replaceAll("$EXECUTED", executed));
    const request = { number: 1, previous: prepared.base, reason: "r", atMs };
    return workspaces.checkpoint(session, request, calm);
  };
  const held = (commit: string): string => {
    const place = join(folder, "state", session, "repository.git");
    const names = git(place, "ls-tree", "-r", "-z", "--name-only", commit);
    return names + git(place, "log", "-p", "--binary", "--text", commit);
  };
  return { folder, secret, executed, workspaces, session, prepared, attack, held };
}

const RUN = "!touch $EXECUTED";
const CONFIG = `
[core]
	fsmonitor = touch $EXECUTED
	hooksPath = hooks
	sshCommand = touch $EXECUTED
	pager = touch $EXECUTED
	editor = touch $EXECUTED
	alternateRefsCommand = touch $EXECUTED
	worktree = /
[alias]
	fast-import = ${RUN}
	check-ignore = ${RUN}
	diff-tree = ${RUN}
[filter "evil"]
	clean = touch $EXECUTED
	smudge = touch $EXECUTED
	process = touch $EXECUTED
	required = true
[diff "evil"]
	command = touch $EXECUTED
	textconv = touch $EXECUTED
[include]
	path = $SECRET
`;
const HOOKS = `mkdir -p hooks .git/hooks; for h in pre-commit post-checkout reference-transaction post-index-change; do printf '#!/bin/sh\\ntouch $EXECUTED\\n' | tee hooks/$h >.git/hooks/$h; chmod +x hooks/$h .git/hooks/$h; done`;

describe.each([{ copies: false }, { copies: true }])("hostile content (copies: $copies)", ({ copies }) => {
  test.each([
    [
      "configuration, hooks and attributes",
      `printf '%s' '${CONFIG}' >.git/config; cp .git/config .gitconfig; ${HOOKS}; echo '* filter=evil diff=evil ident text' | tee .gitattributes >.git/info/attributes; echo new >n.txt; printf 'a\\r\\n$Id$' >crlf`,
    ],
    [
      ".git as a link to a hostile repository",
      `mv .git evil; printf '%s' '${CONFIG}' >evil/config; ln -s evil .git`,
    ],
    [".git as a file", `rm -rf .git; mkdir evil; echo 'gitdir: evil' >.git`],
    [
      "a nested repository",
      `mkdir -p n/.git/objects n/.git/refs; echo 'ref: refs/heads/x' >n/.git/HEAD; printf '%s' '${CONFIG}' >n/.git/config; echo in >n/in.txt; ${HOOKS}`,
    ],
    ["a nested repository behind a file", `mkdir n; echo "gitdir: $SECRET" >n/.git; echo in >n/in.txt`],
    [
      "an index of its own making",
      `echo intended >ita.txt; git add -N ita.txt; printf garbage >.git/index; printf garbage >.git/HEAD`,
    ],
  ])("%s: nothing is executed", async (_, script) => {
    const { executed, attack, held, workspaces, session } = await scene(copies);
    const { commit } = await attack(`${script}; echo mine >mine.txt`);
    expect(held(commit)).toContain("mine.txt");
    await workspaces.diff(session, { from: commit, to: commit }, 1000, calm);
    await workspaces.restore(session, commit, calm);
    expect(existsSync(executed)).toBe(false);
    expect(held(commit)).not.toContain(CANARY);
  });

  test("content is kept byte by byte, whatever attributes say, and nested repositories as folders", async () => {
    const { attack, workspaces, session } = await scene(copies);
    const script = `echo '* text=auto eol=lf ident' >.gitattributes; printf 'a\\r\\n$Id$' >crlf; mkdir n; (cd n; git init -q; echo in >in.txt)`;
    const { commit, skipped } = await attack(script);
    expect(skipped).toEqual([{ path: "n/.git", reason: "reserved_name" }]);
    const files = await workspaces.restore(session, commit, calm);
    expect(inWorkspace(files, "cat crlf n/in.txt")).toBe("a\r\n$Id$in\n");
  });

  test.each([
    ["a link to a file", "ln -s $SECRET leak"],
    ["a link to a folder", `ln -s "$(dirname $SECRET)" leak; echo '!leak' >.gitignore`],
    ["a folder of the base as a link", `rm -rf d; ln -s "$(dirname $SECRET)" d`],
    [".gitignore as a link", "ln -s $SECRET .gitignore"],
  ])("%s gives nothing away", async (_, script) => {
    const { attack, held, workspaces, session } = await scene(copies);
    const { commit } = await attack(script);
    expect(held(commit)).not.toContain(CANARY);
    const files = await workspaces.restore(session, commit, calm);
    expect(inWorkspace(files, "find . -type l -not -path './.git/*'")).toMatch(/^\.\/\S+\n$/);
  });

  test("pipes, sockets and devices are skipped, and nothing waits for them", async () => {
    const { attack } = await scene(copies);
    const { skipped, changes } = await attack(
      `mkfifo pipe; rm a.txt; mkfifo a.txt; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local=>"sock",Listen=>1)'; ln a.txt d/hard-pipe`,
    );
    expect(skipped.map(({ path, reason }) => `${reason} ${path}`).sort()).toEqual([
      "special a.txt",
      "special d/hard-pipe",
      "special pipe",
      "special sock",
    ]);
    expect(changes).toMatchObject({ files: 1 });
  });

  test("strange names are kept as they are", async () => {
    const { attack, workspaces, session } = await scene(copies);
    const names = [
      "-rf",
      "new\\nline",
      "tab\\there",
      "quote\"'\\\\",
      "\\033[31mred",
      ":(top)magic",
      "\\377\\376",
      " ",
      "*",
      "~",
      "ünï",
    ];
    const make = `mkdir -p 'd/-x'; for n in ${names.map((name) => `"$(printf -- '${name.replace(/'/g, "'\\''").replace(/"/g, '\\"')}')"`).join(" ")}; do echo "$n" >"./$n"; cp "./$n" "d/-x/$n"; done`;
    const { commit, changes } = await attack(make);
    expect(changes.files).toBe(names.length * 2);
    const before = inWorkspace(
      (await workspaces.find(session))!.files,
      "find . -path ./.git -prune -o -print0 | sort -z | tr '\\0' '\\n'",
    );
    const files = await workspaces.restore(session, commit, calm);
    expect(inWorkspace(files, "find . -path ./.git -prune -o -print0 | sort -z | tr '\\0' '\\n'")).toBe(
      before,
    );
  });

  test("hard links are files like any other", async () => {
    const { attack, workspaces, session } = await scene(copies);
    const { commit } = await attack("ln a.txt d/hard; echo more >>a.txt");
    const files = await workspaces.restore(session, commit, calm);
    expect(inWorkspace(files, "cat d/hard; echo x >d/hard; cat a.txt")).toBe("one\nmore\none\nmore\n");
  });

  test("names that are git's own on other systems are left out", async () => {
    const { attack } = await scene(copies);
    const { skipped } = await attack(
      `mkdir .GIT git~1 d/.Git; echo x >.GIT/config; echo x >'.git ' ; echo x >"$(printf '.g\\342\\200\\214it')"; echo x >.gitkeep`,
    );
    expect(skipped.every(({ reason }) => reason === "reserved_name")).toBe(true);
    expect(skipped).toHaveLength(5);
  });

  test("what is too large is skipped and named, and too much is refused", async () => {
    const { attack, workspaces, session, prepared } = await scene(copies, {
      fileBytes: 1000,
      totalBytes: 3000,
      entries: 5000,
    });
    const { skipped, commit } = await attack(
      "head -c 1001 /dev/zero >large; truncate -s 1T sparse; head -c 1000 /dev/zero >fits",
    );
    expect(skipped).toEqual([
      { path: "large", reason: "too_large" },
      { path: "sparse", reason: "too_large" },
    ]);
    inWorkspace(prepared.files, "for i in 1 2 3 4; do head -c 900 /dev/urandom >f$i; done");
    const request = { number: 2, previous: commit, reason: "r", atMs };
    const refused = { code: "E_WORKSPACE_TOO_LARGE" };
    await expect(workspaces.checkpoint(session, request, calm)).rejects.toMatchObject(refused);
    inWorkspace(prepared.files, "rm f?; mkdir many; cd many; seq 1 5001 | xargs touch");
    await expect(workspaces.checkpoint(session, request, calm)).rejects.toMatchObject(refused);
  });

  test("folders without end are cut off", async () => {
    const { attack, workspaces, session } = await scene(copies);
    const { skippedCount } = await attack(`perl -e 'for (1..3000) { mkdir "x"; chdir "x"; } open F, ">f"'`);
    expect(skippedCount).toBe(1);
    await workspaces.remove(session);
    expect(await workspaces.findLeftovers(new Set())).toEqual([]);
  });

  test("a base file that is ignored is kept, and an ignored folder can take nothing with it", async () => {
    const { attack, workspaces, session, prepared } = await scene(copies);
    const { commit } = await attack(
      "echo '*' >.gitignore; echo changed >d/b.txt; echo new >d/new; rm d/e/c.txt",
    );
    const changed = await workspaces.changedFiles(session, { from: prepared.base, to: commit }, calm);
    expect(changed.map(({ path, change }) => `${change} ${path}`)).toEqual([
      "modified d/b.txt",
      "deleted d/e/c.txt",
    ]);
  });
});

test("a folder that is swapped for a link while it is read gives nothing away", async () => {
  const { folder, attack, held, prepared, workspaces, session } = await scene(true);
  inWorkspace(
    prepared.files,
    "mkdir -p swap other; seq 1 300 | while read n; do echo $n >swap/secret$n; done; cp swap/secret1 swap/secret",
  );
  const script = `while :; do mv swap aside && ln -s '${folder}' swap && rm swap && mv aside swap; done`;
  const { spawn } = await import("node:child_process");
  const swapping = spawn("sh", ["-c", script], { cwd: prepared.files.workspace, stdio: "ignore" });
  try {
    let previous = (await attack(":").catch(() => undefined))?.commit ?? prepared.base;
    for (let number = 2; number < 12; number++) {
      const request = { number, previous, reason: "r", atMs };
      const made = await workspaces.checkpoint(session, request, calm).catch(() => undefined);
      if (made === undefined) continue;
      previous = made.commit;
      expect(held(previous)).not.toContain(CANARY);
    }
  } finally {
    swapping.kill("SIGKILL");
    execFileSync("true");
  }
});
