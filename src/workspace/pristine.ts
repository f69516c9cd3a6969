/**
 * Pristine checkouts: the files of one commit with a `.git` of their own, shared by all sessions that begin there.
 * That repository has the commit's ancestors and one branch: no other refs, remotes, stash, reflog or hooks, and
 * no way to the user's objects.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { replaceFile } from "../sandbox/daemon/durable.ts";
import type { Git } from "./git.ts";
import { namesIn, type Place, type PristineRecord, readPristine, touchPristine } from "./place.ts";
import { makeRepository, type Scratch } from "./scratch.ts";
import type { Source } from "./source.ts";
import { type CompleteTree, checkOut } from "./tree.ts";

const runFile = promisify(execFile);
const REPOSITORY_NAME_LENGTH = 12;
/** How many older checkouts of the same repository are asked whether their history can be shared. */
const ELDERS_MAX = 8;
/** The agent's own commits are thrown away with its files; this only keeps git from asking. */
const AGENT_SETTINGS =
  "[user]\n\tname = Nightshift agent\n\temail = agent@localhost\n[gc]\n\tauto = 0\n[core]\n\thooksPath = /dev/null\n";

/** Name of the checkout of a commit. */
export function pristineKey(source: Source, commit: string): string {
  const owner = source.kind === "repository" ? source.commonFolder : source.root;
  const repository = createHash("sha256").update(owner).digest("hex").slice(0, REPOSITORY_NAME_LENGTH);
  const isShallow = source.kind === "repository" && existsSync(join(source.commonFolder, "shallow"));
  return `${repository}-${commit}${isShallow ? "-0" : ""}`;
}

/** Folder of the files of a pristine checkout. */
export function checkoutOf(place: Place, key: string): string {
  return join(place.pristine(key), "checkout");
}

/** Builds a checkout, unless it is there. `find` says what to check out, and is only asked if that is needed. */
export async function ensurePristine(
  git: Git,
  place: Place,
  scratch: Scratch,
  wanted: { readonly key: string; readonly commit: string; readonly tree: string },
  find: () => Promise<CompleteTree>,
  signal: AbortSignal,
): Promise<PristineRecord> {
  const folder = place.pristine(wanted.key);
  const known = readPristine(folder);
  if (known !== undefined) {
    touchPristine(folder);
    return known;
  }
  const complete = await find();
  const build = join(scratch.folder, "pristine");
  const checkout = join(build, "checkout");
  const gitFolder = join(checkout, ".git");
  mkdirSync(build);
  const { commit, tree, key } = wanted;
  makeRepository(gitFolder, { objectFormat: scratch.objectFormat, branch: "nightshift" });
  appendFileSync(join(gitFolder, "config"), AGENT_SETTINGS);
  await packHistory(git, place, scratch, gitFolder, wanted, signal);
  const { submodules, largeFiles } = await checkOut(git, complete, checkout, gitFolder, signal);
  copyFileSync(join(scratch.gitFolder, "info", "exclude"), join(gitFolder, "info", "exclude"));
  await git.run({ gitFolder }, ["update-ref", "--no-deref", "refs/heads/nightshift", commit], signal);
  rmSync(join(gitFolder, "logs"), { recursive: true, force: true });
  const bytes = bytesIn(build);
  const { objectFormat } = scratch;
  const record = { version: 1, commit, tree, objectFormat, bytes, submodules, largeFiles } as const;
  touchPristine(build);
  await settle(build, signal);
  replaceFile(join(build, "record.json"), JSON.stringify(record));
  place.finish(build, place.pristine(key));
  return record;
}

/** Makes all files of a folder durable: what lost them in a power failure must not be found complete. */
export async function settle(folder: string, signal: AbortSignal): Promise<void> {
  await runFile("sync", process.platform === "linux" ? ["-f", folder] : [], { signal });
}

/** Packs the commit with its ancestors. What is missing of older contents stays missing. */
async function packHistory(
  git: Git,
  place: Place,
  scratch: Scratch,
  gitFolder: string,
  { key, commit }: { readonly key: string; readonly commit: string },
  signal: AbortSignal,
): Promise<void> {
  const packs = join(gitFolder, "objects", "pack");
  mkdirSync(packs, { recursive: true });
  const shallow = join(scratch.gitFolder, "shallow");
  const isShallow = existsSync(shallow);
  if (isShallow) copyFileSync(shallow, join(gitFolder, "shallow"));
  const elder = isShallow ? undefined : await findElder(git, place, scratch, key, commit, signal);
  if (elder !== undefined) {
    const theirs = join(elder.checkout, ".git", "objects", "pack");
    for (const name of readdirSync(theirs)) linkSync(join(theirs, name), join(packs, name));
  }
  const input = elder === undefined ? `${commit}\n` : `${commit}\n^${elder.commit}\n`;
  const words = ["pack-objects", "--revs", "-q", "--delta-base-offset", "--missing=allow-any"];
  await git.run({ gitFolder: scratch.gitFolder }, [...words, join(packs, "pack")], signal, { input });
}

/** A checkout of an ancestor, whose history need not be packed again. */
async function findElder(
  git: Git,
  place: Place,
  scratch: Scratch,
  key: string,
  commit: string,
  signal: AbortSignal,
): Promise<{ readonly commit: string; readonly checkout: string } | undefined> {
  const prefix = key.slice(0, REPOSITORY_NAME_LENGTH + 1);
  const elders = namesIn(place.pristines).filter((name) => name.startsWith(prefix) && !name.endsWith("-0"));
  for (const name of elders.slice(-ELDERS_MAX)) {
    const elder = readPristine(place.pristine(name))?.commit;
    if (elder === undefined) continue;
    const words = ["merge-base", "--is-ancestor", elder, commit];
    const run = { exitCodes: [0, 1, 128] };
    const { exitCode } = await git.run({ gitFolder: scratch.gitFolder }, words, signal, run);
    if (exitCode === 0) return { commit: elder, checkout: checkoutOf(place, name) };
  }
  return undefined;
}

/** Bytes of all files below; what is linked counts where it was first. */
function bytesIn(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true, encoding: "utf8" })) {
    const found = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (found !== undefined && !(found.isFile() && found.nlink > 1)) bytes += found.blocks * 512;
  }
  return bytes;
}

/** Removes pristine checkouts that are in no use. See the contract. */
export async function trimPristines(
  place: Place,
  inUse: () => ReadonlySet<string>,
  bytesMax: number,
  lastUse: (folder: string) => number,
): Promise<{ readonly removed: number; readonly bytes: number }> {
  const used = inUse();
  const all = namesIn(place.pristines).map((key) => ({ key, record: readPristine(place.pristine(key)) }));
  let bytes = all.reduce((sum, { record }) => sum + (record?.bytes ?? 0), 0);
  const idle = all
    .filter(({ key }) => !used.has(key))
    .sort((one, other) => lastUse(place.pristine(one.key)) - lastUse(place.pristine(other.key)));
  let removed = 0;
  for (const { key, record } of idle) {
    if (bytes <= bytesMax) break;
    if (inUse().has(key)) continue;
    await place.discard(place.pristine(key));
    bytes -= record?.bytes ?? 0;
    removed++;
  }
  return { removed, bytes };
}
