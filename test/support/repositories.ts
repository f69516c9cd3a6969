/** Repositories and workspaces for tests, in folders that go away with the test. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import type { WorkspaceFiles, Workspaces, WorkspacesOptions } from "../../src/workspace/contract.ts";
import { openWorkspaces } from "../../src/workspace/index.ts";

/** Never aborted. */
export const calm: AbortSignal = new AbortController().signal;
/** The moment at which everything happens. */
export const atMs = 1_700_000_000_000;

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-workspace-")));
  onTestFinished(() => {
    execFileSync("chmod", ["-R", "u+rwX", folder]);
    execFileSync("rm", ["-rf", folder]);
  });
  return folder;
}

/** Runs git as a person would; trimmed output. */
export function git(folder: string, ...words: string[]): string {
  const environment = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Person",
    GIT_AUTHOR_EMAIL: "person@localhost",
    GIT_COMMITTER_NAME: "Person",
    GIT_COMMITTER_EMAIL: "person@localhost",
  };
  const settings = ["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"];
  return execFileSync("git", [...settings, ...words], { cwd: folder, env: environment, stdio: "pipe" })
    .toString()
    .trim();
}

/** Writes files; a name that ends in `*` is executable. */
export function write(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace(/\*$/, ""));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (name.endsWith("*")) chmodSync(path, 0o755);
  }
}

/** A repository with one commit of these files. */
export function repository(folder: string, files: Readonly<Record<string, string | Buffer>>): string {
  mkdirSync(folder, { recursive: true });
  git(folder, "init", "-q");
  write(folder, files);
  git(folder, "add", "-A");
  git(folder, "commit", "-q", "-m", "first");
  return folder;
}

/** Everything in a folder: path → kind, mode and content. Times are left out. */
export function contentOf(
  folder: string,
  options: { readonly without?: string } = {},
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "latin1" }).sort()) {
    if (options.without !== undefined && (name === options.without || name.startsWith(`${options.without}/`)))
      continue;
    const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);
    const stats = lstatSync(path);
    if (stats.isDirectory()) continue;
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isSymbolicLink()) found[name] = `link ${readlinkSync(path)}`;
    else if (stats.isFile())
      found[name] = `${mode} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
    else found[name] = "special";
  }
  return found;
}

let count = 0;

/** A session id that no other test uses. */
export function someSession(): SessionId {
  return sessionId(`workspacetest${++count}`);
}

/** Workspaces in a folder of their own. */
export function workspacesIn(folder: string, options: Partial<WorkspacesOptions> = {}): Workspaces {
  const environment = { PATH: process.env.PATH, HOME: join(folder, "home") };
  return openWorkspaces({
    folder: join(folder, "state"),
    environment,
    unique: () => `${process.pid}-${++count}`,
    ...options,
  });
}

/** Runs a command in the workspace as a sandbox would: in the merged view, mounted for this command alone. */
export function inWorkspace(files: WorkspaceFiles, script: string): string {
  const { overlay } = files;
  if (overlay === undefined)
    return execFileSync("sh", ["-ec", script], { cwd: files.workspace, stdio: "pipe" }).toString();
  const view = mkdtempSync(join(tmpdir(), "nightshift-view-"));
  const isRoot = process.geteuid?.() === 0;
  const options = `lowerdir=${overlay.lower.join(":")},upperdir=${overlay.upper},workdir=${overlay.work}${isRoot ? "" : ",userxattr"}`;
  try {
    const mounting = 'mount -t overlay overlay -o "$1" "$2" && cd "$2" && exec sh -ec "$3"';
    const words = [isRoot ? "-m" : "-Urm", "sh", "-c", mounting, "sh", options, view, script];
    return execFileSync("unshare", words, { stdio: "pipe" }).toString();
  } finally {
    execFileSync("rmdir", [view]);
  }
}
