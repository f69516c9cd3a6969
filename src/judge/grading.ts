/** The talk with the model: it looks, it submits, and what it submits is held against the files. */
import { canonicalJson } from "../core/contract/canonical.ts";
import type { JudgePurse } from "../core/contract/judge-purse.ts";
import type { EventBody } from "../core/events/index.ts";
import type { AssistantBlock, Message } from "../core/message.ts";
import type { Json } from "../core/text.ts";
import { type Answer, collectAnswer } from "../model/answer.ts";
import type {
  AnswerBlock,
  ModelErrorClass,
  ModelRequest,
  ModelStopReason,
  ModelUsage,
} from "../model/contract.ts";
import { NO_USAGE } from "../model/failure.ts";
import { costMicroUsd, type Price } from "../model/price.ts";
import { fence } from "./artefact.ts";
import { type GradedLine, type GradeRequest, type JudgeParts, NoGrade } from "./contract.ts";
import { LOOKING_TOOLS, Look } from "./look.ts";
import type { Meter } from "./meter.ts";
import { assignment, systemPrompt } from "./prompt.ts";
import { Quotes } from "./quotes.ts";
import {
  contradictions,
  type ParsedSubmission,
  parseSubmission,
  SUBMIT,
  SUBMIT_DESCRIPTION,
  type Submission,
} from "./submission.ts";

/** How often the model is told that its answer is no grade, before there is none. */
const CORRECTIONS_MAX = 2;
const TRIES_MAX = 3;
const BACK_OFF_MS = 2000;
const BACK_OFF_MS_MAX = 60_000;
const BLOCKS_MAX = 200;
const LOOKS_MAX = 16;
const LOOK_BYTES_MAX = 32_000;
const REASON_CHARACTERS_MAX = 2000;

/** Failures that may be over in a moment. */
const PASSING: ReadonlySet<ModelErrorClass> = new Set([
  "rate_limit",
  "overloaded",
  "network",
  "timeout",
  "stalled",
  "garbage",
]);

const CUT_OFF = "the answer reached its limit of output tokens and this call was cut off";
const NOTHING_SUBMITTED = `Text is no grade. Look further, or call ${SUBMIT} with every line of the rubric.`;
const LAST_ANSWER = `Your next answer is the last one: call ${SUBMIT} in it. What you have not seen is unmet.`;

type Call = Extract<AnswerBlock, { type: "tool_call" }>;
type Settle = (outcome: "answered" | "failed", usage: ModelUsage | undefined) => Promise<void>;
type Taken = { readonly items: GradedLine[] } | { readonly complaint: string };

/** One context; used once. */
export class Grading {
  readonly #parts: JudgeParts;
  readonly #rubric: readonly string[];
  readonly #meter: Meter;
  readonly #criterion: string;
  readonly #purse: JudgePurse | undefined;
  readonly #nonce: string;
  readonly #look: Look;
  readonly #quotes: Quotes;
  readonly #messages: Message[];
  #corrections = 0;
  #last: Submission | null = null;

  constructor(parts: JudgeParts, request: GradeRequest, meter: Meter) {
    this.#parts = parts;
    this.#rubric = request.criterion.rubric;
    this.#meter = meter;
    this.#criterion = request.criterion.id;
    this.#purse = request.purse;
    this.#nonce = parts.chance.unique(24);
    this.#look = new Look(request.sandbox, `judge/${parts.chance.unique(16)}`);
    this.#quotes = new Quotes(this.#look);
    this.#messages = [{ role: "user", text: assignment(this.#nonce, request) }];
  }

  /** @throws NoGrade, and what looking throws */
  async run(signal: AbortSignal): Promise<GradedLine[]> {
    for (;;) {
      const { blocks, stop } = await this.#ask(signal);
      const calls = callsOf(blocks, stop);
      const submitted = calls.filter(({ name }) => name === SUBMIT);
      const taken = submitted.length === 0 ? null : await this.#take(submitted, signal);
      if (taken !== null && "items" in taken) return taken.items;
      if (blocks.length > 0) this.#messages.push({ role: "assistant", blocks: blocks.map(asSent) });
      for (const [index, call] of calls.entries())
        this.#messages.push(await this.#answer(call, index, taken?.complaint ?? "", signal));
      if (calls.length === 0) this.#messages.push({ role: "user", text: this.#complain(NOTHING_SUBMITTED) });
      if (this.#meter.requestsLeft === 1) this.#messages.push({ role: "user", text: LAST_ANSWER });
    }
  }

  async #ask(signal: AbortSignal): Promise<{ blocks: readonly AnswerBlock[]; stop: ModelStopReason }> {
    const { adapter, model, clock } = this.#parts;
    const request: ModelRequest = {
      model: model.id,
      system: systemPrompt(this.#nonce),
      tools: [...LOOKING_TOOLS.map(({ description }) => description), SUBMIT_DESCRIPTION],
      messages: [...this.#messages],
      maxOutputTokens: model.max_output_tokens,
    };
    for (let tries = 1; ; tries++) {
      const reservation = this.#meter.reserve(request);
      const settle = await this.#reserve(reservation.usage);
      const { blocks, end } = await collectAnswer(adapter.stream(request, signal), BLOCKS_MAX);
      this.#meter.settle(reservation, usageOf(end));
      await settle(end.type === "finished" ? "answered" : "failed", usageOf(end));
      signal.throwIfAborted();
      if (end.type === "finished") {
        if (end.stopReason === "refusal") throw new NoGrade("the model refused to grade");
        return { blocks: blocks.filter(isWorthKeeping), stop: end.stopReason };
      }
      const { class: kind, message, retryAfterMs } = end.failure;
      if (tries === TRIES_MAX || !PASSING.has(kind)) {
        this.#parts.onFailure?.(end.failure);
        throw new NoGrade(`the model failed (${kind}): ${message}`);
      }
      await clock.sleep(Math.min(retryAfterMs ?? BACK_OFF_MS * tries ** 2, BACK_OFF_MS_MAX), signal);
    }
  }

  /** Of the session's caps: nothing is sent that they do not have room for. */
  async #reserve(worst: ModelUsage): Promise<Settle> {
    const { model, clock } = this.#parts;
    const { price, provider, id } = model;
    if (this.#purse === undefined) return async () => undefined;
    const startedMs = clock.monotonicMs();
    const settle = await this.#purse.reserve({
      criterion: this.#criterion,
      model: `${provider}:${id}`,
      tokens: worst.inputTokens + worst.outputTokens,
      costMicroUsd: price === undefined ? null : worstCostMicroUsd(worst, price),
    });
    return (outcome, usage) =>
      settle({
        outcome,
        ...(usage !== undefined && { model_usage: usageFact(usage) }),
        ...(usage !== undefined && price !== undefined && { cost_micro_usd: costMicroUsd(usage, price) }),
        duration_ms: Math.max(0, Math.round(clock.monotonicMs() - startedMs)),
      });
  }

  /** What is not a grade takes a correction; a grade that contradicts another one is none. */
  async #take(calls: readonly Call[], signal: AbortSignal): Promise<Taken> {
    const [first = null] = calls;
    if (first === null) return { complaint: NOTHING_SUBMITTED };
    if (new Set(calls.map(({ input }) => canonicalJson(input))).size > 1)
      throw new NoGrade("the model gave grades that contradict each other in one answer");
    const parsed = this.#parse(first);
    if (!parsed.ok)
      return { complaint: this.#complain(`This is no grade: ${parsed.problem}. Call ${SUBMIT} again.`) };
    const { submission } = parsed;
    const [turned] = this.#last === null ? [] : contradictions(this.#last, submission);
    if (turned !== undefined)
      throw new NoGrade(
        `the model gave grades that contradict each other: line ${turned} was unmet, then met`,
      );
    this.#last = submission;
    const items = await this.#graded(submission, signal);
    const weak = weaknesses(submission, items);
    if (weak.length === 0 || this.#corrections === CORRECTIONS_MAX || this.#meter.requestsLeft === 0)
      return { items };
    return {
      complaint: this.#complain(
        `${weak.join(" ")} Call ${SUBMIT} again with all lines; what stays like that is unmet.`,
      ),
    };
  }

  #parse({ input, invalid }: Call): ParsedSubmission {
    return invalid === undefined
      ? parseSubmission(input, this.#rubric.length)
      : { ok: false, problem: invalid };
  }

  async #graded({ lines }: Submission, signal: AbortSignal): Promise<GradedLine[]> {
    const items: GradedLine[] = [];
    for (const [index, rubric] of this.#rubric.entries()) {
      const line = lines.find((each) => each.line === index + 1);
      const quotes: GradedLine["quotes"] = [];
      for (const { path, text } of line?.quotes ?? [])
        quotes.push({ path, text, found: await this.#quotes.exists(path, text, signal) });
      const isShown = this.#parts.believesQuotes === true || quotes.some(({ found }) => found);
      const status = line?.status === "met" && isShown ? "met" : "unmet";
      const note =
        line?.status === "met" && !isShown ? " (unmet, because no quote of it is in the files)" : "";
      const reason = line === undefined ? "the judge did not grade this line" : cut(line.reason) + note;
      items.push({ rubric, status, reason, quotes });
    }
    return items;
  }

  /** @throws NoGrade after too many */
  #complain(text: string): string {
    if (this.#corrections === CORRECTIONS_MAX)
      throw new NoGrade(`the model gave no grade, and was told so ${CORRECTIONS_MAX} times: ${text}`);
    this.#corrections += 1;
    return text;
  }

  async #answer(call: Call, index: number, complaint: string, signal: AbortSignal): Promise<Message> {
    const { providerCallId, name } = call;
    const reply = (text: string, isError: boolean): Message => ({
      role: "tool",
      providerCallId,
      name,
      text,
      isError,
    });
    if (name === SUBMIT) return reply(complaint, true);
    if (call.invalid !== undefined) return reply(call.invalid, true);
    if (index >= LOOKS_MAX) return reply(`Not run: at most ${LOOKS_MAX} calls at once.`, true);
    const { text, isError } = await this.#look.run(name, call.input as Json, LOOK_BYTES_MAX, signal);
    return reply(fence(this.#nonce, text), isError);
  }
}

function weaknesses(submission: Submission, items: readonly GradedLine[]): string[] {
  return items.flatMap(({ status }, index) => {
    const line = submission.lines.find((each) => each.line === index + 1);
    if (line === undefined) return [`Line ${index + 1} is not graded.`];
    if (line.status === status) return [];
    return [`No quote of line ${index + 1} is in the files: copy the text exactly, with its path.`];
  });
}

function callsOf(blocks: readonly AnswerBlock[], stop: ModelStopReason): Call[] {
  const cutOff = stop === "max_tokens" ? blocks.at(-1) : undefined;
  return blocks.flatMap((block) => {
    if (block.type !== "tool_call") return [];
    return [block === cutOff ? { ...block, invalid: CUT_OFF } : block];
  });
}

/** A request that was refused by status was never worked on. */
function usageOf(end: Answer["end"]): Answer["end"]["usage"] {
  if (end.usage !== undefined || end.type === "finished") return end.usage;
  return end.failure.status === undefined ? undefined : NO_USAGE;
}

function usageFact(usage: ModelUsage): NonNullable<EventBody<"judge.request_end">["model_usage"]> {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
  };
}

/** Of what may be written into a cache, too. */
function worstCostMicroUsd(usage: ModelUsage, price: Price): number {
  return costMicroUsd(usage, { ...price, input: Math.max(price.input, price.cache_write) });
}

function isWorthKeeping(block: AnswerBlock): boolean {
  return block.type !== "text" || block.text !== "" || block.provider !== undefined;
}

function asSent({ invalid: _invalid, ...block }: AnswerBlock): AssistantBlock {
  return block;
}

function cut(text: string): string {
  return text.length <= REASON_CHARACTERS_MAX ? text : `${text.slice(0, REASON_CHARACTERS_MAX)}…`;
}
