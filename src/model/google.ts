/**
 * Google's Gemini API.
 *
 * Caching is the provider's own affair there: it goes by prefix, and nothing is marked. Its proofs (`thoughtSignature`)
 * come with thinking, text and calls, and go back where they came from.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Clock } from "../core/clock.ts";
import type { ModelAdapter, ModelPart, ModelRequest } from "./contract.ts";
import type { ModelKey } from "./keys.ts";
import { MODEL_KEYS } from "./keys.ts";
import { type PromptStyle, promptOf, toolsOf } from "./sdk/prompt.ts";
import { IDLE_MS, streamCall } from "./sdk/stream.ts";

/** How to reach the API. */
export interface GoogleOptions {
  readonly key: ModelKey;
  readonly clock: Clock;
  /** Up to and including the version, for example `https://generativelanguage.googleapis.com/v1beta`. */
  readonly baseUrl?: string;
  /** Silence that ends a request (class `timeout`). Default: two minutes. */
  readonly idleMs?: number;
}

/** An adapter for Gemini models. */
export function createGoogleModel(options: GoogleOptions): ModelAdapter {
  return new GoogleAdapter(options);
}

const STYLE: PromptStyle = { provider: "google", optionsKey: "google" };
/** Thinking is only told when it is asked for. */
const THOUGHTS = { google: { thinkingConfig: { includeThoughts: true } } } as const;

class GoogleAdapter implements ModelAdapter {
  readonly provider = "google";
  readonly #options: GoogleOptions;

  constructor(options: GoogleOptions) {
    this.#options = options;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const key = this.#options.key();
    if (key === undefined || key === "") {
      const message = `no key: set ${MODEL_KEYS.google.variable}`;
      yield { type: "failed", failure: { class: "authentication", message }, usage: undefined };
      return;
    }
    yield* streamCall(
      {
        provider: this.provider,
        metadataKey: "google",
        keepsUnsigned: false,
        clock: this.#options.clock,
        idleMs: this.#options.idleMs ?? IDLE_MS,
        key,
        model: (fetch) => this.#model(request.model, key, fetch),
        options: {
          prompt: promptOf(request, STYLE),
          tools: toolsOf(request.tools, STYLE),
          maxOutputTokens: request.maxOutputTokens,
          ...(thinks(request.model) && { providerOptions: THOUGHTS }),
        },
      },
      signal,
    );
  }

  /** The SDK takes a while to load, so it is loaded by the first request. */
  async #model(id: string, apiKey: string, fetch: typeof globalThis.fetch): Promise<LanguageModelV4> {
    const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
    // Always given: what is left out, the SDK would read from the environment.
    const baseURL = this.#options.baseUrl ?? MODEL_KEYS.google.baseUrl;
    return createGoogleGenerativeAI({ apiKey, baseURL, fetch })(id);
  }
}

/** Models before Gemini 2.5 refuse to be asked for their thinking. */
function thinks(model: string): boolean {
  const version = Number(/gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1] ?? 0);
  return version >= 2.5;
}
