/** From a folder of the user's to a workspace. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { SessionId } from "../core/ids.ts";
import type { Origin, PrepareOptions, Rendering, WorkspaceLimits } from "./contract.ts";
import { type Dirt, findDirt, refuseDirt, writeDirtyTree } from "./dirty.ts";
import { makeFiles } from "./files.ts";
import type { Git } from "./git.ts";
import { copyIncluded, findIncluded } from "./included.ts";
import { ownStore } from "./large-files.ts";
import { readablePath } from "./paths.ts";
import { type Place, SessionPlace, type SessionRecord } from "./place.ts";
import { checkoutOf, ensurePristine, pristineKey, settle } from "./pristine.ts";
import { writeRenderings } from "./renderings.ts";
import { makeScratch, makeSessionRepository, type Scratch } from "./scratch.ts";
import { isLikelySecret } from "./secrets.ts";
import { inspectSource, resolveCommit, type Source, unusable } from "./source.ts";
import { TreeFinder } from "./tree.ts";

/** What preparing needs from the outside. */
export interface PrepareContext {
  readonly git: Git;
  readonly place: Place;
  readonly limits: WorkspaceLimits;
  /** Which kind of files works here. */
  readonly kind: (build: string) => Promise<"overlay" | "copy">;
}

interface Base {
  readonly commit: string;
  readonly tree: string;
  readonly dirt: Dirt | undefined;
}

/** Makes the workspace of a session in one step: it is there wholly, or not at all. */
export async function prepareSession(
  context: PrepareContext,
  sessionId: SessionId,
  path: string,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<void> {
  const { git, place } = context;
  if (options.base !== undefined && options.dirty === "include") {
    throw new NightshiftError(
      "E_USAGE",
      "a base and dirty=include exclude each other: both say where to begin",
    );
  }
  const source = await inspectSource(git, path, signal);
  const build = place.build();
  try {
    const inside = relative(source.root, place.folder);
    const hidden = inside === "" || inside.startsWith("..") ? undefined : inside;
    const scratch = makeScratch(build, source, hidden);
    const base = await findBase(context, scratch, source, options, signal);
    const { renderings = [] } = options;
    await buildSession(context, { sessionId, scratch, source, base, renderings }, signal);
  } finally {
    await place.removeBuild(build);
  }
}

async function findBase(
  { git, limits }: PrepareContext,
  scratch: Scratch,
  source: Source,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<Base> {
  const treeOf = (commit: string): Promise<string> =>
    git.text({ gitFolder: scratch.gitFolder }, ["rev-parse", `${commit}^{tree}`], signal);
  const head = source.kind === "repository" ? source.head : null;
  if (source.kind === "repository" && options.base !== undefined) {
    const commit = await resolveCommit(git, source.root, options.base, signal);
    if (commit === null) throw unusable(`${source.root} has no commit ${options.base}`);
    return { commit, tree: await treeOf(commit), dirt: undefined };
  }
  if (source.kind === "repository" && options.dirty === "ignore" && head !== null) {
    return { commit: head, tree: await treeOf(head), dirt: undefined };
  }
  const dirt = withoutFile(await findDirt(git, scratch, signal), source.root, options.apart);
  if (source.kind === "repository" && options.dirty === "refuse") {
    const isSure = dirt.staged.length > 0 || dirt.untracked.length > 0 || dirt.unmerged.length > 0;
    if (isSure) refuseDirt(source.root, dirt);
  }
  const isEmpty = source.kind === "repository" && options.dirty === "ignore";
  const tree = isEmpty
    ? await git.text(scratch.tree, ["hash-object", "-w", "-t", "tree", "--stdin"], signal)
    : await writeDirtyTree(git, scratch, dirt, limits, signal);
  // A file that was touched, or is a large one, only looked changed.
  if (head !== null && tree === (await treeOf(head))) {
    return { commit: head, tree, dirt: { ...dirt, untracked: [], changed: [] } };
  }
  if (source.kind === "repository" && options.dirty === "refuse" && head !== null)
    refuseDirt(source.root, dirt);
  return { commit: await commitTree(git, scratch, tree, head, options.atMs, signal), tree, dirt };
}

/** Only where git does not know it: what is part of the repository is part of the work. */
function withoutFile(dirt: Dirt, root: string, path: string | undefined): Dirt {
  if (path === undefined) return dirt;
  const apart = relative(root, path);
  return { ...dirt, untracked: dirt.untracked.filter((each) => readablePath(each) !== apart) };
}

async function commitTree(
  git: Git,
  { gitFolder }: Scratch,
  tree: string,
  parent: string | null,
  atMs: number,
  signal: AbortSignal,
): Promise<string> {
  const who = `Nightshift <nightshift@localhost> ${Math.floor(atMs / 1000)} +0000`;
  const text = [
    `tree ${tree}`,
    ...(parent === null ? [] : [`parent ${parent}`]),
    `author ${who}`,
    `committer ${who}`,
    "",
    "Files as they were when the session began",
    "",
  ].join("\n");
  return git.text({ gitFolder }, ["hash-object", "-w", "-t", "commit", "--stdin"], signal, { input: text });
}

/** What a session is built of. */
interface Ingredients {
  readonly sessionId: SessionId;
  readonly scratch: Scratch;
  readonly source: Source;
  readonly base: Base;
  readonly renderings: readonly Rendering[];
}

async function buildSession(
  context: PrepareContext,
  { sessionId, scratch, source, base, renderings }: Ingredients,
  signal: AbortSignal,
): Promise<void> {
  const { git, place } = context;
  const session = new SessionPlace(sessionId, join(scratch.folder, "session"));
  mkdirSync(session.folder);
  const record = await describe(context, scratch, source, base, signal);
  // From here on the pristine checkout counts as used.
  session.write(record);
  const finder = new TreeFinder(git, scratch.folder, source.root, signal);
  const isRepository = source.kind === "repository";
  const treeSource = {
    gitFolder: scratch.gitFolder,
    objectFormat: scratch.objectFormat,
    commonFolder: isRepository ? source.commonFolder : undefined,
    workTree: source.root,
    largeFileStores: [ownStore(scratch), ...(isRepository ? [source.largeFileStore] : [])],
  };
  const wanted = { key: record.pristine, commit: base.commit, tree: base.tree };
  const find = () => finder.find(treeSource, base.commit);
  await ensurePristine(git, place, scratch, wanted, find, signal);
  const checkout = checkoutOf(place, record.pristine);
  const { objectFormat } = scratch;
  const excludes = join(scratch.gitFolder, "info", "exclude");
  const rendered = writeRenderings(renderings, checkout, session.included, excludes);
  makeSessionRepository(session.repository, checkout, { objectFormat, excludes });
  const wantedFiles = await findIncluded(git, scratch, signal);
  const included = copyIncluded(source.root, wantedFiles, checkout, session.included, context.limits);
  const names = included.map(readablePath);
  const strangers = base.dirt === undefined ? [] : base.dirt.untracked.map(readablePath);
  const likelySecrets = [...names, ...strangers].filter(isLikelySecret);
  const complete = { ...record, included: [...names, ...rendered], rendered, likelySecrets };
  session.write(complete);
  await makeFiles(git, session, complete, checkout, signal);
  await settle(session.folder, signal);
  if (!existsSync(place.pristine(record.pristine))) throw trimmed(record.pristine);
  if (!place.finish(session.folder, place.session(sessionId)))
    rmSync(session.folder, { recursive: true, force: true });
}

async function describe(
  { kind }: PrepareContext,
  scratch: Scratch,
  source: Source,
  base: Base,
  signal: AbortSignal,
): Promise<SessionRecord> {
  signal.throwIfAborted();
  const isMade = base.dirt !== undefined && source.kind === "repository" && base.commit !== source.head;
  const origin: Origin =
    source.kind === "folder"
      ? { kind: "folder", root: source.root }
      : {
          kind: "repository",
          root: source.root,
          commit: isMade ? source.head : base.commit,
          branch: source.branch,
        };
  return {
    version: 1,
    base: base.commit,
    tree: base.tree,
    origin,
    subfolder: source.kind === "repository" ? source.subfolder : "",
    included: [],
    likelySecrets: [],
    nestedRepositories: (base.dirt?.nested ?? []).map(readablePath),
    pristine: pristineKey(source, base.commit),
    kind: await kind(scratch.folder),
    generation: 1,
  };
}

function trimmed(key: string): NightshiftError {
  return new NightshiftError("E_WORKSPACE_BUSY", `the pristine checkout ${key} was removed meanwhile`, {
    retryable: true,
    hint: "Try again.",
  });
}
