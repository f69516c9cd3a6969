/** The contract in words for the model. Goal and constraints are given as they are, never summarised. */
import type { EventBody } from "../events/index.ts";
import type { Contract, Criterion } from "./contract.ts";

/** For the system prompt, so that it is there in every context of the session. */
export function contractText(contract: Contract): string {
  return [
    "# What has to be achieved",
    contract.goal,
    ...(contract.constraints.length > 0
      ? ["", "Constraints, all of them binding:", ...contract.constraints.map((line) => `- ${line}`)]
      : []),
    "",
    "Criteria:",
    ...contract.criteria.flatMap(criterionLines),
    "",
    ...RULES,
  ].join("\n");
}

const RULES: readonly string[] = [
  "# How it is decided",
  "You cannot declare this done. The harness runs the checks itself, on a clean checkout of your files, with tests and configuration as they were at the start; then it tells you the verdict. Ask for one with request_verdict when you think that the criteria are met; ending your turn asks for one, too.",
  "Do not change existing tests, their configuration or the checks to make them pass: such changes are put back before the checks run, or wait for a person. New tests are welcome.",
  "If a criterion cannot be met, or not without a person, say so with declare, and give the evidence. That is a good answer; pretending is not.",
];

function criterionLines(criterion: Criterion): string[] {
  const { id, description, steps, check, rubric, needs } = criterion;
  return [
    `- ${id}: ${description}`,
    ...steps.map((step) => `    step: ${step}`),
    ...(check === null ? [] : [`    check: ${commandText(check)}`]),
    ...(check?.held_out === undefined ? [] : ["    (also checked with files that you do not see)"]),
    ...rubric.map((line) => `    judged: ${line}`),
    ...(needs.length > 0 ? [`    after: ${needs.join(", ")}`] : []),
  ];
}

/** A check as a person would type it. */
export function commandText({ argv, folder }: NonNullable<Criterion["check"]>): string {
  const words = argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
  );
  return folder === "" ? words.join(" ") : `(in ${folder}) ${words.join(" ")}`;
}

/** Tells a running agent of a new contract. */
export function amendmentText(contract: Contract, reason: string): string {
  return `[harness] A person has changed the contract: ${reason}\nFrom now on this holds:\n\n${contractText(contract)}`;
}

/** Tells a running agent that something of its work was not approved. */
export function denialText({ item, reason }: EventBody<"approval.decided">): string {
  return `[harness] A person did not approve ${item}${reason === undefined ? "." : `: ${reason}`}`;
}
