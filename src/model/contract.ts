/**
 * Models. An adapter turns a rendered context into one provider's request and streams the answer back in
 * Nightshift's terms. It never throws: failure is the last part, with a class that tells what to do about it.
 */
import type { AssistantBlock, Message, ProviderData, ToolDescription } from "../core/message.ts";

export type { AssistantBlock, Message, ProviderData, ToolDescription };

/** Everything one model request depends on. Equal requests give byte-identical HTTP bodies. */
export interface ModelRequest {
  readonly model: string;
  readonly system: string;
  readonly tools: readonly ToolDescription[];
  readonly messages: readonly Message[];
  readonly maxOutputTokens: number;
}

/** Token counts; `inputTokens` excludes cache reads and writes. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** Why a request failed; decides whether and when it is tried again. */
export type ModelErrorClass =
  | "rate_limit"
  | "overloaded"
  | "network"
  | "timeout"
  | "stalled"
  | "garbage"
  | "authentication"
  | "billing"
  | "invalid_request"
  | "context_overflow"
  | "refusal"
  | "unknown";

/** A failed request. */
export interface ModelFailure {
  readonly class: ModelErrorClass;
  /** For people; never contains a key. */
  readonly message: string;
  readonly status?: number;
  /** From the provider's headers: retry-after, retry-after-ms, rate-limit resets. */
  readonly retryAfterMs?: number;
}

/** Why the model stopped. */
export type ModelStopReason = "end_turn" | "tool_use" | "max_tokens" | "refusal" | "other";

/**
 * Parts of an answer, in this order: `started` at most once, then any number of `delta` (previews, never stored)
 * and `block` (whole, in the order of the message), then exactly one `finished` or `failed`, and nothing after it.
 */
export type ModelPart =
  | { readonly type: "started" }
  | { readonly type: "delta"; readonly kind: "text" | "thinking" | "tool_input"; readonly text: string }
  | { readonly type: "block"; readonly block: AnswerBlock }
  | {
      readonly type: "finished";
      readonly stopReason: ModelStopReason;
      readonly usage: ModelUsage | undefined;
    }
  | { readonly type: "failed"; readonly failure: ModelFailure; readonly usage: ModelUsage | undefined };

/** A block as answered: a call's input may turn out not to be JSON; then `invalid` says why and `input` is the raw text. */
export type AnswerBlock = AssistantBlock & { readonly invalid?: string };

/** One way to reach a model. Stateless: everything a request depends on is in it. */
export interface ModelAdapter {
  /** Backend name as in the registry. */
  readonly provider: string;
  /**
   * Sends the request and streams the answer. Must stop soon after `signal` aborts, ending with `failed` (class
   * `network`) or by returning. Must not retry on its own: back-off belongs in the log.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart>;
}
