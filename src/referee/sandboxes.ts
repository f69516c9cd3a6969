/** Sandboxes of the referee: without a way out, used once, and ended with all that is in them. */
import type { Service } from "../core/contract/contract.ts";
import { isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import type { ExecId, SandboxId } from "../core/ids.ts";
import type { ExecResult, Mount, Sandbox } from "../sandbox/contract.ts";
import { startServices } from "../sandbox/services.ts";
import type { WorkspaceFiles } from "../workspace/contract.ts";
import { GRACE_MS, NO_CONTACT_MS, OUTPUT_BYTES_MAX, PROVISION_MS_MAX } from "./limits.ts";
import type { RefereeParts } from "./parts.ts";
import { withEnvironment } from "./shell-command.ts";
import type { CheckWorld } from "./world.ts";

/** What a sandbox of the referee has besides what all of them have. */
export interface SandboxContent {
  readonly files: WorkspaceFiles;
  readonly mounts: readonly Mount[];
}

/** How the names of the referee's sandboxes begin; they are wanted as long as somebody drives the session. */
export function refereeSandboxPrefix(sessionId: string): string {
  return `sbox_${sessionId.slice("sesn_".length)}_r`;
}

/**
 * Makes a sandbox without a way out, uses it, and ends it with all that is in it before this answers.
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when there is none to be had, `E_SANDBOX_LOST`, `E_SANDBOX_STALE`
 */
export async function inSandbox<T>(
  { parts, sessionId, epoch, surroundings }: CheckWorld,
  content: SandboxContent,
  use: (sandbox: Sandbox) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { backend, clock } = parts;
  const id = `${refereeSandboxPrefix(sessionId)}${parts.chance.unique(12)}` as SandboxId;
  const spec = {
    id,
    ...content.files,
    ...(parts.isIsolated && { mounts: [...surroundings.mounts, ...content.mounts] }),
    environment: { CI: "true", ...surroundings.environment },
    ...(epoch !== null && { fence: { session: sessionId, epoch } }),
    noContactMs: NO_CONTACT_MS,
    options: {},
  };
  try {
    const made = await within(clock, PROVISION_MS_MAX, signal, (limited) =>
      backend.provision(spec, limited),
    ).catch(neverHad);
    const sandbox = await within(clock, GRACE_MS, signal, (limited) =>
      backend.attach(made.handle, epoch ?? 1, limited),
    );
    try {
      return await use(sandbox);
    } finally {
      sandbox.detach();
    }
  } finally {
    await backend.destroy(id, undefined);
  }
}

/** What was never there cannot be lost. */
function neverHad(error: unknown): never {
  if (!isNightshiftError(error, "E_SANDBOX_LOST")) throw error;
  throw new NightshiftError("E_SANDBOX_UNAVAILABLE", messageOf(error), { cause: error });
}

/** Runs one command after the other in one sandbox, all of them within one limit. */
export class Commands {
  readonly #world: CheckWorld;
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;
  readonly #wallMs: number;
  #spentMs = 0;
  #count = 0;
  #output = "";

  constructor(world: CheckWorld, sandbox: Sandbox, wallMs: number, signal: AbortSignal) {
    this.#world = world;
    this.#sandbox = sandbox;
    this.#wallMs = wallMs;
    this.#signal = signal;
  }

  /** To its end, with everything that it has started. */
  async run(command: string, environment: Readonly<Record<string, string>> = {}): Promise<ExecResult> {
    const wallMs = Math.max(1, Math.ceil(this.#wallMs - this.#spentMs));
    this.#count += 1;
    const execId = `${this.#sandbox.id}/check/${this.#count}` as ExecId;
    const request = {
      execId,
      incarnation: this.#sandbox.incarnation,
      operation: "shell",
      input: { command: withEnvironment(command, environment), timeout_ms: wallMs },
      limits: { wallMs, outputBytes: OUTPUT_BYTES_MAX },
    } as const;
    const { clock } = this.#world.parts;
    const reply = await within(clock, wallMs + GRACE_MS, this.#signal, (signal) =>
      this.#sandbox.execute(request, { signal }),
    );
    if (reply.status !== "finished")
      throw new NightshiftError("E_SANDBOX_LOST", "the sandbox of a check was replaced while it ran");
    await this.#sandbox.cancel(execId);
    this.#spentMs += reply.result.durationMs;
    this.#output += reply.result.output;
    return reply.result;
  }

  /**
   * Starts services beside the commands to come; they end with the sandbox. What keeps one from being ready is a
   * failure of the check. @returns null when all are ready
   * @throws NightshiftError `E_CONFIG` when whether one is ready cannot be seen
   */
  async serve(services: readonly Service[]): Promise<ExecResult | null> {
    if (services.length === 0) return null;
    const options = { run: "check", lifeMs: this.#wallMs, signal: this.#signal };
    const start = await startServices(this.#sandbox, services, options);
    if (start.status === "ready") return null;
    const { reason, message, output } = start.failure;
    if (reason === "cannot_look") throw new NightshiftError("E_CONFIG", message);
    this.#output += `${message}\n${output}`;
    return this.total({ ending: "exited", exitCode: 1, output: "", droppedBytes: 0, durationMs: 0 });
  }

  /** All of them together, with the ending of the last one. */
  total(last: ExecResult): ExecResult {
    return { ...last, durationMs: this.#spentMs, output: this.#output };
  }
}

/** @throws NightshiftError `E_SANDBOX_LOST` when there is no answer in time */
async function within<T>(
  clock: RefereeParts["clock"],
  limitMs: number,
  signal: AbortSignal,
  effect: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const limited = AbortSignal.any([signal, over.signal]);
  const expiry = clock.sleep(limitMs, limited).then(() => {
    const seconds = Math.round(limitMs / 1000);
    throw new NightshiftError("E_SANDBOX_LOST", `a sandbox of the referee gave no answer for ${seconds} s`);
  });
  try {
    return await Promise.race([effect(limited), expiry]);
  } finally {
    over.abort(new NightshiftError("E_CANCELLED", "no longer waited for"));
    expiry.catch(() => {});
  }
}
