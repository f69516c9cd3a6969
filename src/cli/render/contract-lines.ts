/** A contract as people look at it before they accept it. */
import { checkText } from "../../core/contract/build.ts";
import type { Contract, Criterion } from "../../core/contract/contract.ts";
import { factLines, singleLine, wrap } from "./text.ts";

const INDENT = "   ";

/** Fits into `width` columns. */
export function contractLines(contract: Contract, width: number): string[] {
  const { goal, constraints, criteria, protect, setup } = contract;
  return [
    ...factLines("goal", goal.trim(), width),
    ...constraints.flatMap((text) => factLines("limit", text, width)),
    ...criteria.flatMap((criterion, index) => ["", ...criterionLines(criterion, index + 1, width)]),
    "",
    ...(protect.length > 0 ? factLines("protect", protect.join("  "), width) : []),
    ...(setup.length > 0 ? factLines("set-up", setup.join(" "), width) : []),
  ];
}

function criterionLines(criterion: Criterion, number: number, width: number): string[] {
  const { id, description, check, role, steps, rubric, needs } = criterion;
  const said: readonly (readonly [string, string])[] = [
    ...(check === null ? [] : [["check", singleLine(checkText(check))] as const]),
    ...(check === null || check.folder === "" ? [] : [["in", check.folder] as const]),
    ...(check?.held_out === undefined ? [] : [["held out", `files at ${check.held_out.target}`] as const]),
    ...(role === null ? [] : [["role", role] as const]),
    ...rubric.map((text) => ["judge", text] as const),
    ...steps.map((text) => ["step", text] as const),
    ...(needs.length === 0 ? [] : [["needs", needs.join(", ")] as const]),
  ];
  const inner = width - INDENT.length;
  return [
    ...wrap(`${number}. ${id}`, width),
    ...wrap(description, inner).map((line) => INDENT + line),
    ...said.flatMap(([label, text]) => factLines(label, text, inner).map((line) => INDENT + line)),
  ];
}
