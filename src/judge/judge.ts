/** One grading from its first request to the grade: time, budget and failures. The talk itself is in `grading.ts`. */
import type { Clock } from "../core/clock.ts";
import { assert, type ErrorCode, isNightshiftError, messageOf } from "../core/errors.ts";
import { type Grade, type GradeRequest, type Judge, type JudgeParts, NoGrade } from "./contract.ts";
import { Grading } from "./grading.ts";
import { Meter } from "./meter.ts";

const PROBLEM_CHARACTERS_MAX = 2000;

/** What somebody else has to deal with: another sandbox, another driver, a person, a bug of ours. */
const NOT_OURS: readonly ErrorCode[] = [
  ...(["E_SANDBOX_LOST", "E_SANDBOX_STALE", "E_INTERNAL", "E_CAP_REACHED"] as const),
];

/** A judge on one model. */
export function createJudge(parts: JudgeParts): Judge {
  return { grade: (request, signal) => gradeCriterion(parts, request, signal) };
}

/** See {@link Judge.grade}. */
export async function gradeCriterion(
  parts: JudgeParts,
  request: GradeRequest,
  signal: AbortSignal,
): Promise<Grade> {
  const { clock, model, limits } = parts;
  const { id, rubric } = request.criterion;
  // Every line of no lines would be met.
  assert(rubric.length > 0, `criterion ${id} has a rubric`);
  const startedMs = clock.monotonicMs();
  const meter = new Meter(model, limits);
  const outcome = await outcomeOf(parts, request, meter, signal);
  return {
    criterion: id,
    ...outcome,
    model: `${model.provider}:${model.id}`,
    requests: meter.requests,
    cost_micro_usd: meter.costMicroUsd,
    duration_ms: Math.max(0, Math.round(clock.monotonicMs() - startedMs)),
  };
}

async function outcomeOf(
  parts: JudgeParts,
  request: GradeRequest,
  meter: Meter,
  signal: AbortSignal,
): Promise<Pick<Grade, "status" | "items" | "problem">> {
  try {
    const items = await within(parts.clock, parts.limits.wallMs, signal, (limited) =>
      new Grading(parts, request, meter).run(limited),
    );
    return { status: items.every(({ status }) => status === "met") ? "met" : "unmet", items };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (NOT_OURS.some((code) => isNightshiftError(error, code))) throw error;
    const problem = messageOf(error).slice(0, PROBLEM_CHARACTERS_MAX) || "the judge failed without a reason";
    return { status: "error", items: [], problem };
  }
}

/** Not every adapter hears its signal, and one that hangs must not hold the verdict for ever. */
async function within<T>(
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
  effect: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const expired = new AbortController();
  const settled = new AbortController();
  const limited = AbortSignal.any([signal, expired.signal]);
  const aborted = Promise.withResolvers<never>();
  const giveUp = (): void => aborted.reject(limited.reason);
  limited.addEventListener("abort", giveUp, { once: true });
  clock.sleep(limitMs, settled.signal).then(
    () => expired.abort(new NoGrade(`no grade came within ${Math.round(limitMs / 1000)} s`)),
    () => undefined,
  );
  try {
    return await Promise.race([effect(limited), aborted.promise]);
  } finally {
    settled.abort();
    limited.removeEventListener("abort", giveUp);
  }
}
