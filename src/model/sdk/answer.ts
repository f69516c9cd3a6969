/** From the stream parts of the AI SDK to the parts of our contract. */
import type {
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import type { Json } from "../../core/text.ts";
import type {
  AnswerBlock,
  ModelFailure,
  ModelPart,
  ModelStopReason,
  ModelUsage,
  ProviderData,
} from "../contract.ts";
import { failureOfErrorPart } from "./connection.ts";

type DeltaKind = Extract<ModelPart, { type: "delta" }>["kind"];
type ToolCallPart = Extract<LanguageModelV4StreamPart, { type: "tool-call" }>;
type ProviderObject = { readonly [key: string]: Json };

interface OpenBlock {
  readonly id: string;
  readonly kind: DeltaKind;
  text: string;
  toolName: string;
  data: ProviderObject | undefined;
  isWhole: boolean;
}

/**
 * Collects one answer. Blocks come out in the order in which they began, although the SDK may end them in another,
 * so a whole block waits for those before it.
 */
export class AnswerCollector {
  readonly #provider: string;
  readonly #metadataKey: string;
  readonly #keepsUnsigned: boolean;
  readonly #open: OpenBlock[] = [];
  #blocks = 0;
  #calls = 0;

  /**
   * @param provider - key for the provider's data in our blocks
   * @param metadataKey - key under which the SDK hands that data out
   * @param keepsUnsigned - does thinking go back although it carries no proof?
   */
  constructor(provider: string, metadataKey: string, keepsUnsigned: boolean) {
    this.#provider = provider;
    this.#metadataKey = metadataKey;
    this.#keepsUnsigned = keepsUnsigned;
  }

  /** The parts that follow from one of the SDK's; after `finished` or `failed` there are no more. */
  *partsOf(part: LanguageModelV4StreamPart): Generator<ModelPart> {
    switch (part.type) {
      case "text-start":
        return this.#begin(part.id, "text", part.providerMetadata);
      case "reasoning-start":
        return this.#begin(part.id, "thinking", part.providerMetadata);
      case "tool-input-start":
        return this.#begin(part.id, "tool_input", part.providerMetadata, part.toolName);
      case "text-delta":
      case "reasoning-delta":
      case "tool-input-delta":
        yield* this.#extend(part.id, part.delta, part.providerMetadata);
        return;
      case "text-end":
      case "reasoning-end":
        yield* this.#end(part.id, part.providerMetadata);
        return;
      case "tool-call":
        yield* this.#endCall(part);
        return;
      case "finish":
        yield* this.#finish(part.finishReason, part.usage);
        return;
      case "error":
        yield { type: "failed", failure: failureOfErrorPart(part.error), usage: undefined };
        return;
      default:
        return;
    }
  }

  #begin(id: string, kind: DeltaKind, metadata: SharedV4ProviderMetadata | undefined, toolName = ""): void {
    this.#open.push({ id, kind, text: "", toolName, data: this.#dataOf(metadata), isWhole: false });
  }

  *#extend(id: string, delta: string, metadata: SharedV4ProviderMetadata | undefined): Generator<ModelPart> {
    const block = this.#find(id);
    if (block === undefined) return;
    block.text += delta;
    this.#addData(block, metadata);
    if (delta !== "") yield { type: "delta", kind: block.kind, text: delta };
  }

  *#end(id: string, metadata: SharedV4ProviderMetadata | undefined): Generator<ModelPart> {
    const block = this.#find(id);
    if (block === undefined) return;
    this.#addData(block, metadata);
    block.isWhole = true;
    yield* this.#release();
  }

  *#endCall(part: ToolCallPart): Generator<ModelPart> {
    if (this.#find(part.toolCallId) === undefined) this.#begin(part.toolCallId, "tool_input", undefined);
    const block = this.#find(part.toolCallId);
    if (block === undefined) return;
    block.text = part.input;
    block.toolName = part.toolName;
    yield* this.#end(part.toolCallId, part.providerMetadata);
  }

  *#finish(reason: LanguageModelV4FinishReason, usage: LanguageModelV4Usage): Generator<ModelPart> {
    for (const block of this.#open) block.isWhole = true;
    yield* this.#release();
    const used = usageOf(usage);
    const failure = unfinished(reason, this.#blocks);
    if (failure !== undefined) yield { type: "failed", failure, usage: used };
    else yield { type: "finished", stopReason: stopReasonOf(reason, this.#calls > 0), usage: used };
  }

  *#release(): Generator<ModelPart> {
    while (this.#open[0]?.isWhole === true) {
      const block = this.#open.shift();
      const answer = block === undefined ? undefined : this.#answerOf(block);
      if (answer === undefined) continue;
      this.#blocks += 1;
      if (answer.type === "tool_call") this.#calls += 1;
      yield { type: "block", block: answer };
    }
  }

  #answerOf(block: OpenBlock): AnswerBlock | undefined {
    const provider = this.#providerOf(block);
    if (block.kind === "tool_input") return callOf(block, provider);
    if (block.text === "" && provider.provider === undefined) return undefined;
    return { type: block.kind, text: block.text, ...provider };
  }

  #providerOf(block: OpenBlock): { readonly provider?: ProviderData } {
    const isMarked = block.kind === "thinking" && this.#keepsUnsigned;
    const data = block.data ?? (isMarked ? {} : undefined);
    return data === undefined ? {} : { provider: { [this.#provider]: data } };
  }

  #addData(block: OpenBlock, metadata: SharedV4ProviderMetadata | undefined): void {
    const data = this.#dataOf(metadata);
    if (data !== undefined) block.data = { ...block.data, ...data };
  }

  #dataOf(metadata: SharedV4ProviderMetadata | undefined): ProviderObject | undefined {
    const data = metadata?.[this.#metadataKey];
    return data === undefined || Object.keys(data).length === 0 ? undefined : (data as ProviderObject);
  }

  #find(id: string): OpenBlock | undefined {
    return this.#open.findLast((block) => block.id === id && !block.isWhole);
  }
}

function callOf(block: OpenBlock, provider: { readonly provider?: ProviderData }): AnswerBlock {
  const call = { type: "tool_call", providerCallId: block.id, name: block.toolName, ...provider } as const;
  if (block.text.trim() === "") return { ...call, input: {} };
  try {
    return { ...call, input: JSON.parse(block.text) as Json };
  } catch {
    return { ...call, input: block.text, invalid: "the input is not JSON" };
  }
}

/** An end that is none: the stream ran dry, or the model said nothing at all. */
function unfinished(reason: LanguageModelV4FinishReason, blocks: number): ModelFailure | undefined {
  if (reason.unified === "interrupted" || reason.unified === "error") {
    return { class: "garbage", message: "the stream ended without an end" };
  }
  const mayBeEmpty = reason.unified === "content-filter" || reason.unified === "length";
  if (blocks > 0 || mayBeEmpty) return undefined;
  return { class: "garbage", message: "the model answered nothing" };
}

function stopReasonOf(reason: LanguageModelV4FinishReason, hasCalls: boolean): ModelStopReason {
  switch (reason.unified) {
    case "length":
      return "max_tokens";
    case "content-filter":
      return "refusal";
    case "tool-calls":
      return "tool_use";
    case "stop":
      // Some servers say so although calls were made.
      return hasCalls ? "tool_use" : "end_turn";
    default:
      return "other";
  }
}

/** Undefined when the provider did not tell; no answer is free, so zeros mean the same. */
function usageOf(usage: LanguageModelV4Usage): ModelUsage | undefined {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens.total === undefined || outputTokens.total === undefined) return undefined;
  if (inputTokens.total === 0 && outputTokens.total === 0) return undefined;
  const cacheReadTokens = inputTokens.cacheRead ?? 0;
  const cacheWriteTokens = inputTokens.cacheWrite ?? 0;
  return {
    inputTokens: Math.max(0, inputTokens.noCache ?? inputTokens.total - cacheReadTokens - cacheWriteTokens),
    outputTokens: outputTokens.total,
    cacheReadTokens,
    cacheWriteTokens,
  };
}
