/**
 * Anthropic's Messages API.
 *
 * Prompt caching: the system prompt and the last tool carry breakpoints, which never move within a thread; the one
 * that follows the conversation is the request's own `cache_control` field, by which the provider caches up to the
 * last block by itself. So no message carries a marker, and the JSON of a request's messages is, but for the closing
 * bracket, a prefix of the next request's in the same thread.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Clock } from "../core/clock.ts";
import type { ModelAdapter, ModelPart, ModelRequest } from "./contract.ts";
import { MODEL_KEYS, type ModelKey } from "./keys.ts";
import { type PromptStyle, promptOf, toolsOf } from "./sdk/prompt.ts";
import { IDLE_MS, streamCall } from "./sdk/stream.ts";

/** How to reach the API. */
export interface AnthropicOptions {
  readonly key: ModelKey;
  readonly clock: Clock;
  /** Up to and including the version, for example `https://api.anthropic.com/v1`. */
  readonly baseUrl?: string;
  /** Silence that ends a request (class `timeout`). Default: two minutes. */
  readonly idleMs?: number;
  /** Off for gateways that do not know `cache_control`. Default: on. */
  readonly promptCache?: boolean;
}

/** An adapter for Anthropic and for gateways that speak its wire format. */
export function createAnthropicModel(options: AnthropicOptions): ModelAdapter {
  return new AnthropicAdapter(options);
}

const CACHED = { anthropic: { cacheControl: { type: "ephemeral" } } } as const;

class AnthropicAdapter implements ModelAdapter {
  readonly provider = "anthropic";
  readonly #options: AnthropicOptions;
  readonly #style: PromptStyle;

  constructor(options: AnthropicOptions) {
    this.#options = options;
    const isCached = options.promptCache ?? true;
    this.#style = {
      provider: this.provider,
      optionsKey: "anthropic",
      ...(isCached ? { prefixOptions: CACHED } : {}),
    };
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const key = this.#options.key();
    if (key === undefined || key === "") {
      const message = `no key: set ${MODEL_KEYS.anthropic.variable}`;
      yield { type: "failed", failure: { class: "authentication", message }, usage: undefined };
      return;
    }
    yield* streamCall(
      {
        provider: this.provider,
        metadataKey: "anthropic",
        keepsUnsigned: false,
        clock: this.#options.clock,
        idleMs: this.#options.idleMs ?? IDLE_MS,
        key,
        model: (fetch) => this.#model(request.model, key, fetch),
        options: {
          prompt: promptOf(request, this.#style),
          tools: toolsOf(request.tools, this.#style),
          maxOutputTokens: request.maxOutputTokens,
          ...(this.#style.prefixOptions === undefined ? {} : { providerOptions: this.#style.prefixOptions }),
        },
      },
      signal,
    );
  }

  /** The SDK takes 40 ms to load, so it is loaded by the first request. */
  async #model(id: string, apiKey: string, fetch: typeof globalThis.fetch): Promise<LanguageModelV4> {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    // Always given: what is left out, the SDK would read from the environment.
    const baseURL = this.#options.baseUrl ?? MODEL_KEYS.anthropic.baseUrl;
    return createAnthropic({ apiKey, baseURL, fetch })(id);
  }
}
