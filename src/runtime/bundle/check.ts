/** Checks a bundle: the log's chain and head, then the commits, then that verdicts follow from what was found. */
import type { Finding } from "../../core/contract/contract.ts";
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import { validateStoredEvent } from "../../core/events/validate.ts";
import { hydrate } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import { upcast } from "../../core/upcast.ts";
import { Evidence } from "../../referee/evidence.ts";
import type { Verdict } from "../../referee/findings.ts";
import { ALL_GATES_ON } from "../../referee/gates-list.ts";
import type { VerdictRequest } from "../../referee/parts.ts";
import { NO_REVIEW, type Review, reviewOf } from "../../referee/review.ts";
import { verdictOf, waivedNow } from "../../referee/verdict.ts";
import { checkImage } from "../../store/integrity/fsck.ts";
import type { UnpackedCommits } from "../../workspace/contract.ts";
import { composedFor } from "./facts.ts";
import { imageOf, invalid, type ReadBundle } from "./format.ts";
import { type Story, storyOf, type ToldVerdict } from "./story.ts";

/** A verdict that follows from its evidence. */
export interface CheckedVerdict extends ToldVerdict {
  /** With what had been said when it was made. */
  readonly request: VerdictRequest;
}

/** What a sound bundle shows. */
export interface CheckedBundle {
  readonly story: Story;
  /** The newest verdict. */
  readonly verdict: CheckedVerdict;
  /** Those that follow from their evidence, the newest among them. */
  readonly followed: number;
  /** Earlier ones of which files or evidence are not there to be compared with. */
  readonly uncompared: number;
  readonly commits: UnpackedCommits;
  /** With which the session began. */
  readonly config: NonNullable<Story["config"]>;
}

/** What is to be compared with, and how commits are looked at. */
export interface BundleCheckOptions {
  /** A head that was kept elsewhere: shows forgery too. */
  readonly expectedHead?: { readonly seq: number; readonly hash: string };
  /** Makes a repository of the pack. */
  unpack(pack: Buffer, base: string): Promise<UnpackedCommits>;
}

/** @throws NightshiftError `E_BUNDLE_INVALID` that names the first thing that is wrong */
export async function checkBundle(
  bundle: ReadBundle,
  { expectedHead, unpack }: BundleCheckOptions,
): Promise<CheckedBundle> {
  checkLog(bundle, expectedHead);
  const [damaged] = bundle.damaged;
  if (damaged !== undefined) throw invalid(`${damaged} is not what the list of files says`);
  const erased = new Set(bundle.events.flatMap(({ seq, erasure }) => (erasure === null ? [] : [seq])));
  const story = storyOf({ sessionId: bundle.sessionId, events: eventsOf(bundle), erased });
  const [problem] = story.problems;
  if (problem !== undefined) throw invalid(problem);
  const { config } = story;
  const newest = story.verdicts.at(-1);
  const [asked] = newest?.requests ?? [];
  if (newest === undefined || asked === undefined || config === null) throw invalid("its log has no verdict");
  const commits = await unpack(bundle.pack, asked.base);
  await checkTrees(newest.body, commits);
  const verdict = await checkNewest(newest, commits);
  let followed = 1;
  for (const each of story.verdicts.slice(0, -1)) if (await isFollowed(each, commits)) followed += 1;
  return { story, verdict, followed, uncompared: story.verdicts.length - followed, commits, config };
}

async function checkNewest(told: ToldVerdict, commits: UnpackedCommits): Promise<CheckedVerdict> {
  if (told.erased !== null)
    throw invalid(`verdict ${told.body.number} follows from event ${told.erased}, which was erased`);
  return { ...told, request: await checkVerdict(told, commits) };
}

/**
 * Is an earlier verdict one that can be computed again? A commit that is no ancestor of the verified one is not here.
 * @throws NightshiftError `E_BUNDLE_INVALID` when it can, and comes to something else
 */
async function isFollowed(told: ToldVerdict, commits: UnpackedCommits): Promise<boolean> {
  if (told.erased !== null) return false;
  try {
    await commits.treeOf(told.body.commit);
  } catch (error) {
    if (isNightshiftError(error, "E_WORKSPACE_UNKNOWN")) return false;
    throw error;
  }
  await checkTrees({ ...told.body, tree_a: null }, commits);
  await checkVerdict(told, commits);
  return true;
}

function checkLog(bundle: ReadBundle, expectedHead: BundleCheckOptions["expectedHead"]): void {
  const { sessionId } = bundle;
  const options = { sessionId, ...(expectedHead !== undefined && { expectedHead }) };
  const [session] = checkImage(imageOf(bundle), options, validateStoredEvent).sessions;
  const [problem] = session?.problems ?? [];
  if (problem !== undefined) throw invalid(problem.message);
}

function* eventsOf(bundle: ReadBundle): Generator<SessionEvent> {
  const image = imageOf(bundle);
  for (const stored of bundle.events) {
    const body = hydrate(JSON.parse(stored.body) as Json, (name) => image.blob(name));
    yield upcast(stored, body);
  }
}

/** The delivered tree is that of the commit, and the other one is there to be looked at. */
async function checkTrees(
  { number, commit, tree_a, tree_b }: Verdict,
  commits: UnpackedCommits,
): Promise<void> {
  try {
    const tree = await commits.treeOf(commit);
    if (tree_b !== null && tree !== tree_b)
      throw invalid(`commit ${commit} has tree ${tree}, but verdict ${number} is on ${tree_b}`);
    if (tree_a !== null) await commits.reader(tree_a).list();
  } catch (error) {
    if (isNightshiftError(error, "E_BUNDLE_INVALID")) throw error;
    throw new NightshiftError(
      "E_BUNDLE_INVALID",
      `the commits of verdict ${number} are not in the bundle: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * The verdict is a fold of what was found, so it can be computed again. Its words may differ, its answers not.
 * @returns what it was asked with
 */
async function checkVerdict(told: ToldVerdict, commits: UnpackedCommits): Promise<VerdictRequest> {
  let first: NightshiftError | undefined;
  for (const request of told.requests) {
    const objection = objectionTo(told, request, await reviewAgain(told, request, commits));
    if (objection === null) return request;
    first ??= invalid(
      `verdict ${told.body.number} (event ${told.seq}) does not follow from its evidence: ${objection}`,
    );
  }
  throw first ?? invalid(`verdict ${told.body.number} (event ${told.seq}) was never asked for`);
}

function objectionTo({ at, body }: ToldVerdict, request: VerdictRequest, review: Review): string | null {
  const evidence = new Evidence(body.number, request.done, () =>
    Promise.reject(invalid("nothing is found here")),
  );
  const again = verdictOf(request, {
    ...{ treeA: body.tree_a, treeB: body.tree_b, findings: findingsOf(body, request), review },
    ...{ checked: evidence.checked, contrasted: evidence.contrasted, graded: evidence.graded },
    isIsolated: true,
    gatesOff: ALL_GATES_ON,
    waived: waivedNow(request, at - body.duration_ms),
    durationMs: body.duration_ms,
    problem: typeof body.problem === "string" ? body.problem : null,
  });
  const wrong = again.criteria.find(({ criterion, status, strength }, index) => {
    const said = body.criteria[index];
    return said?.criterion !== criterion || said.status !== status || said.strength !== strength;
  });
  if (wrong !== undefined) return `${wrong.criterion} is ${wrong.status}`;
  return again.outcome !== body.outcome || again.criteria.length !== body.criteria.length
    ? `it comes to ${again.outcome}`
    : null;
}

function findingsOf(body: Verdict, { done }: VerdictRequest): readonly Finding[] {
  const ratcheted = done.findLast((fact) => fact.type === "referee.ratcheted");
  return [
    ...(composedFor(body, done)?.findings ?? []),
    ...(ratcheted?.type === "referee.ratcheted" ? ratcheted.body.findings : []),
  ];
}

async function reviewAgain(
  { body }: ToldVerdict,
  request: VerdictRequest,
  commits: UnpackedCommits,
): Promise<Review> {
  if (body.tree_a === null) return NO_REVIEW;
  const { base, commit } = request;
  return await reviewOf(findingsOf(body, request), commits.reader(base), commits.reader(commit), request);
}
