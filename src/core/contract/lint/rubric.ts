/** Criteria that only a judge could grade: does the rubric tell it what to look for? */
import type { Criterion } from "../contract.ts";
import { type LintComplaint, refusal, shown, warning } from "./complaint.ts";
import { isThin, restates, vaguenessOf } from "./words.ts";

const FIX_VAGUE = "Say by what one would see it: a number, an output, a case that has to work.";

/** @param isChecked - it has a check that can fail, so words need not carry it alone */
export function rubricComplaints(criterion: Criterion, isChecked: boolean): LintComplaint[] {
  const { id, check, description, rubric } = criterion;
  const lines = rubric.filter((line) => line.trim() !== "");
  const found: LintComplaint[] = [];
  if (lines.length < rubric.length)
    found.push(
      refusal(
        id,
        "empty-rubric-line",
        "a line of its rubric is empty",
        "Remove the line, or say what a judge has to find.",
      ),
    );
  if (lines.length === 0) return check === null ? [...found, nothingToVerify(id, description)] : found;
  const telling = lines.filter((line) => vaguenessOf(line)?.isAll !== true);
  const complain = !isChecked && telling.length === 0 ? refusal : warning;
  for (const line of lines) {
    const vagueness = vaguenessOf(line);
    if (vagueness === undefined) continue;
    const rest = vagueness.isAll ? " and little else" : "";
    found.push(
      complain(id, "vague", `"${shown(line)}" says "${vagueness.word}"${rest}, without a measure`, FIX_VAGUE),
    );
  }
  if (isChecked || telling.length === 0 || !telling.every((line) => restates(line, description)))
    return found;
  // A description that says what one would see is a rubric of its own.
  const restate = telling.every(isThin) ? refusal : warning;
  const message = "its rubric says no more than its description";
  return [
    ...found,
    restate(
      id,
      "restates",
      message,
      "Say what one would see when it is met: a case and its outcome; better, add a check.",
    ),
  ];
}

function nothingToVerify(id: string, description: string): LintComplaint {
  const vagueness = vaguenessOf(description);
  if (vagueness === undefined)
    return refusal(
      id,
      "nothing-to-verify",
      `"${shown(description)}" has no check and no rubric`,
      "Give it a command that fails until it is met, or rubric lines that a judge can find true or false.",
    );
  return refusal(
    id,
    "vague",
    `"${shown(description)}" says "${vagueness.word}" without a measure, and has no check and no rubric`,
    FIX_VAGUE,
  );
}
