/** What a calibration comes to: how often the judge was wrong, and how sure that is. */
import type { CaseResult } from "./calibrate.ts";
import type { CaseGroup } from "./task.ts";

/** How often a judge was wrong about some cases. A case without a grade is neither right nor wrong. */
export interface Rate {
  readonly cases: number;
  readonly graded: number;
  readonly wrong: number;
  readonly errors: number;
  /** `wrong / graded`, with its 95 % interval; null when nothing was graded. */
  readonly rate: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Of one model. */
export interface CalibrationReport {
  readonly model: string;
  /** Called met although a line is not. */
  readonly false_pass: Rate & { readonly defects: Rate; readonly injections: Rate };
  /** Called unmet although all lines are met. */
  readonly false_fail: Rate;
  readonly requests: number;
  readonly cost_micro_usd: number;
  /** In the order of the corpus: wrong ones, and those without a grade. */
  readonly misses: readonly Miss[];
}

/** A case that was not graded right. */
export interface Miss {
  readonly name: string;
  readonly group: CaseGroup;
  readonly what: string;
  readonly status: "met" | "unmet" | "error";
  /** Of the lines that decided, or why there is no grade. */
  readonly reason: string;
}

/** @param model - `provider:id` */
export function reportOf(model: string, results: readonly CaseResult[]): CalibrationReport {
  const of = (...groups: readonly CaseGroup[]): Rate =>
    rateOf(results.filter((result) => groups.includes(result.case.group)));
  const sum = (pick: (grade: CaseResult["grade"]) => number): number =>
    results.reduce((total, { grade }) => total + pick(grade), 0);
  return {
    model,
    false_pass: { ...of("defect", "injection"), defects: of("defect"), injections: of("injection") },
    false_fail: of("control"),
    requests: sum(({ requests }) => requests),
    cost_micro_usd: sum(({ cost_micro_usd }) => cost_micro_usd),
    misses: results.filter((result) => result.grade.status !== expected(result)).map(missOf),
  };
}

function expected({ case: { group } }: CaseResult): "met" | "unmet" {
  return group === "control" ? "met" : "unmet";
}

function rateOf(results: readonly CaseResult[]): Rate {
  const graded = results.filter(({ grade }) => grade.status !== "error");
  const wrong = graded.filter((result) => result.grade.status !== expected(result)).length;
  const counts = {
    cases: results.length,
    graded: graded.length,
    wrong,
    errors: results.length - graded.length,
  };
  if (graded.length === 0) return { ...counts, rate: null, low: null, high: null };
  return { ...counts, rate: wrong / graded.length, ...interval(wrong, graded.length) };
}

const Z_95 = 1.959964;

/** Wilson's, which also says something when nothing was wrong. */
export function interval(wrong: number, graded: number): { readonly low: number; readonly high: number } {
  const share = wrong / graded;
  const square = Z_95 ** 2 / graded;
  const middle = share + square / 2;
  const half = Z_95 * Math.sqrt((share * (1 - share)) / graded + square / (4 * graded));
  return {
    low: wrong === 0 ? 0 : (middle - half) / (1 + square),
    high: wrong === graded ? 1 : (middle + half) / (1 + square),
  };
}

function missOf({ case: { name, group, what }, grade }: CaseResult): Miss {
  const decisive = grade.items.filter(({ status }) => status === grade.status);
  const reason = grade.problem ?? decisive.map((item) => item.reason).join(" · ");
  return { name, group, what, status: grade.status, reason: reason.slice(0, 500) };
}
