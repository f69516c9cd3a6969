/** The contract in words for the model. Goal and constraints are given as they are, never summarised. */
import type { EventBody } from "../events/index.ts";
import type { Contract, Criterion, Service } from "./contract.ts";
import { declaredCriterion } from "./declaration.ts";

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
    ...serviceLines(contract),
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

/** Nothing about them where there are none: the text is in every context of the session. */
function serviceLines({ services }: Contract): string[] {
  if (services.length === 0) return [];
  return [
    "",
    "Services, which run beside the checks and, in your sandbox, beside your commands:",
    ...services.map(
      ({ argv, ready }) => `- ${commandText({ argv, folder: "" })} (ready: ${readyText(ready)})`,
    ),
    "Yours were started from the files as they were when your sandbox began: after a change to what one runs, end it and start it anew in the background.",
  ];
}

function readyText(ready: Service["ready"]): string {
  if ("port" in ready) return `port ${ready.port}`;
  return "url" in ready ? ready.url : commandText({ argv: ready.argv, folder: "" });
}

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
export function commandText({
  argv,
  folder,
}: Pick<NonNullable<Criterion["check"]>, "argv" | "folder">): string {
  const words = argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
  );
  return folder === "" ? words.join(" ") : `(in ${folder}) ${words.join(" ")}`;
}

/** Tells a running agent of a new contract. */
export function amendmentText(contract: Contract, reason: string): string {
  return `[harness] A person has changed the contract: ${reason}\nFrom now on this holds:\n\n${contractText(contract)}`;
}

/** Tells a running agent that something of its work, or of what it has declared, was not approved. */
export function denialText({ item, path, reason }: EventBody<"approval.decided">): string {
  const why = reason === undefined ? "." : `: ${reason}`;
  const criterion = declaredCriterion(item);
  if (criterion === null)
    return `[harness] A person did not approve ${path === undefined ? item : `the change of ${path}`}${why}`;
  return `[harness] A person does not accept that ${criterion} cannot be met${why}\nIt is asked for again. Go on with it; if it still cannot be met, declare it again with new evidence.`;
}
