/** A sandbox as its harness sees it, through a daemon. */
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import type { ExecId, SandboxId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecReply, ExecRequest, PrepareReply, Sandbox } from "../contract.ts";
import { type CallOptions, ConnectionClosed, type DaemonAddress, DaemonClient } from "./client.ts";
import type { Command } from "./protocol.ts";

const CONNECT_MS_MAX = 5_000;
const CANCEL_MS_MAX = 60_000;
/** A dropped connection is made anew this often; every command may be sent twice. */
const RECONNECTS_MAX = 3;

/**
 * Attaches to a daemon under an epoch.
 * @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE`
 */
export async function attachToDaemon(
  address: DaemonAddress,
  id: SandboxId,
  epoch: number,
  signal: AbortSignal,
): Promise<Sandbox> {
  const client = await connectAttached(address, id, epoch, signal);
  return new AttachedSandbox(client, address, id, epoch);
}

async function connectAttached(
  address: DaemonAddress,
  id: SandboxId,
  epoch: number,
  signal?: AbortSignal,
): Promise<DaemonClient> {
  let client: DaemonClient | undefined;
  try {
    client = await DaemonClient.open(address, CONNECT_MS_MAX, signal);
    const timeLimit = AbortSignal.timeout(CONNECT_MS_MAX);
    await client.call(
      { method: "attach", epoch },
      { signal: signal ? AbortSignal.any([signal, timeLimit]) : timeLimit },
    );
    if (client.greeting.sandbox === id) return client;
    throw new NightshiftError("E_SANDBOX_LOST", `sandbox ${client.greeting.sandbox} answers for ${id}`);
  } catch (error) {
    client?.close();
    signal?.throwIfAborted();
    throw asSandboxError(error, id);
  }
}

class AttachedSandbox implements Sandbox {
  readonly id: SandboxId;
  readonly incarnation: string;
  readonly #address: DaemonAddress;
  readonly #epoch: number;
  #client: DaemonClient;
  #reconnecting: Promise<DaemonClient> | undefined;
  #isDetached = false;

  constructor(client: DaemonClient, address: DaemonAddress, id: SandboxId, epoch: number) {
    this.#client = client;
    this.#address = address;
    this.#epoch = epoch;
    this.id = id;
    this.incarnation = client.greeting.incarnation;
  }

  async execute(
    request: ExecRequest,
    { signal, onOutput }: { readonly signal: AbortSignal; readonly onOutput?: (text: string) => void },
  ): Promise<ExecReply> {
    const command = { method: "execute", request, stream: onOutput !== undefined } as const;
    try {
      return (await this.#call(command, { signal, onOutput })) as unknown as ExecReply;
    } catch (error) {
      if (isNightshiftError(error, "E_EVENT_TOO_LARGE")) return tooLarge(error.message);
      throw error;
    }
  }

  async prepare(operation: "write" | "edit", input: Json, signal: AbortSignal): Promise<PrepareReply> {
    try {
      const reply = await this.#call({ method: "prepare", operation, input }, { signal });
      return reply as unknown as PrepareReply;
    } catch (error) {
      if (isNightshiftError(error, "E_EVENT_TOO_LARGE")) return { status: "refused", reason: error.message };
      throw error;
    }
  }

  async cancel(execId: ExecId): Promise<void> {
    const signal = AbortSignal.timeout(CANCEL_MS_MAX);
    try {
      await this.#call({ method: "cancel", execId }, { signal });
    } catch (error) {
      throw asSandboxError(error, this.id);
    }
  }

  detach(): void {
    this.#isDetached = true;
    this.#client.close();
  }

  /** Every command is harmless to repeat, so a connection that breaks is made anew and the command sent again. */
  async #call(command: Command, options: CallOptions): Promise<Json> {
    for (let attempt = 1; ; attempt++) {
      const client = this.#client;
      try {
        return await client.call(command, options);
      } catch (error) {
        if (options.signal?.aborted) throw options.signal.reason;
        const isBroken = error instanceof ConnectionClosed && !this.#isDetached;
        if (!isBroken || attempt > RECONNECTS_MAX) throw asSandboxError(error, this.id);
        await this.#reconnect(client);
      }
    }
  }

  async #reconnect(broken: DaemonClient): Promise<void> {
    if (this.#client !== broken) return;
    this.#reconnecting ??= this.#open().finally(() => {
      this.#reconnecting = undefined;
    });
    this.#client = await this.#reconnecting;
  }

  async #open(): Promise<DaemonClient> {
    const client = await connectAttached(this.#address, this.id, this.#epoch);
    if (client.greeting.incarnation === this.incarnation) return client;
    client.close();
    throw new NightshiftError("E_SANDBOX_LOST", `sandbox ${this.id} has been started anew`);
  }
}

function asSandboxError(error: unknown, id: SandboxId): unknown {
  if (isNightshiftError(error) && error.code !== "E_USAGE") return error;
  return new NightshiftError("E_SANDBOX_LOST", `sandbox ${id} cannot be reached: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Said here and not by the daemon, which could not take it in; equal requests get equal answers. */
function tooLarge(reason: string): ExecReply {
  const result = {
    ending: "refused",
    exitCode: null,
    output: reason,
    droppedBytes: 0,
    durationMs: 0,
  } as const;
  return { status: "finished", result };
}
