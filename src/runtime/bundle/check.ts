/** Checks a bundle: the log's chain and head, then the commits, then that verdicts follow from what was found. */
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import { validateStoredEvent } from "../../core/events/validate.ts";
import { hydrate } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import { upcast } from "../../core/upcast.ts";
import { Evidence } from "../../referee/evidence.ts";
import type { Verdict } from "../../referee/findings.ts";
import { ALL_GATES_ON } from "../../referee/gates-list.ts";
import { NO_REVIEW, type Review, reviewOf } from "../../referee/review.ts";
import { verdictOf, waivedNow } from "../../referee/verdict.ts";
import { checkImage } from "../../store/integrity/fsck.ts";
import type { UnpackedCommits } from "../../workspace/contract.ts";
import { imageOf, invalid, type ReadBundle } from "./format.ts";
import { type Story, storyOf, type ToldVerdict } from "./story.ts";

/** What a sound bundle shows. */
export interface CheckedBundle {
  readonly story: Story;
  /** The newest verdict; all of them follow from their evidence. */
  readonly verdict: ToldVerdict;
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
  const story = storyOf(eventsOf(bundle));
  const [problem] = story.problems;
  if (problem !== undefined) throw invalid(problem);
  const { config } = story;
  const verdict = story.verdicts.at(-1);
  if (verdict === undefined || config === null) throw invalid("its log has no verdict");
  const commits = await unpack(bundle.pack, verdict.request.base);
  await checkTrees(verdict.body, commits);
  for (const each of story.verdicts) await checkVerdict(story, each, commits);
  return { story, verdict, commits, config };
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

/** The verdict is a fold of what was found, so it can be computed again. Its words may differ, its answers not. */
async function checkVerdict(story: Story, told: ToldVerdict, commits: UnpackedCommits): Promise<void> {
  const { seq, at, body, request } = told;
  const review = await reviewAgain(story, told, commits);
  if (review === undefined) return;
  const evidence = new Evidence(body.number, request.done, () =>
    Promise.reject(invalid("nothing is found here")),
  );
  const again = verdictOf(request, {
    ...{ treeA: body.tree_a, treeB: body.tree_b, findings: findingsOf(told), review },
    ...{ checked: evidence.checked, graded: evidence.graded },
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
  const place = `verdict ${body.number} (event ${seq})`;
  if (wrong !== undefined)
    throw invalid(`${place} does not follow from its evidence: ${wrong.criterion} is ${wrong.status}`);
  if (again.outcome !== body.outcome || again.criteria.length !== body.criteria.length)
    throw invalid(`${place} does not follow from its evidence: it comes to ${again.outcome}`);
}

function findingsOf({ request: { done } }: ToldVerdict) {
  const composed = done.findLast((fact) => fact.type === "referee.composed");
  const ratcheted = done.findLast((fact) => fact.type === "referee.ratcheted");
  return [composed, ratcheted].flatMap((fact) =>
    fact?.type === "referee.composed" || fact?.type === "referee.ratcheted" ? fact.body.findings : [],
  );
}

/** Undefined for an earlier verdict whose commit is not in the bundle: only its evidence is there. */
async function reviewAgain(
  story: Story,
  told: ToldVerdict,
  commits: UnpackedCommits,
): Promise<Review | undefined> {
  const { base, commit } = told.request;
  if (told.body.tree_a === null) return NO_REVIEW;
  try {
    return await reviewOf(findingsOf(told), commits.reader(base), commits.reader(commit), told.request);
  } catch (error) {
    if (told !== story.verdicts.at(-1) && isNightshiftError(error, "E_WORKSPACE_UNKNOWN")) return undefined;
    throw error;
  }
}
