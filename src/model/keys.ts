/** Where each provider is, and which environment variable holds its key. Reading the environment is the runtime's job. */

/** Gives the key when it is needed; undefined when there is none. */
export type ModelKey = () => string | undefined;

/** One provider. */
export interface ProviderAccess {
  /** The backend that speaks its wire format. */
  readonly adapter: "anthropic" | "google" | "openai-compatible";
  /** Environment variable with the key; undefined where no key is needed. */
  readonly variable: string | undefined;
  /** Another one that people use for the same key; the first that is set counts. */
  readonly otherVariable?: string;
  /** Undefined: the user must say where it is. */
  readonly baseUrl: string | undefined;
  /** What the provider calls the cap on the answer's length; only for `openai-compatible`. */
  readonly outputCapField?: "max_tokens" | "max_completion_tokens";
}

/** By provider name, as in `provider:model`. */
export const MODEL_KEYS = {
  anthropic: {
    adapter: "anthropic",
    variable: "ANTHROPIC_API_KEY",
    baseUrl: "https://api.anthropic.com/v1",
  },
  google: {
    adapter: "google",
    variable: "GEMINI_API_KEY",
    otherVariable: "GOOGLE_API_KEY",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  },
  openai: {
    adapter: "openai-compatible",
    variable: "OPENAI_API_KEY",
    baseUrl: "https://api.openai.com/v1",
    outputCapField: "max_completion_tokens",
  },
  openrouter: {
    adapter: "openai-compatible",
    variable: "OPENROUTER_API_KEY",
    baseUrl: "https://openrouter.ai/api/v1",
  },
  deepseek: {
    adapter: "openai-compatible",
    variable: "DEEPSEEK_API_KEY",
    baseUrl: "https://api.deepseek.com/v1",
  },
  ollama: { adapter: "openai-compatible", variable: undefined, baseUrl: "http://127.0.0.1:11434/v1" },
  "openai-compatible": {
    adapter: "openai-compatible",
    variable: "OPENAI_COMPATIBLE_API_KEY",
    baseUrl: undefined,
  },
} as const satisfies { readonly [provider: string]: ProviderAccess };
