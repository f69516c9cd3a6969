/** Several judges: every one of them has to find every line met. What one model overlooks another one may see. */
import { assert } from "../core/errors.ts";
import type { Grade, Judge } from "./contract.ts";

/** The most that grade one criterion. */
export const JUDGES_MAX = 5;

/** They are asked one after the other, until one does not find everything met: then the others cannot change it. */
export function createPanel(judges: readonly Judge[]): Judge {
  return {
    async grade(request, signal) {
      const grades: Grade[] = [];
      for (const judge of judges) {
        const grade = await judge.grade(request, signal);
        grades.push(grade);
        if (grade.status !== "met") break;
      }
      return together(grades);
    },
  };
}

/** The last one's answer, and what all of them took. */
function together(grades: readonly Grade[]): Grade {
  const last = grades.at(-1);
  assert(last !== undefined, "a panel has a judge");
  const sum = (of: (grade: Grade) => number): number => grades.reduce((total, grade) => total + of(grade), 0);
  return {
    ...last,
    model: grades.map(({ model }) => model).join(", "),
    requests: sum(({ requests }) => requests),
    cost_micro_usd: sum(({ cost_micro_usd }) => cost_micro_usd),
    duration_ms: sum(({ duration_ms }) => duration_ms),
    ...(last.problem !== undefined && { problem: `${last.model}: ${last.problem}` }),
  };
}
