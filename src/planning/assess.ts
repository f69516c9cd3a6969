/** Says whether a contract and a referee are worth their trouble for a task, and whether the task says enough. */
import type { Contract } from "../core/contract/contract.ts";
import { vaguenessOf } from "../core/contract/lint/words.ts";
import { isRefusal } from "../core/contract/lint.ts";
import type { DraftedContract } from "./contract-source.ts";
import type { ProjectFacts } from "./detect/contract.ts";

/** What it comes to. `refused`: such a contract would not be sealed. */
export type Fit = "fits" | "overhead" | "underspecified" | "refused";

/** One thing that speaks for an assessment. */
export interface AssessmentReason {
  readonly says: Fit;
  readonly code: string;
  /** One sentence without a full stop. */
  readonly message: string;
  /** What to do. */
  readonly next: string;
}

/** An assessment, with its reasons. */
export interface Assessment {
  readonly fit: Fit;
  readonly reasons: readonly AssessmentReason[];
}

/** What is assessed. */
export interface AssessedTask {
  readonly prompt: string;
  /** Undefined: nothing was said that could be verified. */
  readonly draft: DraftedContract | undefined;
  readonly facts: ProjectFacts;
}

const QUESTION_START =
  /^(what|why|how|where|which|who|when|explain|describe|summari[sz]e|find out|tell me|review|compare|look (at|into|for|around)|investigate|analy[sz]e|understand)\b/i;
/** "Can you add …?" is no question. */
const POLITE_TASK =
  /^(can|could|would|will|please)\b.*\b(add|build|change|clean|convert|create|delete|drop|extract|fix|handle|implement|improve|make|merge|migrate|move|port|refactor|remove|rename|replace|rewrite|split|support|switch|translate|turn|update|upgrade|write)\b/is;
const TINY =
  /\b(typos?|spelling|rename|bump|comment|whitespace|indent(ation)?|one[- ]line|log message|readme)\b/i;

const TINY_WORDS_MAX = 12;
const SHORT_LENGTH_MAX = 120;
/** So few files are tested in seconds. */
const QUICK_TEST_FILES_MAX = 20;

/** Runs nothing. The prompt and the files of the repository are all it knows. */
export function assessTask(task: AssessedTask): Assessment {
  // Each of these makes the ones behind it idle.
  for (const rule of [refusals, overheads, gaps, quickTask]) {
    const reasons = [...rule(task)];
    const [first] = reasons;
    if (first !== undefined) return { fit: first.says, reasons };
  }
  return { fit: "fits", reasons: [fitting(task.draft)] };
}

function* refusals({ draft }: AssessedTask): Generator<AssessmentReason> {
  for (const complaint of draft?.complaints.filter(isRefusal) ?? []) yield ofComplaint(complaint, "refused");
}

function ofComplaint(
  { criterion, code, message, fix }: DraftedContract["complaints"][number],
  says: Fit,
): AssessmentReason {
  return { says, code, message: criterion === null ? message : `${criterion}: ${message}`, next: fix };
}

function* overheads({ prompt, draft }: AssessedTask): Generator<AssessmentReason> {
  const text = prompt.trim();
  if (text === "" || draft !== undefined) return;
  if (isQuestion(text))
    yield {
      says: "overhead",
      code: "question",
      message: "it asks for an answer, not for a change, so there is nothing to verify",
      next: "Ask any agent, or `nightshift run` without a check.",
    };
  else if (TINY.test(text) && wordsOf(text) <= TINY_WORDS_MAX)
    yield {
      says: "overhead",
      code: "tiny",
      message: "it is a small edit that a glance at the diff verifies",
      next: "Use a plain agent, or `nightshift run` without a check, and look at `nightshift diff`.",
    };
}

/** Every sentence of it asks. */
function isQuestion(text: string): boolean {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).filter((sentence) => sentence.trim() !== "");
  return sentences.every(
    (sentence) => (QUESTION_START.test(sentence) || sentence.endsWith("?")) && !POLITE_TASK.test(sentence),
  );
}

function* gaps({ prompt, draft, facts }: AssessedTask): Generator<AssessmentReason> {
  if (draft === undefined) yield nothingToVerify(facts);
  const vagueness = vaguenessOf(draft?.contract.goal ?? prompt);
  if (vagueness?.isAll === true)
    yield {
      says: "underspecified",
      code: "vague-goal",
      message: `the goal says "${vagueness.word}" and little else, without a measure`,
      next: "Say by what one would see it: a number, an output, a case that has to work.",
    };
  const telling = new Set(["vague", "restates", "goal-unchecked", "same-check"]);
  for (const complaint of draft?.complaints ?? [])
    if (!isRefusal(complaint) && telling.has(complaint.code)) yield ofComplaint(complaint, "underspecified");
}

function nothingToVerify({ tests }: ProjectFacts): AssessmentReason {
  const [test] = tests;
  const found = { says: "underspecified", code: "no-check" } as const;
  if (test === undefined)
    return {
      ...found,
      code: "no-test-command",
      message: "nothing says when it is done, and no test command was found in this repository",
      next: "Write a test that fails until it is done and pass it with --check, or let `nightshift plan` propose criteria for a judge.",
    };
  const command = test.folder === "" ? test.text : `cd ${test.folder} && ${test.text}`;
  return {
    ...found,
    message: `nothing says when it is done; this repository is tested with \`${command}\` (${test.because})`,
    next: `Pass --check "${command}" with a test that fails until it is done, or let \`nightshift plan\` propose criteria.`,
  };
}

/** A person at the keyboard sees the end of it sooner. */
function* quickTask({ draft, facts }: AssessedTask): Generator<AssessmentReason> {
  const contract = draft?.contract;
  if (contract === undefined || contract.criteria.length !== 1) return;
  const [only] = contract.criteria;
  const isShort = contract.goal.length <= SHORT_LENGTH_MAX && !contract.goal.trim().includes("\n");
  const isQuick = facts.testFiles.length > 0 && facts.testFiles.length <= QUICK_TEST_FILES_MAX;
  if (!isShort || !isQuick || only?.check === null || only?.check.held_out !== undefined) return;
  yield {
    says: "overhead",
    code: "quick",
    message: `the goal is one line, and ${facts.testFiles.length} test file${facts.testFiles.length === 1 ? "" : "s"} should run in seconds`,
    next: "A plain agent that you watch is done sooner; a contract pays when you are away, when it takes long, or when nobody reads the diff.",
  };
}

function fitting(draft: DraftedContract | undefined): AssessmentReason {
  const criteria = draft?.contract.criteria ?? [];
  const checked = criteria.filter(({ check }) => check !== null).length;
  const judged = criteria.length - checked;
  const by = [
    ...(checked > 0 ? [`${checked} by running something`] : []),
    ...(judged > 0 ? [`${judged} by a judge alone`] : []),
  ];
  return {
    says: "fits",
    code: "fits",
    message: `${criteria.length === 1 ? "1 criterion is" : `${criteria.length} criteria are`} verified, ${by.join(" and ")}`,
    next: nextOf(draft?.contract, judged),
  };
}

function nextOf(contract: Contract | undefined, judged: number): string {
  if (judged > 0 && judged === contract?.criteria.length)
    return "`nightshift run` with the same flags; a check beside the judge would show more.";
  return "`nightshift run` with the same flags.";
}

function wordsOf(text: string): number {
  return text.split(/\s+/).length;
}
