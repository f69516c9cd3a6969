/** A driver's connection to the session's sandbox: attached once per incarnation, under the driver's epoch. */

import { isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { SandboxState } from "../core/state.ts";
import type { Sandbox, SandboxBackend } from "../sandbox/contract.ts";

interface Connection {
  readonly incarnation: string;
  readonly sandbox: Promise<Sandbox>;
  /** Once there is one. */
  attached: Sandbox | null;
  /** Ends an attempt to attach that nobody waits for any more. */
  readonly dropped: AbortController;
}

/** Keeps at most one connection. */
export class SandboxConnections {
  readonly #backend: SandboxBackend;
  readonly #epoch: number;
  #current: Connection | null = null;

  constructor(backend: SandboxBackend, epoch: number) {
    this.#backend = backend;
    this.#epoch = epoch;
  }

  /**
   * The connection to this incarnation, shared by all who want it. Attaching raises the daemon's floor, so commands
   * of earlier drivers are refused from then on. @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE`
   */
  async to(state: SandboxState): Promise<Sandbox> {
    const { incarnation, handle } = state;
    if (handle === null) throw new NightshiftError("E_SANDBOX_LOST", `${state.id} was never ready`);
    if (this.#current?.incarnation === incarnation) return this.#current.sandbox;
    this.drop();
    const dropped = new AbortController();
    const sandbox = this.#attach(state.id, incarnation, handle, dropped.signal);
    const connection: Connection = { incarnation, sandbox, attached: null, dropped };
    this.#current = connection;
    try {
      connection.attached = await sandbox;
      return connection.attached;
    } catch (error) {
      if (this.#current === connection) this.#current = null;
      throw error;
    }
  }

  /** The connection to this incarnation if it is at hand, so that nothing has to be waited for. */
  at(state: SandboxState): Sandbox | null {
    return this.#current?.incarnation === state.incarnation ? this.#current.attached : null;
  }

  /** Lets go of the sandbox without ending it. */
  drop(): void {
    const current = this.#current;
    this.#current = null;
    current?.dropped.abort(new NightshiftError("E_SANDBOX_LOST", "the connection was given up"));
    current?.sandbox.then(
      (sandbox) => sandbox.detach(),
      () => undefined,
    );
  }

  /** Lets go of a connection that was found dead, so that the next one who wants it attaches anew. */
  dropLost(incarnation: string): void {
    if (this.#current?.incarnation === incarnation) this.drop();
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

/** What there is to say of a sandbox that does not answer any more, or could not be made. */
export function lostEvent(
  which: { readonly sandbox: string; readonly incarnation?: string },
  error: unknown,
): EventInput {
  const code = isNightshiftError(error) ? error.code : "E_SANDBOX_UNAVAILABLE";
  return event("sandbox.lost", { ...which, reason: messageOf(error).slice(0, 2000), code });
}
