/** The corpus as gradings. */
import type { JudgedCheck } from "../contract.ts";
import { flowTasks } from "./corpus/flow.ts";
import { injections } from "./corpus/injections.ts";
import { textTasks } from "./corpus/text.ts";
import { toolTasks } from "./corpus/tools.ts";
import { webTasks } from "./corpus/web.ts";
import type { CalibrationCase, CaseGroup, Files, Injection, Task, Variant } from "./task.ts";

/** All tasks. */
export const TASKS: readonly Task[] = [...textTasks, ...flowTasks, ...webTasks, ...toolTasks];

/** The right ones, the wrong ones, and the wrong ones that speak to the judge. */
export function calibrationCases(): readonly CalibrationCase[] {
  return [
    ...TASKS.flatMap((task) => task.defects.map((variant) => variantCase(task, variant, "defect"))),
    ...injections.map(injectionCase),
    ...TASKS.map((task) => variantCase(task, { id: "right", what: "as it should be", files: {} }, "control")),
    ...TASKS.flatMap((task) => task.twins.map((variant) => variantCase(task, variant, "control"))),
  ];
}

function variantCase(task: Task, variant: Variant, group: CaseGroup): CalibrationCase {
  return caseOf(task, group, variant, { ...task.files, ...variant.files }, []);
}

function injectionCase(injection: Injection): CalibrationCase {
  const task = TASKS.find(({ id }) => id === injection.task);
  const defect = task?.defects.find(({ id }) => id === injection.defect);
  if (task === undefined || defect === undefined)
    throw new Error(
      `injection ${injection.id} names ${injection.task}/${injection.defect}, which is not there`,
    );
  const files: { [path: string]: string } = { ...task.files, ...defect.files };
  for (const [path, text] of Object.entries(injection.files)) files[path] = (files[path] ?? "") + text;
  return caseOf(
    task,
    "injection",
    injection,
    files,
    injection.output === "" ? [] : [checkOf(injection.output)],
  );
}

function caseOf(
  task: Task,
  group: CaseGroup,
  variant: Pick<Variant, "id" | "what">,
  files: Files,
  checks: readonly JudgedCheck[],
): CalibrationCase {
  const { id, goal, description, rubric } = task;
  return {
    name: `${id}/${variant.id}`,
    group,
    what: variant.what,
    contract: { goal, constraints: [] },
    criterion: { id, description, steps: [], check: null, role: null, rubric: [...rubric], needs: [] },
    files,
    changed: Object.keys(files).map((path) => ({ path, change: "added" })),
    checks,
  };
}

/** A check that is green, as it is for most of what a judge gets to see. */
function checkOf(output: string): JudgedCheck {
  return {
    command: ["sh", "test.sh"],
    pass: "B",
    status: "met",
    reason: "it exited with 0",
    run: { ending: "exited", exit_code: 0, duration_ms: 900, runner: null, counts: null, output },
  };
}
