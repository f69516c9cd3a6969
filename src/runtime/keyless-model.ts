/** Stands in for a model whose key is missing when a session is resumed, so that the reason ends up in the log. */
import type { ModelAdapter, ModelPart } from "../model/contract.ts";
import { NO_USAGE } from "../model/failure.ts";

/** An adapter that fails every request with the class `authentication`. */
export function createKeylessModel(provider: string, variable: string): ModelAdapter {
  return new KeylessModel(provider, variable);
}

class KeylessModel implements ModelAdapter {
  readonly provider: string;
  readonly #variable: string;

  constructor(provider: string, variable: string) {
    this.provider = provider;
    this.#variable = variable;
  }

  async *stream(): AsyncGenerator<ModelPart> {
    const message = `the environment variable ${this.#variable} with the key for ${this.provider} is not set`;
    yield { type: "failed", failure: { class: "authentication", message }, usage: NO_USAGE };
  }
}
