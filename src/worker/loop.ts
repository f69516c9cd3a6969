/**
 * The built-in worker: one model request per turn. It turns the answer into events; its tool calls are intents
 * that the driver has executed by the sandbox.
 */
import type { Clock } from "../core/clock.ts";
import { ASK, DECLARE } from "../core/contract/session-tools.ts";
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import { callId } from "../core/ids.ts";
import type { Json } from "../core/text.ts";
import { collectAnswer } from "../model/answer.ts";
import type {
  AnswerBlock,
  ModelAdapter,
  ModelFailure,
  ModelStopReason,
  ModelUsage,
} from "../model/contract.ts";
import { costMicroUsd } from "../model/price.ts";
import type { Tool } from "../tool/contract.ts";
import { needsApproval } from "../tool/permission.ts";
import { type AskInput, parseAskInput, parseDeclareInput } from "../tool/session.ts";
import type { TurnRequest, Worker } from "./contract.ts";

/** Blocks of one answer at the most: an answer and the start of its calls are one append, which holds 1,000 events. */
export const ANSWER_BLOCKS_MAX = 400;

/** What the model is told about a call that may not be whole, even if its input happens to look so. */
const CUT_OFF =
  "Not run: the answer reached its limit of output tokens and this call was cut off. Make it again in smaller parts, for example write a long file in several steps.";

/** What the loop is made of. */
export interface LoopParts {
  readonly model: ModelAdapter;
  /** Answers in the threads that name it. */
  readonly fallback?: { readonly provider: string; readonly id: string; readonly model: ModelAdapter };
  readonly tools: ReadonlyMap<string, Tool>;
  readonly clock: Clock;
  /** What the session says about people. */
  readonly policy?: Pick<EventBody<"session.created">["policy"], "approve" | "question_ms">;
}

/** How long a question with a default waits, when neither the agent nor the policy says it. */
const QUESTION_MS = 86_400_000;

/** The built-in worker on one model. */
export function createLoopWorker(parts: LoopParts): Worker {
  return new LoopWorker(parts);
}

class LoopWorker implements Worker {
  readonly kind = "loop";
  readonly #parts: LoopParts;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  async advance(turn: TurnRequest): Promise<readonly EventInput[]> {
    const startedMs = this.#parts.clock.monotonicMs();
    const { thread, messages, signal } = turn;
    const request = {
      model: thread.model.id,
      system: thread.system,
      tools: thread.tools,
      messages,
      maxOutputTokens: thread.model.max_output_tokens,
    };
    const stream = this.#modelOf(turn).stream(request, signal);
    const { blocks, end } = await collectAnswer(stream, ANSWER_BLOCKS_MAX, turn.onSignOfLife);
    const durationMs = Math.max(0, Math.round(this.#parts.clock.monotonicMs() - startedMs));
    if (end.type === "failed") return [failed(turn, end.failure, end.usage, durationMs)];
    const answered = event("span.model_request_end", {
      request: turn.request,
      outcome: "answered",
      is_error: false,
      stop_reason: end.stopReason,
      duration_ms: durationMs,
      ...charged(turn, end.usage),
    });
    return [answered, ...this.#contents(turn, blocks, end.stopReason)];
  }

  #modelOf({ thread }: TurnRequest): ModelAdapter {
    const { model, fallback } = this.#parts;
    const { provider, id } = thread.model;
    return fallback?.provider === provider && fallback.id === id ? fallback.model : model;
  }

  /** A refused answer has no calls that could be trusted, one that was cut off may have had its last one cut. */
  #contents(turn: TurnRequest, blocks: readonly AnswerBlock[], stop: ModelStopReason): EventInput[] {
    let calls = 0;
    const cut = stop === "max_tokens" ? blocks.at(-1) : undefined;
    return blocks.flatMap((block): EventInput[] => {
      const provider = block.provider === undefined ? {} : { provider: { ...block.provider } };
      switch (block.type) {
        case "thinking":
          return [event("agent.thinking", { request: turn.request, text: block.text, ...provider })];
        case "text":
          if (block.text === "" && block.provider === undefined) return [];
          return [
            event("agent.message", {
              request: turn.request,
              content: [{ type: "text", text: block.text }],
              ...provider,
            }),
          ];
        case "tool_call":
          if (stop === "refusal") return [];
          return this.#withFacts(
            this.#toolUse(turn, block === cut ? { ...block, invalid: CUT_OFF } : block, calls++),
          );
        default:
          return [];
      }
    });
  }

  #toolUse(
    turn: TurnRequest,
    block: Extract<AnswerBlock, { type: "tool_call" }>,
    index: number,
  ): EventInput<"agent.tool_use"> {
    const offered = turn.thread.tools.some((tool) => tool.name === block.name);
    const tool = offered ? this.#parts.tools.get(block.name) : undefined;
    const invalid =
      block.invalid ?? (tool === undefined ? unknownTool(turn, block.name) : tool.check(block.input));
    const effect = tool === undefined || invalid !== undefined ? "read_only" : tool.effectOf(block.input);
    const rules = invalid === undefined ? (this.#parts.policy?.approve ?? []) : [];
    const call = { name: block.name, input: block.input as Json, effect };
    return event("agent.tool_use", {
      request: turn.request,
      call: callId(turn.request, index),
      provider_call_id: block.providerCallId,
      ...call,
      evaluated_permission: needsApproval(rules, call) ? "ask" : "allow",
      ...(invalid === undefined ? {} : { invalid }),
      ...(block.provider === undefined ? {} : { provider: { ...block.provider } }),
    });
  }

  /** What the agent declares or asks is a fact of its own, beside the call that says it. */
  #withFacts(use: EventInput<"agent.tool_use">): EventInput[] {
    const { name, input, invalid, call } = use.body;
    if (invalid !== undefined) return [use];
    if (name === DECLARE) {
      const declared = parseDeclareInput(input);
      return typeof declared === "string" ? [use] : [use, event("contract.declared", { ...declared, call })];
    }
    if (name !== ASK) return [use];
    const asked = parseAskInput(input);
    return typeof asked === "string" ? [use] : [use, this.#question(asked, call)];
  }

  #question({ text, choices, default: standard, expiresInMs }: AskInput, call: string): EventInput {
    const waitMs =
      expiresInMs ?? (standard === undefined ? null : (this.#parts.policy?.question_ms ?? QUESTION_MS));
    return event("question.asked", {
      question: `q${call.slice(1)}`,
      call,
      text,
      ...(choices !== undefined && { choices: [...choices] }),
      ...(standard !== undefined && { default: standard }),
      ...(waitMs !== null && { expires_at: this.#parts.clock.wallMs() + waitMs }),
    });
  }
}

function unknownTool(turn: TurnRequest, name: string): string {
  return `There is no tool named "${name}". The tools are: ${turn.thread.tools.map((tool) => tool.name).join(", ") || "none"}.`;
}

function failed(
  turn: TurnRequest,
  failure: ModelFailure,
  usage: ModelUsage | undefined,
  durationMs: number,
): EventInput {
  return event("span.model_request_end", {
    request: turn.request,
    outcome: "failed",
    is_error: true,
    error: {
      class: failure.class,
      message: failure.message.slice(0, 2000),
      ...(failure.status === undefined ? {} : { status: failure.status }),
      ...(failure.retryAfterMs === undefined
        ? {}
        : { retry_after_ms: Math.max(0, Math.round(failure.retryAfterMs)) }),
    },
    duration_ms: durationMs,
    // A request refused by status was never worked on, so it is settled at nothing.
    ...charged(turn, usage ?? (failure.status === undefined ? undefined : NOTHING)),
  });
}

const NOTHING: ModelUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

type Charge = Partial<Pick<EventBody<"span.model_request_end">, "model_usage" | "cost_micro_usd">>;

function charged(turn: TurnRequest, usage: ModelUsage | undefined): Charge {
  if (usage === undefined) return {};
  const model_usage = {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
  };
  const { price } = turn.thread.model;
  if (price === undefined) return { model_usage };
  return { model_usage, cost_micro_usd: costMicroUsd(usage, price) };
}
