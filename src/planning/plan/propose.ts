/** Asks a model for a plan, checks what it hands in, and lets it correct that. */
import { isRefusal } from "../../core/contract/lint.ts";
import { NightshiftError } from "../../core/errors.ts";
import { type Answer, collectAnswer } from "../../model/answer.ts";
import type {
  AnswerBlock,
  Message,
  ModelFailure,
  ModelRequest,
  ModelStopReason,
  ModelUsage,
} from "../../model/contract.ts";
import { NO_USAGE } from "../../model/failure.ts";
import { complaintText } from "../contract-source.ts";
import { detectProject } from "../detect/detect.ts";
import { openFolder } from "../detect/folder.ts";
import type { PlanParts, PlanRequest, ProposedPlan } from "./contract.ts";
import { PLANNER_SYSTEM, plannerMessage } from "./prompt.ts";
import { readSubmission, SUBMIT_PLAN } from "./submission.ts";

const CORRECTIONS_MAX = 2;
const TRIES_MAX = 4;
const WAIT_FIRST_MS = 1000;
const WAIT_MAX_MS = 60_000;
const TOLD_MAX = 20;
const BLOCKS_MAX = 100;

/** Failures that a later try may mend. */
const PASSING: ReadonlySet<ModelFailure["class"]> = new Set([
  "rate_limit",
  "overloaded",
  "network",
  "timeout",
  "stalled",
  "garbage",
  "unknown",
]);

type ToolCall = Extract<AnswerBlock, { type: "tool_call" }>;

/**
 * The contract that a model proposes for a goal. The goal itself stays as it is.
 * @throws NightshiftError `E_PLAN_UNUSABLE`; `E_MODEL_AUTH`, `E_MODEL_REFUSED`, `E_MODEL_UNAVAILABLE`; the signal's reason
 */
export async function proposePlan(
  parts: PlanParts,
  request: PlanRequest,
  signal: AbortSignal,
): Promise<ProposedPlan> {
  const tree = openFolder(request.folder);
  const facts = await detectProject(tree);
  const talk = new Talk(parts, await plannerMessage(request.goal, tree, facts, parts.nonce));
  let problems: readonly string[] = [];
  for (let correction = 0; correction <= CORRECTIONS_MAX; correction++) {
    const { calls, problem } = await talk.answer(signal);
    const [call] = calls;
    if (call === undefined || problem !== undefined) problems = [problem ?? ""];
    else {
      const read = readSubmission(call.input, request.goal, facts.paths);
      if (read.ok && !read.draft.complaints.some(isRefusal)) return { draft: read.draft, ...talk.spent };
      problems = read.ok ? read.draft.complaints.filter(isRefusal).map(complaintText) : read.problems;
    }
    parts.onTrouble(problems[0] ?? "");
    talk.correct(calls, problems);
  }
  throw new NightshiftError(
    "E_PLAN_UNUSABLE",
    `the model's plan cannot be used, also not after ${CORRECTIONS_MAX} corrections: ${problems.slice(0, 3).join("; ")}`,
  );
}

/** One conversation. */
class Talk {
  readonly #parts: PlanParts;
  readonly #messages: Message[];
  #requests = 0;
  #usage: ModelUsage = NO_USAGE;

  constructor(parts: PlanParts, first: string) {
    this.#parts = parts;
    this.#messages = [{ role: "user", text: parts.redact(first) }];
  }

  get spent(): Pick<ProposedPlan, "requests" | "usage"> {
    return { requests: this.#requests, usage: this.#usage };
  }

  /** The calls of the next answer: one submission, unless there is a problem. */
  async answer(
    signal: AbortSignal,
  ): Promise<{ readonly calls: readonly ToolCall[]; readonly problem: string | undefined }> {
    const { blocks, stopReason } = await this.#ask(signal);
    if (stopReason === "refusal")
      throw new NightshiftError("E_MODEL_REFUSED", "the model refuses to plan this");
    // An answer without anything is nothing that a provider would take back.
    if (blocks.length > 0) this.#messages.push({ role: "assistant", blocks: blocks.map(withoutInvalid) });
    const calls = blocks.filter((block) => block.type === "tool_call");
    return { calls, problem: problemOf(calls, stopReason) };
  }

  /** Tells what is wrong; the next answer is expected to have it right. */
  correct(calls: readonly ToolCall[], problems: readonly string[]): void {
    const told = problems.slice(0, TOLD_MAX).map((each) => `- ${each}`);
    const text = ["This plan cannot be used:", ...told].join("\n");
    for (const { providerCallId, name } of calls)
      this.#messages.push({ role: "tool", providerCallId, name, text, isError: true });
    if (calls.length === 0) this.#messages.push({ role: "user", text });
  }

  /** Tries again what may pass. */
  async #ask(
    signal: AbortSignal,
  ): Promise<{ readonly blocks: readonly AnswerBlock[]; readonly stopReason: ModelStopReason }> {
    for (let attempt = 1; ; attempt++) {
      const { blocks, end } = await this.#request(signal);
      signal.throwIfAborted();
      this.#count(end.usage);
      if (end.type === "finished") {
        this.#requests++;
        return { blocks, stopReason: end.stopReason };
      }
      if (!PASSING.has(end.failure.class) || attempt === TRIES_MAX) throw errorOf(end.failure);
      const waitMs = Math.min(WAIT_MAX_MS, end.failure.retryAfterMs ?? WAIT_FIRST_MS * 3 ** (attempt - 1));
      this.#parts.onTrouble(`${end.failure.message}; trying again in ${Math.ceil(waitMs / 1000)} s`);
      await this.#parts.clock.sleep(waitMs, signal);
    }
  }

  #request(signal: AbortSignal): Promise<Answer> {
    const { model, modelId, maxOutputTokens } = this.#parts;
    const request: ModelRequest = {
      model: modelId,
      system: PLANNER_SYSTEM,
      tools: [SUBMIT_PLAN],
      messages: [...this.#messages],
      maxOutputTokens,
    };
    return collectAnswer(model.stream(request, signal), BLOCKS_MAX);
  }

  #count(usage: ModelUsage | undefined): void {
    if (usage === undefined) return;
    this.#usage = {
      inputTokens: this.#usage.inputTokens + usage.inputTokens,
      outputTokens: this.#usage.outputTokens + usage.outputTokens,
      cacheReadTokens: this.#usage.cacheReadTokens + usage.cacheReadTokens,
      cacheWriteTokens: this.#usage.cacheWriteTokens + usage.cacheWriteTokens,
    };
  }
}

function problemOf(calls: readonly ToolCall[], stopReason: ModelStopReason): string | undefined {
  const [call] = calls;
  if (call === undefined) return `Call ${SUBMIT_PLAN.name}; text is not read.`;
  if (calls.length > 1) return `Call ${SUBMIT_PLAN.name} once, with all criteria.`;
  if (stopReason === "max_tokens") return "The answer was cut off. Hand in fewer or shorter criteria.";
  if (call.name !== SUBMIT_PLAN.name) return `There is no tool but ${SUBMIT_PLAN.name}.`;
  return call.invalid === undefined ? undefined : `The input cannot be read: ${call.invalid}.`;
}

function withoutInvalid({ invalid: _invalid, ...block }: AnswerBlock): AnswerBlock {
  return block as AnswerBlock;
}

function errorOf({ class: kind, message }: ModelFailure): NightshiftError {
  if (kind === "authentication") return new NightshiftError("E_MODEL_AUTH", message, { hint: AGAIN });
  if (PASSING.has(kind))
    return new NightshiftError("E_MODEL_UNAVAILABLE", message, { hint: AGAIN, retryable: true });
  return new NightshiftError("E_MODEL_REFUSED", message, { hint: "Read the message, then plan again." });
}

const AGAIN = "Nothing was written; run the same command again when it works.";
