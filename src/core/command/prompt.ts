/** What a program is told: a pure function of the contract, the newest verdict and what people have written. */
import { denialLines } from "../attempt/opening.ts";
import { statusOf } from "../attempt/target.ts";
import { commandText } from "../contract/tell.ts";
import type { SessionState } from "../state.ts";
import { DECLARE_PATH } from "./renderings.ts";

/** What is read of log and files for a prompt. */
export interface PromptSources {
  /** `PROMPT.md` of the base commit; null when there is none. */
  readonly promptFile: string | null;
  /** The newest handoff in words; null before the first. */
  readonly handoff: string | null;
  /** What the newest verdict tells; null before the first. */
  readonly verdict: string | null;
  /** May it declare something? Not where the repository has a file of that name. */
  readonly mayDeclare: boolean;
  /** What is wrong with what the last attempt has declared; null for nothing. */
  readonly misdeclared: string | null;
  /** What people have written, the newest last. */
  readonly messages: readonly string[];
}

const DECLARING = [
  `- If a criterion cannot be met (impossible), or not without something that only a person can give (blocked), say so in ${DECLARE_PATH}:`,
  '  [{"criterion": "<id>", "status": "impossible" or "blocked", "reason": "in one or two sentences", "evidence": "what you tried and saw"}]',
  "  A person decides about it; it counts as no failure of yours.",
].join("\n");

/** Of each part, so that none drowns the others. */
const PART_LENGTH_MAX = 16_000;

/** The most important things come first: a prompt that is too long loses its end. */
export function promptText(state: SessionState, sources: PromptSources, at: number): string {
  const { contract, attempts } = state;
  const { promptFile, handoff, verdict, messages, misdeclared } = sources;
  const [first = "", ...later] = messages;
  const goal = contract?.contract.goal ?? "";
  return [
    ...section("What has to be achieved", goal),
    ...(first.trim() === goal.trim() ? [] : section("What you were asked", first)),
    ...criteriaOf(state, at),
    ...rules(contract?.contract.constraints ?? [], sources.mayDeclare),
    ...(misdeclared === null
      ? []
      : section(
          `${DECLARE_PATH} of the last attempt could not be read, so nothing was declared`,
          misdeclared,
        )),
    ...(later.length === 0 ? [] : section("What people have written since", later.join("\n\n"))),
    ...(verdict === null ? [] : section("What the checks said after the last attempt", verdict)),
    ...(handoff === null ? [] : section("What the last attempt has left", handoff)),
    ...(promptFile === null ? [] : section("PROMPT.md", promptFile)),
    `This is attempt ${attempts.open?.number ?? 1}. You have no memory of earlier ones; the files are as they left them.`,
    "",
  ].join("\n");
}

function section(title: string, text: string): string[] {
  const cut = text.length > PART_LENGTH_MAX ? `${text.slice(0, PART_LENGTH_MAX)}\n[…]` : text;
  return cut.trim() === "" ? [] : [`# ${title}`, cut.trim(), ""];
}

function criteriaOf(state: SessionState, at: number): string[] {
  const { contract, attempts } = state;
  if (contract === null) return [];
  const target = attempts.open?.criterion ?? null;
  const lines = contract.contract.criteria.flatMap(({ id, description, steps, check, rubric }) => [
    `- ${id} (${statusOf(state, id, at)})${id === target ? " ← work on this one now" : ""}: ${description}`,
    ...steps.map((step) => `    step: ${step}`),
    ...(check === null ? [] : [`    check: ${commandText(check)}`]),
    ...rubric.map((line) => `    judged: ${line}`),
    ...denialLines(contract.denials.find((each) => each.criterion === id)).map((line) => `    ${line}`),
  ]);
  return ["# Criteria", ...lines, ""];
}

function rules(constraints: readonly string[], mayDeclare: boolean): string[] {
  return [
    "# Rules",
    ...constraints.map((line) => `- ${line}`),
    "- You cannot declare this done. After you have ended, the checks are run on a clean checkout of your files, with tests and configuration as they were at the start.",
    "- Do not change existing tests, their configuration or the checks to make them pass. New tests are welcome.",
    "- prd.json and progress.txt in this folder are copies for you to read; changing them changes nothing.",
    ...(mayDeclare ? [DECLARING] : []),
    "",
  ];
}
