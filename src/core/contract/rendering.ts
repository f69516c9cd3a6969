/** The contract as a file in the workspace, for the agent and whatever it starts to read. It decides nothing. */

import type { Contract } from "./contract.ts";
import { commandText } from "./tell.ts";

/** Where it is, relative to the workspace. */
export const RENDERING_PATH = ".nightshift/contract.json";

/** Held-out files are not named: only that there are some. */
export function contractRendering({ goal, constraints, criteria, protect, limits }: Contract): string {
  const shown = {
    note: "A copy. What counts is sealed outside of this workspace; changing this file changes nothing and is noted.",
    goal,
    constraints,
    criteria: criteria.map(({ id, description, steps, check, rubric, needs }) => ({
      id,
      description,
      steps,
      check: check === null ? null : commandText(check),
      ...(check?.held_out !== undefined && { held_out: true }),
      ...(check?.exempt !== undefined && { exempt: check.exempt }),
      rubric,
      needs,
    })),
    protect,
    verdicts_max: limits.verdicts,
    ...(limits.files !== undefined && { files_max: limits.files }),
    ...(limits.lines !== undefined && { lines_max: limits.lines }),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}
