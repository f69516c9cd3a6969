/** The first message of a thread: what an agent has to know that begins without a memory. */
import { contractText } from "../contract/tell.ts";
import type { SessionState } from "../state.ts";
import { statusOf } from "./target.ts";

/**
 * Goal and constraints are given as they are in the contract, never summarised.
 * @returns null when the thread's system prompt says it all
 */
export function openingText(state: SessionState, at: number): string | null {
  const { contract, attempts } = state;
  const { open } = attempts;
  if (contract === null || open === null) return null;
  const { criteria } = contract.contract;
  const isFirst = open.reason === "first";
  if (isFirst && criteria.length === 1) return null;
  const lines = [
    ...(isFirst
      ? []
      : [
          `[harness] You begin attempt ${open.number} without a memory of the earlier ones. The files are as they left them.`,
          "",
          contractText(contract.contract),
          "",
        ]),
    "How the criteria stand:",
    ...criteria.map(({ id }) => `- ${id}: ${statusOf(state, id, at)}`),
    "",
    ...targetLines(state),
  ];
  return lines.join("\n");
}

function targetLines({ attempts, contract }: SessionState): string[] {
  const criterion = contract?.contract.criteria.find(({ id }) => id === attempts.open?.criterion);
  if (criterion === undefined)
    return ["No criterion is left to work on. Answer what people ask, or end your turn."];
  return [
    `Work on \`${criterion.id}\` now: ${criterion.description}`,
    "Leave the others for later attempts, and keep what is met as it is.",
  ];
}
