/** A driver's connection to the session's sandbox: attached once per incarnation, under the driver's epoch. */

import { NightshiftError } from "../core/errors.ts";
import type { SandboxState } from "../core/state.ts";
import type { Sandbox, SandboxBackend } from "../sandbox/contract.ts";

/** Keeps at most one connection. */
export class SandboxConnections {
  readonly #backend: SandboxBackend;
  readonly #epoch: number;
  #current: { readonly incarnation: string; readonly sandbox: Promise<Sandbox> } | null = null;

  constructor(backend: SandboxBackend, epoch: number) {
    this.#backend = backend;
    this.#epoch = epoch;
  }

  /**
   * The connection to this incarnation. Attaching raises the daemon's floor, so commands of earlier drivers are
   * refused from then on. @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE`
   */
  async to(state: SandboxState, signal: AbortSignal): Promise<Sandbox> {
    const { incarnation, handle } = state;
    if (handle === null) throw new NightshiftError("E_SANDBOX_LOST", `${state.id} was never ready`);
    if (this.#current?.incarnation === incarnation) return this.#current.sandbox;
    this.drop();
    const sandbox = this.#attach(state.id, incarnation, handle, signal);
    this.#current = { incarnation, sandbox };
    try {
      return await sandbox;
    } catch (error) {
      this.#current = null;
      throw error;
    }
  }

  /** Lets go of the sandbox without ending it. */
  drop(): void {
    const current = this.#current;
    this.#current = null;
    current?.sandbox.then(
      (sandbox) => sandbox.detach(),
      () => undefined,
    );
  }

  async #attach(
    id: string,
    incarnation: string,
    handle: NonNullable<SandboxState["handle"]>,
    signal: AbortSignal,
  ): Promise<Sandbox> {
    const sandbox = await this.#backend.attach(handle, this.#epoch, signal);
    if (sandbox.incarnation === incarnation) return sandbox;
    sandbox.detach();
    throw new NightshiftError("E_SANDBOX_LOST", `${id} lives on as another incarnation`);
  }
}
