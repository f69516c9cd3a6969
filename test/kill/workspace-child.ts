// Goes through the life of a workspace, to be killed at any moment and started again: each time it does all of it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionId } from "../../src/core/ids.ts";
import { openWorkspaces } from "../../src/workspace/index.ts";

/** What it is to work on. */
export interface WorkspaceLife {
  readonly folder: string;
  readonly source: string;
  readonly session: SessionId;
  readonly path: string;
  readonly copies: boolean;
}

/** What came of it. */
export interface WorkspaceOutcome {
  readonly kind: "overlay" | "copy";
  readonly commits: readonly string[];
  readonly trees: readonly string[];
}

const { folder, source, session, path, copies } = JSON.parse(readFileSync(0, "utf8")) as WorkspaceLife;
const { signal } = new AbortController();
const workspaces = openWorkspaces({
  folder,
  environment: { PATH: path },
  unique: () => `${process.pid}-${performance.now()}`,
});
const options = { dirty: "include", atMs: 0, copies } as const;
const { base, tree } = await workspaces.prepare(session, source, options, signal);

/** As an agent would; in the upper folder itself, which nobody has mounted. */
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  const found = (await workspaces.find(session))?.files;
  const top = found?.overlay?.upper ?? found?.workspace ?? "";
  for (const [name, content] of Object.entries(files)) writeFileSync(join(top, name), content);
}

await workspaces.restore(session, base, signal);
await write({ "a.txt": "first change\n", "new.txt": "new\n" });
const one = await workspaces.checkpoint(
  session,
  { number: 1, previous: base, reason: "one", atMs: 0 },
  signal,
);
await write({ "a.txt": "second change\n", "other.txt": "other\n" });
const request = { number: 2, previous: one.commit, reason: "two", atMs: 0 };
const two = await workspaces.checkpoint(session, request, signal);
await workspaces.restore(session, one.commit, signal);
const three = await workspaces.checkpoint(session, { ...request, number: 3, previous: two.commit }, signal);
const checked = await workspaces.openTree(session, two.tree, null, signal);
await checked.close();
const { files } = (await workspaces.find(session)) ?? {};
const outcome: WorkspaceOutcome = {
  kind: files?.overlay === undefined ? "copy" : "overlay",
  commits: [base, one.commit, two.commit, three.commit],
  trees: [tree, one.tree, two.tree, three.tree],
};
process.stdout.write(JSON.stringify(outcome));
