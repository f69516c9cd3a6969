/**
 * The chat completions API of OpenAI, which many servers and gateways speak.
 *
 * Caching is the provider's own affair there: it goes by prefix, and no message carries a marker, so the JSON of a
 * request's messages is, but for the closing bracket, a prefix of the next request's in the same thread.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Clock } from "../core/clock.ts";
import type { ModelAdapter, ModelPart, ModelRequest } from "./contract.ts";
import type { ModelKey } from "./keys.ts";
import { type PromptStyle, promptOf, toolsOf } from "./sdk/prompt.ts";
import { IDLE_MS, streamCall } from "./sdk/stream.ts";

/** How to reach the server. */
export interface OpenAICompatibleOptions {
  /** Name as in `provider:model`; also the key of provider data in the log. Default: `openai-compatible`. */
  readonly provider?: string;
  /** Undefined is fine for servers that ask for none. */
  readonly key: ModelKey;
  readonly clock: Clock;
  /** Up to and including the version, for example `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  /** Silence that ends a request (class `timeout`). Default: two minutes. */
  readonly idleMs?: number;
  /** What the server calls the cap on the answer's length. Default: `max_tokens`. */
  readonly outputCapField?: "max_tokens" | "max_completion_tokens";
}

/** An adapter for anything that speaks the chat completions wire format. */
export function createOpenAICompatibleModel(options: OpenAICompatibleOptions): ModelAdapter {
  return new OpenAICompatibleAdapter(options);
}

/** The SDK sorts provider data under this name; it never reaches the wire. */
const SDK_NAME = "provider";

class OpenAICompatibleAdapter implements ModelAdapter {
  readonly provider: string;
  readonly #options: OpenAICompatibleOptions;
  readonly #style: PromptStyle;

  constructor(options: OpenAICompatibleOptions) {
    this.provider = options.provider ?? "openai-compatible";
    this.#options = options;
    this.#style = { provider: this.provider, optionsKey: SDK_NAME };
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const key = this.#options.key();
    yield* streamCall(
      {
        provider: this.provider,
        metadataKey: SDK_NAME,
        keepsUnsigned: true,
        clock: this.#options.clock,
        idleMs: this.#options.idleMs ?? IDLE_MS,
        key,
        model: (fetch) => this.#model(request.model, key, fetch),
        options: {
          prompt: promptOf(request, this.#style),
          tools: toolsOf(request.tools, this.#style),
          maxOutputTokens: request.maxOutputTokens,
        },
      },
      signal,
    );
  }

  /** The SDK takes 40 ms to load, so it is loaded by the first request. */
  async #model(
    id: string,
    key: string | undefined,
    fetch: typeof globalThis.fetch,
  ): Promise<LanguageModelV4> {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const renamesCap = this.#options.outputCapField === "max_completion_tokens";
    const create = createOpenAICompatible({
      name: SDK_NAME,
      baseURL: this.#options.baseUrl,
      includeUsage: true,
      fetch,
      ...(key === undefined || key === "" ? {} : { apiKey: key }),
      ...(renamesCap ? { transformRequestBody: renameCap } : {}),
    });
    return create.chatModel(id);
  }
}

function renameCap(body: Record<string, unknown>): Record<string, unknown> {
  const { max_tokens, ...rest } = body;
  return { max_completion_tokens: max_tokens, ...rest };
}
