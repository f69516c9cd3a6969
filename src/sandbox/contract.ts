/**
 * Sandboxes: where commands run. Disposable; they hold nothing that cannot be rebuilt. Each has an exec daemon,
 * through which everything in it happens, and whose journal makes executions idempotent.
 *
 * An *incarnation* is one life of a daemon. The same exec id never runs twice within one incarnation.
 */
import type { ExecId, SandboxId } from "../core/ids.ts";
import type { Json } from "../core/text.ts";

/** What a sandbox is made from. */
export interface SandboxSpec {
  readonly id: SandboxId;
  /** Absolute path of the folder to work in, outside of the sandbox. */
  readonly workspace: string;
  /** The folder to work in is this overlay instead, and `workspace` only names what it stands for. */
  readonly overlay?: Overlay;
  /** What else is to be seen inside; a backend that cannot mount refuses. */
  readonly mounts?: readonly Mount[];
  /** Added to the clean environment of commands. No secrets: commands can read it. */
  readonly environment?: { readonly [name: string]: string };
  /** Defaults to {@link DEFAULT_RESOURCES}. */
  readonly resources?: Resources;
  /**
   * Absolute path of the egress proxy's unix socket; without one there is no way out. Its folder holds nothing else,
   * and it is the folder that is to be mounted: a proxy that is started anew binds a new socket under the same name.
   */
  readonly egress?: string;
  /** The same for the model gateway's socket; commands reach it on loopback. */
  readonly gateway?: string;
  /** Absent for what belongs to no session. */
  readonly fence?: Fence;
  /** The daemon ends itself, and what runs in it, after this long without a harness. */
  readonly noContactMs: number;
  readonly options: { readonly [key: string]: Json };
}

/** Under which lease a session's sandbox is made or ended. */
export interface Fence {
  readonly session: string;
  readonly epoch: number;
}

/** A writable view of folders that stay as they are. All paths are absolute and outside of the sandbox. */
export interface Overlay {
  /** Read-only folders, the topmost first. */
  readonly lower: readonly string[];
  /** Holds what was changed. Same file system as `work`. */
  readonly upper: string;
  /** For the kernel; empty. */
  readonly work: string;
}

/** A folder or file of the machine that is seen inside. */
export interface Mount {
  /** Absolute, outside. */
  readonly source: string;
  /** Absolute, inside. */
  readonly target: string;
  readonly access: "read-only" | "read-write";
}

/** Limits of a whole sandbox. */
export interface Resources {
  /** Of all processes together. */
  readonly memoryBytes: number;
  /** Processes and threads at the same time. */
  readonly processes: number;
  /** Cores; may be a fraction. */
  readonly cpus: number;
  /** Size of each of `/tmp` and `/dev/shm`. */
  readonly temporaryBytes: number;
  /** Largest file that a command may write. */
  readonly fileBytes: number;
}

/** What a sandbox may use unless told otherwise. */
export const DEFAULT_RESOURCES: Resources = {
  memoryBytes: 4 * 1024 ** 3,
  processes: 1024,
  cpus: 4,
  temporaryBytes: 1024 ** 3,
  fileBytes: 8 * 1024 ** 3,
};

/** Where the workspace is inside of sandboxes that have a view of their own. */
export const INNER_WORKSPACE = "/workspace";

/** What is kept in the log to find a sandbox again, from any process. */
export type SandboxHandle = { readonly [key: string]: Json };

/** The operations of the daemon. `input` shapes are those of the tools of the same names. */
export type Operation = "shell" | "read" | "write" | "edit" | "glob" | "grep";

/** One execution. */
export interface ExecRequest {
  readonly execId: ExecId;
  /** The incarnation that the intent in the log names. */
  readonly incarnation: string;
  readonly operation: Operation;
  readonly input: Json;
  readonly limits: ExecLimits;
  /** For `write` and `edit`: content hash that the file must have (null: must not exist); else the ending is `refused`. */
  readonly expectedBefore?: string | null;
}

/** Limits of one execution; all are enforced by the daemon. */
export interface ExecLimits {
  readonly wallMs: number;
  /** Kept output; what exceeds it is counted and dropped from the middle. */
  readonly outputBytes: number;
}

/** How an execution ended; one shape for every ending. */
export interface ExecResult {
  readonly ending: "exited" | "timed_out" | "cancelled" | "out_of_memory" | "refused";
  /** Null unless it exited by itself. */
  readonly exitCode: number | null;
  /** stdout and stderr as they came, or the operation's answer; at most `outputBytes` of it. */
  readonly output: string;
  readonly droppedBytes: number;
  readonly durationMs: number;
}

/** Answer to {@link Sandbox.execute}. */
export type ExecReply =
  | { readonly status: "finished"; readonly result: ExecResult }
  /** The id belongs to another incarnation and certainly never started there. */
  | { readonly status: "not_started"; readonly incarnation: string }
  /** The id belongs to another incarnation and may have run, wholly or in part. */
  | { readonly status: "unknown"; readonly incarnation: string; readonly reason: string };

/** What a write would change; hashes are SHA-256 of the content in hex, null for "no such file". */
export type PrepareReply =
  | {
      readonly status: "prepared";
      readonly path: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  /** The operation cannot work as asked; the text is for the model. `before` is present when the file could be read. */
  | { readonly status: "refused"; readonly reason: string; readonly before?: string | null };

/**
 * A connection to a live sandbox, made by {@link SandboxBackend.attach}. Every method rejects with
 * `E_SANDBOX_LOST` when the sandbox is gone and with `E_SANDBOX_STALE` when a newer epoch has attached.
 */
export interface Sandbox {
  readonly id: SandboxId;
  readonly incarnation: string;
  /**
   * Runs the request, or, when the daemon knows its id, waits for or returns the outcome of that run. Aborting
   * the signal only stops waiting; it does not stop the run.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when it cannot be noted down, and so has certainly not begun
   */
  execute(
    request: ExecRequest,
    options: { readonly signal: AbortSignal; readonly onOutput?: (text: string) => void },
  ): Promise<ExecReply>;
  /** Looks up what a `write` or `edit` would change. Touches nothing. */
  prepare(operation: "write" | "edit", input: Json, signal: AbortSignal): Promise<PrepareReply>;
  /** Kills everything a run has started, verified dead before it answers. Idempotent; unknown ids are fine. */
  cancel(execId: ExecId): Promise<void>;
  /** Drops the connection; the sandbox lives on. */
  detach(): void;
}

/** A sandbox that answers. */
export interface ProvisionedSandbox {
  readonly handle: SandboxHandle;
  readonly incarnation: string;
  /** By what means each limit is held, for people; absent where nothing is limited. */
  readonly limits?: { readonly [limit: string]: string };
}

/** One way to make sandboxes. */
export interface SandboxBackend {
  /** Backend name as in the registry. */
  readonly kind: string;
  /**
   * Makes the sandbox, or finds the one that an earlier call with the same id has made. The handle must be
   * enough to attach from another process. Raises the floor of the fence's session to its epoch: what a lower one makes
   * from then on is refused, and what it was making in that moment ends, unless somebody uses it.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE`, `E_SANDBOX_STALE`
   */
  provision(spec: SandboxSpec, signal: AbortSignal): Promise<ProvisionedSandbox>;
  /**
   * Connects under an epoch and raises the daemon's floor to it: from then on, everything under a lower epoch is
   * refused. @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE`
   */
  attach(handle: SandboxHandle, epoch: number, signal: AbortSignal): Promise<Sandbox>;
  /**
   * Ends it and everything in it, verified dead before it answers. Idempotent, also when it never existed. Raises the
   * floor as {@link SandboxBackend.provision} does. @throws NightshiftError `E_SANDBOX_STALE`
   */
  destroy(id: SandboxId, handle: SandboxHandle | undefined, fence?: Fence): Promise<void>;
}
