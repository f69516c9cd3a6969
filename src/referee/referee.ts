/** The referee: from a commit to a verdict. Everything it finds is a fact in the log before the verdict says so. */

import type { Criterion, Finding } from "../core/contract/contract.ts";
import { assert, messageOf } from "../core/errors.ts";
import { type EventBody, event } from "../core/events/index.ts";
import { composedWithout, recordWithout, remaining, unheard } from "./ablation.ts";
import { ownChecks } from "./absent.ts";
import { changesBetween } from "./changes.ts";
import type { Composition, RunnerMatch, TreeReader } from "./contract.ts";
import { contrastNewTests } from "./contrast.ts";
import { Evidence } from "./evidence.ts";
import type { Findings, Verdict } from "./findings.ts";
import { type BaseRecord, baseRecords, judgeUnchanged, withoutFiles } from "./gates.ts";
import { ALL_GATES_ON, type Gate } from "./gates-list.ts";
import { checkedFact, judgeApart } from "./hold-apart.ts";
import { judgeRubrics } from "./judging.ts";
import { PARALLEL_MAX } from "./limits.ts";
import type { OnFact, RefereeParts, VerdictRequest } from "./parts.ts";
import { extraOf } from "./preflight.ts";
import { NO_REVIEW, reviewOf } from "./review.ts";
import { faultResult, isFatal, runCheck } from "./run-check.ts";
import { criteriaToCheck, refusalOf, verdictOf, waivedNow } from "./verdict.ts";
import { type CheckWorld, inParallel, openWorld } from "./world.ts";

/**
 * Judges a commit. Facts go to `onFact` as they are found; the caller appends the answer as the receipt.
 * @throws NightshiftError `E_SANDBOX_STALE` for one who has been replaced, `E_CAP_REACHED` when its judge may spend no
 *   more; what the signal aborts with
 */
export async function giveVerdict(
  parts: RefereeParts,
  request: VerdictRequest,
  signal: AbortSignal,
  onFact: OnFact,
): Promise<Verdict> {
  const startedMs = parts.clock.monotonicMs();
  const evidence = new Evidence(request.number, request.done, onFact);
  const hearing = new Hearing(parts, request, evidence, signal);
  const { gatesOff = ALL_GATES_ON } = parts;
  const excused = waivedNow(request, parts.clock.wallMs());
  const waived = new Set([...excused, ...unheard(request.contract, gatesOff)]);
  let problem: string | null = null;
  try {
    await hearing.hold(waived);
  } catch (error) {
    signal.throwIfAborted();
    if (isFatal(error)) throw error;
    problem = messageOf(error);
  }
  return verdictOf(request, {
    ...hearing.found,
    checked: evidence.checked,
    contrasted: evidence.contrasted,
    graded: evidence.graded,
    isIsolated: parts.isIsolated,
    gatesOff,
    waived,
    durationMs: Math.round(parts.clock.monotonicMs() - startedMs),
    problem,
  });
}

type Found = Pick<Findings, "treeA" | "treeB" | "findings" | "review">;

/** One commit before the referee. */
class Hearing {
  found: Found = { treeA: null, treeB: null, findings: [], review: NO_REVIEW };
  readonly #parts: RefereeParts;
  readonly #request: VerdictRequest;
  readonly #evidence: Evidence;
  readonly #signal: AbortSignal;
  readonly #base: TreeReader;
  readonly #records: ReadonlyMap<string, BaseRecord>;
  #baseTree = "";

  constructor(parts: RefereeParts, request: VerdictRequest, evidence: Evidence, signal: AbortSignal) {
    this.#parts = parts;
    this.#request = request;
    this.#evidence = evidence;
    this.#signal = signal;
    this.#base = parts.trees.reader(request.sessionId, request.base, signal);
    this.#records = baseRecords(request.preflight);
  }

  async hold(waived: ReadonlySet<string>): Promise<void> {
    const { contract } = this.#request;
    const criteria = criteriaToCheck(contract, waived);
    const matches = await this.#matches();
    const composition = await this.#compose([...matches.values()]);
    await this.#compare([...matches.values()], composition);
    if (refusalOf(this.found) !== null) return;
    const world = await openWorld(this.#parts, this.#request, composition.baseTree, this.#signal);
    const work = (criterion: Criterion): Promise<void> =>
      this.#check(world, criterion, matches.get(criterion.id) ?? null, composition);
    await inParallel(criteria, PARALLEL_MAX, work);
    const judged = contract.criteria.filter(({ id, rubric }) => rubric.length > 0 && !waived.has(id));
    const changed = await changesBetween(this.#base, this.#candidate());
    await judgeRubrics(
      world,
      { ...this.#request, tree: composition.treeB, changed, review: this.found.review },
      judged,
      this.#evidence,
      this.#signal,
    );
    const tested = { ...this.#request, changed, matches, records: this.#records };
    await contrastNewTests(world, tested, criteria, this.#evidence, this.#signal);
  }

  get #off(): ReadonlySet<Gate> {
    return this.#parts.gatesOff ?? ALL_GATES_ON;
  }

  #candidate(): TreeReader {
    return this.#parts.trees.reader(this.#request.sessionId, this.#request.commit, this.#signal);
  }

  /** Those of all checks, the waived ones too: what they protect stays protected. */
  async #matches(): Promise<ReadonlyMap<string, RunnerMatch>> {
    const matches = new Map<string, RunnerMatch>();
    for (const { id, check } of this.#request.contract.criteria) {
      const match = check === null ? null : await this.#parts.runners.match(check, this.#base);
      if (match !== null) matches.set(id, match);
    }
    return matches;
  }

  async #compose(matches: readonly RunnerMatch[]): Promise<Composition> {
    const { sessionId, number, base, commit, contract, approved } = this.#request;
    const asked = { base, candidate: commit, contract, matches, approved };
    const composed = await this.#parts.trees.compose(sessionId, asked, this.#signal);
    const own = await ownChecks(contract, this.#base, this.#candidate());
    const all = { ...composed, findings: [...composed.findings, ...own] };
    const composition = composedWithout(all, this.#off);
    const { treeA, treeB, findings } = composition;
    this.#baseTree = composition.baseTree;
    const body = {
      verdict: number,
      base,
      candidate: commit,
      tree_a: treeA,
      tree_b: treeB,
      findings: [...findings],
    };
    await this.#addOnce(event("referee.composed", body));
    await this.#find(treeA, treeB, findings);
    return composition;
  }

  async #compare(matches: readonly RunnerMatch[], { treeA, treeB, findings }: Composition): Promise<void> {
    const candidate = this.#candidate();
    const changed = await changesBetween(this.#base, candidate);
    const found = await this.#parts.ratchet(this.#base, candidate, changed, matches);
    const ratcheted = remaining(found, this.#off);
    const body = { verdict: this.#request.number, findings: [...ratcheted] };
    await this.#addOnce(event("referee.ratcheted", body));
    await this.#find(treeA, treeB, [...findings, ...ratcheted]);
  }

  async #find(treeA: string, treeB: string, findings: readonly Finding[]): Promise<void> {
    const review = await reviewOf(findings, this.#base, this.#candidate(), this.#request);
    this.found = { treeA, treeB, findings, review };
  }

  async #addOnce(fact: Parameters<Evidence["has"]>[0]): Promise<void> {
    if (!this.#evidence.has(fact)) await this.#evidence.add(fact);
  }

  /**
   * Pass A, then pass B; equal trees are one. What is not met on the one need not run on the other, unless a person may
   * still say that the protected files had to change.
   */
  async #check(
    world: CheckWorld,
    criterion: Criterion,
    match: RunnerMatch | null,
    { treeA, treeB }: Composition,
  ): Promise<void> {
    const isHeldOut = criterion.check?.held_out !== undefined;
    for (const tree of new Set([treeA, treeB])) {
      const pass = isHeldOut ? "H" : tree === treeA ? "A" : "B";
      const known = this.#evidence.checked.find(
        ({ body }) => body.criterion === criterion.id && body.pass === pass && body.tree === tree,
      );
      const status = known?.body.status ?? (await this.#run(world, criterion, match, pass, tree));
      if (status === "error" || (status === "unmet" && this.found.review.open.length === 0)) return;
    }
  }

  /** How the tests of these files changed is for people to decide, or was decided. */
  #looked(tree: string): ReadonlySet<string> {
    const { treeA, treeB, review } = this.found;
    const isDelivered = tree === treeB && treeA !== treeB;
    return new Set([...review.approved, ...(isDelivered ? review.open.map(({ path }) => path) : [])]);
  }

  async #run(
    world: CheckWorld,
    { id, check }: Criterion,
    match: RunnerMatch | null,
    pass: EventBody<"referee.checked">["pass"],
    tree: string,
  ): Promise<"met" | "unmet" | "error"> {
    const record = this.#records.get(id);
    assert(check !== null && record !== undefined, `the preflight has seen criterion ${id}`);
    const looked = this.#looked(tree);
    const base = recordWithout(withoutFiles(record, looked), this.#off);
    const isHeldOut = check.held_out !== undefined;
    const extra = extraOf(this.#parts, check);
    const known = base.runner === null ? null : match;
    const { services } = this.#request.contract;
    const task = { check, match: known, tree, extra, wallMs: base.wallMs, services };
    const result =
      isHeldOut && extra === null
        ? faultResult(task, "its held-out files are not on this machine", "held_out_missing")
        : await runCheck(world, task, this.#signal);
    const run = {
      ...{ verdict: this.#request.number, criterion: id, check, pass, task, result, base },
      ...{ looked, baseTree: this.#baseTree, reader: this.#base, off: this.#off },
    };
    const apart = await judgeApart(world, run, this.#evidence, this.#signal);
    const judged = tree === this.#baseTree ? judgeUnchanged(apart, base) : apart;
    await this.#evidence.add(checkedFact(run, judged));
    return judged.status;
  }
}
