/** The last words of a thread's first message: which attempt this is, and what it is about. */
import type { DeniedDeclaration } from "../contract/state.ts";
import type { SessionState } from "../state.ts";
import { statusOf } from "./target.ts";

/** @returns null when the thread's system prompt says it all */
export function openingText(state: SessionState, at: number): string | null {
  const { contract, attempts } = state;
  const { open, change } = attempts;
  if (change?.choice === "compact")
    return "[harness] Your context was shortened: of what came before the following turns, only this note is left. Go on where you are.";
  if (open === null) return null;
  const { criteria } = contract?.contract ?? { criteria: [] };
  const isFirst = open.reason === "first";
  if (isFirst && criteria.length === 1) return null;
  const lines = [
    ...(isFirst ? [] : [`[harness] You begin attempt ${open.number}. ${filesText(open.reason)}`]),
    ...(criteria.length === 0 ? [] : ["How the criteria stand:"]),
    ...criteria.map(({ id }) => `- ${id}: ${statusOf(state, id, at)}`),
    ...targetLines(state),
  ];
  return lines.join("\n");
}

function filesText(reason: NonNullable<SessionState["attempts"]["open"]>["reason"]): string {
  switch (reason) {
    case "rewind":
      return "The files were taken back to the checkpoint by which most was met; what came after it is gone.";
    case "restart":
      return "The files were taken back to the base: nothing of the earlier attempts is left but what is said here.";
    default:
      return "The files are as the earlier ones have left them.";
  }
}

function targetLines({ attempts, contract }: SessionState): string[] {
  if (contract === null) return ["Begin with the exact next step."];
  const criterion = contract.contract.criteria.find(({ id }) => id === attempts.open?.criterion);
  if (criterion === undefined)
    return ["No criterion is left to work on. Answer what people ask, or end your turn."];
  const others = contract.contract.criteria.length > 1;
  return [
    `Work on \`${criterion.id}\` now: ${criterion.description}`,
    ...denialLines(contract.denials.find((each) => each.criterion === criterion.id)),
    ...(others ? ["Leave the others for later attempts, and keep what is met as it is."] : []),
  ];
}

/** Who begins afresh has not heard it. */
export function denialLines(denial: DeniedDeclaration | undefined): string[] {
  if (denial === undefined) return [];
  const why = denial.reason === "" ? "." : `: ${denial.reason}`;
  return [`You have declared it ${denial.status}; a person does not accept that${why}`];
}
