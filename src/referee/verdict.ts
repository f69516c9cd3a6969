/** The verdict as a fold of what was found. Pure: no sentence of anybody counts, only facts about one commit. */
import type { Contract, Criterion, CriterionStatus, Strength } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Logged } from "./evidence.ts";
import type { CriterionVerdict, Findings, Verdict } from "./findings.ts";
import { gapsOf } from "./gaps.ts";
import type { Gate } from "./gates-list.ts";
import { REASON_LENGTH_MAX } from "./limits.ts";
import type { VerdictRequest } from "./parts.ts";
import type { Review } from "./review.ts";
import { verdictText } from "./tell.ts";
import { isUndecided, whyUnjudged } from "./unjudged.ts";

/** Finished means: every criterion is met, or validly waived, on one commit in one run. */
export function verdictOf(request: VerdictRequest, findings: Findings): Verdict {
  const { number, commit, contract, contractHash } = request;
  const refusal = refusalOf(findings);
  const criteria = contract.criteria.map((criterion) => ofCriterion(criterion, request, findings, refusal));
  const outcome = outcomeOf(criteria, findings, refusal);
  const gaps = gapsOf(request, findings);
  const told = { number, outcome, criteria, review: findings.review.open, gaps, refusal };
  return {
    number,
    commit,
    tree_a: findings.treeA,
    tree_b: findings.treeB,
    contract_hash: contractHash,
    outcome,
    criteria,
    review: [...findings.review.open],
    gaps: [...gaps],
    content: [{ type: "text", text: verdictText(told, findings) }],
    duration_ms: findings.durationMs,
    ...(findings.problem !== null && { problem: findings.problem }),
  };
}

/** Is the verdict about something else than these files under this contract? */
export function isStale(
  verdict: Pick<Verdict, "tree_b" | "contract_hash">,
  tree: string,
  contractHash: string,
): boolean {
  return verdict.tree_b !== tree || verdict.contract_hash !== contractHash;
}

/** Why the candidate is not looked at any further; null when nothing speaks against it. */
export function refusalOf({ findings, review }: Pick<Findings, "findings" | "review">): string | null {
  const refused = findings.filter(({ effect }) => effect === "refuse");
  const lines = [
    ...refused.map(({ gate, path, detail }) => `${path} (${gate}): ${detail}`),
    ...review.denied.map(({ path }) => `${path}: a person has denied this change`),
  ];
  return lines.length === 0 ? null : `refused: ${lines.join("; ")}`.slice(0, REASON_LENGTH_MAX);
}

function ofCriterion(
  criterion: Criterion,
  request: VerdictRequest,
  findings: Findings,
  refusal: string | null,
): CriterionVerdict {
  const { id } = criterion;
  const checked = findings.checked.filter(({ body }) => body.criterion === id);
  const graded = findings.graded.filter(({ body }) => body.criterion === id);
  const evidence = [...checked, ...graded].map(({ seq }) => seq);
  const common = { criterion: id, evidence };
  if (findings.waived.has(id)) {
    const owner = request.waivers.find((waiver) => waiver.criterion === id)?.owner ?? "";
    return { ...common, status: "waived", strength: null, reason: `waived by ${owner}` };
  }
  if (findings.problem !== null)
    return { ...common, status: "error", strength: null, reason: clipped(findings.problem) };
  if (refusal !== null) return { ...common, status: "unmet", strength: null, reason: refusal };
  const shown = shownOf(criterion, request, findings, checked, graded);
  const said = request.declared.find((declared) => declared.criterion === id);
  if (shown.status !== "unmet" || said === undefined) return { ...common, ...shown };
  const reason = clipped(`the agent says that it is ${said.status}: ${said.reason}`);
  return { ...common, status: said.status, strength: shown.strength, reason };
}

type Run = EventBody<"referee.checked">;

interface Shown {
  readonly status: CriterionStatus;
  readonly strength: Strength | null;
  readonly reason: string;
}

/** Every check that this criterion needs, and then every line of its rubric. What is missing is not met. */
function shownOf(
  criterion: Criterion,
  request: VerdictRequest,
  { treeA, treeB, review, gatesOff, checked: all }: Findings,
  checked: readonly Logged<"referee.checked">[],
  graded: readonly Logged<"judge.graded">[],
): Shown {
  const { check, rubric } = criterion;
  const runs = checked.map(({ body }) => body);
  const strength = weakest(runs.map((run) => run.strength));
  const bad = runs.find(({ status }) => status === "error") ?? runs.find(({ status }) => status === "unmet");
  if (bad?.status === "unmet" && isUndecided(bad, runs, review))
    return { status: "blocked", strength, reason: clipped(undecidedReason(bad, review)) };
  if (bad !== undefined) return { status: bad.status, strength, reason: clipped(badReason(bad, rubric)) };
  const isCovered = [treeA, treeB].every((tree) => runs.some((run) => run.tree === tree));
  if (check !== null && !isCovered)
    return { status: "unmet", strength, reason: "its check has not run on both trees" };
  const reason = runs.at(-1)?.reason ?? "";
  if (rubric.length === 0) return { status: "met", strength, reason };
  const [grade] = graded.map(({ body }) => body);
  if (grade === undefined) {
    const facts = all.map(({ body }) => body);
    const reason = "it has a rubric, and nobody judged it";
    return whyUnjudged(criterion, request, facts, review) ?? { status: "error", strength, reason };
  }
  const judged = { strength: strength ?? ("judged" as const), reason: gradeReason(grade) };
  return { ...judged, status: gradedStatus(grade, rubric, gatesOff) };
}

function gradedStatus(
  { status, items }: EventBody<"judge.graded">,
  rubric: readonly string[],
  off: ReadonlySet<Gate>,
): CriterionStatus {
  if (status === "error") return off.has("judge-failure") ? "met" : "error";
  if (off.has("rubric-lines")) return "met";
  const isWhole = rubric.every((line) => items.some((item) => item.rubric === line && item.status === "met"));
  return status === "met" && !isWhole ? "unmet" : status;
}

function undecidedReason({ reason }: Run, { open }: Review): string {
  const paths = open.map(({ path }) => path).join(", ");
  return `met as delivered, but not with the protected files as they were: ${reason}. A person has to look at ${paths}`;
}

function badReason({ pass, reason, status }: Run, rubric: readonly string[]): string {
  const where = pass === "B" ? "on the files exactly as delivered: " : "";
  const unjudged = rubric.length > 0 && status === "unmet" ? "; not judged: its check is unmet" : "";
  return where + reason + unjudged;
}

function gradeReason({ status, items, problem }: EventBody<"judge.graded">): string {
  if (status === "error") return clipped(`the judge gave no grade: ${problem ?? "no reason given"}`);
  const open = items.filter((item) => item.status === "unmet");
  if (open.length === 0)
    return status === "met" ? `a judge found ${allLines(items.length)} met` : "a line is missing";
  return clipped(open.map(({ rubric, reason }) => `"${rubric}": ${reason}`).join("; "));
}

function allLines(count: number): string {
  return count === 1 ? "its line" : `all ${count} lines`;
}

const STRENGTHS: readonly Strength[] = ["exit-status", "printed", "in-process", "black-box", "held-out"];

function weakest(strengths: readonly Strength[]): Strength | null {
  return STRENGTHS.find((strength) => strengths.includes(strength)) ?? null;
}

/** What is shown to be wrong comes before what we could not find out, and that before what waits for a person. */
function outcomeOf(
  criteria: readonly CriterionVerdict[],
  { review }: Findings,
  refusal: string | null,
): Verdict["outcome"] {
  const statuses = new Set(criteria.map(({ status }) => status));
  if (refusal !== null || statuses.has("unmet")) return "unmet";
  if (statuses.has("error")) return "error";
  if (review.open.length > 0 || statuses.has("impossible") || statuses.has("blocked")) return "review";
  return "met";
}

function clipped(text: string): string {
  return text.slice(0, REASON_LENGTH_MAX);
}

/** Those whose time is not over. */
export function waivedNow({ waivers }: VerdictRequest, nowMs: number): ReadonlySet<string> {
  return new Set(waivers.filter(({ expiresAt }) => expiresAt > nowMs).map(({ criterion }) => criterion));
}

/** The criteria that commands are run for. */
export function criteriaToCheck({ criteria }: Contract, waived: ReadonlySet<string>): readonly Criterion[] {
  return criteria.filter(({ id, check }) => check !== null && !waived.has(id));
}
