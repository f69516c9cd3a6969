/** A sandbox backend that costs nothing until a session needs it. */
import type { SandboxBackend } from "../sandbox/contract.ts";

/** Loads a backend when it is first used: the first model request does not wait for it. */
export class LazyBackend implements SandboxBackend {
  readonly kind: string;
  readonly #load: () => Promise<SandboxBackend>;

  constructor(kind: string, load: () => Promise<SandboxBackend>) {
    this.kind = kind;
    this.#load = load;
  }

  async provision(
    ...given: Parameters<SandboxBackend["provision"]>
  ): ReturnType<SandboxBackend["provision"]> {
    return (await this.#load()).provision(...given);
  }

  async attach(...given: Parameters<SandboxBackend["attach"]>): ReturnType<SandboxBackend["attach"]> {
    return (await this.#load()).attach(...given);
  }

  async destroy(...given: Parameters<SandboxBackend["destroy"]>): ReturnType<SandboxBackend["destroy"]> {
    return (await this.#load()).destroy(...given);
  }
}
