/** Rubrics before the judge: after the checks, on the files as delivered, in a sandbox of the judge's own. */
import type { Criterion } from "../core/contract/contract.ts";
import { isNightshiftError, messageOf } from "../core/errors.ts";
import { type EventBody, event } from "../core/events/index.ts";
import type { ChangedFile } from "../workspace/contract.ts";
import type { Evidence } from "./evidence.ts";
import { ATTEMPTS_MAX } from "./limits.ts";
import type { JudgeRequest, JudgeSeam, VerdictRequest } from "./parts.ts";
import type { Review } from "./review.ts";
import { isFatal } from "./run-check.ts";
import { inSandbox } from "./sandboxes.ts";
import { whyUnjudged } from "./unjudged.ts";
import type { CheckWorld } from "./world.ts";

type Graded = Omit<EventBody<"judge.graded">, "verdict">;

/** What is judged. */
export interface JudgedWork extends Pick<VerdictRequest, "number" | "contract" | "declared"> {
  /** As delivered. */
  readonly tree: string;
  readonly changed: readonly ChangedFile[];
  readonly review: Review;
}

/** Grades the criteria that are worth it once the checks have run; without a judge, none of them. */
export async function judgeRubrics(
  world: CheckWorld,
  work: JudgedWork,
  criteria: readonly Criterion[],
  evidence: Evidence,
  signal: AbortSignal,
): Promise<void> {
  const { judge } = world.parts;
  if (judge === null) return;
  for (const criterion of criteria) {
    const { id } = criterion;
    const runs = evidence.checked.map(({ body }) => body);
    const checks = runs.filter((run) => run.criterion === id);
    const isJudged = evidence.graded.some(({ body }) => body.criterion === id);
    if (isJudged || whyUnjudged(criterion, work, runs, work.review) !== null) continue;
    const { contract, changed } = work;
    const { purse } = world.parts;
    const asked = { contract, criterion, changed, checks, purse };
    const graded = await grade(world, work.tree, judge, asked, signal);
    await evidence.add(event("judge.graded", { verdict: work.number, ...graded }));
  }
}

/** Once more when its sandbox was lost; what goes wrong then is a grade of its own. */
async function grade(
  world: CheckWorld,
  tree: string,
  judge: JudgeSeam,
  request: Omit<JudgeRequest, "sandbox">,
  signal: AbortSignal,
): Promise<Graded> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await gradeOnce(world, tree, judge, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isFatal(error)) throw error;
      if (attempt < ATTEMPTS_MAX && isNightshiftError(error)) continue;
      return ungraded(request.criterion, messageOf(error));
    }
  }
}

async function gradeOnce(
  world: CheckWorld,
  tree: string,
  judge: JudgeSeam,
  request: Omit<JudgeRequest, "sandbox">,
  signal: AbortSignal,
): Promise<Graded> {
  const { files, close } = await world.parts.trees.open(world.sessionId, tree, null, signal);
  try {
    const use = (sandbox: JudgeRequest["sandbox"]): Promise<Graded> =>
      judge.grade({ ...request, sandbox }, signal);
    return await inSandbox(world, { files, mounts: [] }, use, signal);
  } finally {
    await close();
  }
}

function ungraded({ id }: Criterion, problem: string): Graded {
  return {
    criterion: id,
    status: "error",
    model: "",
    items: [],
    problem: problem.slice(0, 4000),
    requests: 0,
    cost_micro_usd: 0,
    duration_ms: 0,
  };
}
