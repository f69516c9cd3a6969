/** What the model is told: how it stands, why, and nothing of what is held out. */
import type { Contract } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Logged } from "./evidence.ts";
import type { CriterionVerdict, Verdict } from "./findings.ts";
import { TOLD_LENGTH, TOLD_OUTPUT_LENGTH } from "./limits.ts";
import type { ReviewItem } from "./review.ts";
import { readIds } from "./test-ids.ts";

/** The parts of a verdict that are told. */
export interface ToldVerdict {
  readonly number: number;
  readonly outcome: Verdict["outcome"];
  readonly criteria: readonly CriterionVerdict[];
  readonly review: readonly ReviewItem[];
  readonly gaps: readonly string[];
  /** Why the candidate was not looked at any further; null when it was. */
  readonly refusal: string | null;
}

const OUTCOMES: Readonly<Record<Verdict["outcome"], string>> = {
  met: "every criterion is met",
  unmet: "not met yet",
  review: "a person has to look at it",
  error: "the checks could not be run; that is no fault of yours, and nothing is decided",
};

/** At most {@link TOLD_LENGTH} characters. */
export function verdictText(
  { number, outcome, criteria, review, refusal }: ToldVerdict,
  { checked }: { readonly checked: readonly Logged<"referee.checked">[] },
): string {
  const isWaived = outcome === "met" && criteria.some(({ status }) => status === "waived");
  const isUntold = refusal !== null && criteria.every(({ status }) => status !== "unmet");
  const lines = [
    `[harness] Verdict ${number}: ${OUTCOMES[outcome]}${isWaived ? " that is not waived" : ""}.`,
    ...(isUntold ? [`- ${refusal}`] : []),
    ...criteria.map(
      ({ criterion, status, reason }) => `- ${criterion}: ${status}${reason && ` (${reason})`}`,
    ),
    ...review.map(({ path, detail }) => `- waits for a person: ${path}: ${detail}`),
  ];
  const outputs = criteria
    .filter(({ status }) => status === "unmet")
    .flatMap(({ criterion }) => outputOf(criterion, checked));
  return bounded([...lines, ...outputs]);
}

function outputOf(criterion: string, checked: readonly Logged<"referee.checked">[]): readonly string[] {
  const run = checked.find(({ body }) => body.criterion === criterion && body.status === "unmet")?.body;
  if (run === undefined || run.pass === "H" || typeof run.run.output !== "string") return [];
  const output = run.run.output.trim();
  if (output === "") return [];
  const command = run.command.join(" ").slice(0, 200);
  return ["", `The end of what \`${command}\` printed (${criterion}):`, output.slice(-TOLD_OUTPUT_LENGTH)];
}

/** How the checks stand on the base, for the first turn. */
export function preflightText(
  { criteria }: Contract,
  found: readonly Pick<
    EventBody<"preflight.finished">["criteria"][number],
    "criterion" | "role" | "exempt"
  >[],
): string {
  const lines = criteria.map(({ id }) => {
    const base = found.find(({ criterion }) => criterion === id);
    if (base === undefined) return `- ${id}: has no command; it is judged by its rubric`;
    const left = readIds(base.exempt).length;
    const rest = left === 0 ? "" : `, but for ${left} tests that nobody asks for`;
    return base.role === "earn"
      ? `- ${id}: red now; it has to become green${rest}`
      : `- ${id}: green now; it has to stay so${rest}`;
  });
  return bounded(["[harness] The checks ran on the files as they are at the start:", ...lines]);
}

function bounded(lines: readonly string[]): string {
  const text = lines.join("\n");
  return text.length > TOLD_LENGTH ? `${text.slice(0, TOLD_LENGTH)}\n[cut]` : text;
}
