/**
 * Failures as types. Expected endings are values in a union; what nobody can handle on the spot is a
 * {@link NightshiftError} with a stable code, a retry verdict and the next step for a person.
 */

/** Every code there is: what it means, the exit code of a command that ends with it, and what to do next. */
export const ERROR_CODES = {
  E_USAGE: { exit: 2, hint: "Run the command with --help to see what it takes." },
  E_CONFIG: { exit: 2, hint: "Correct the named field and run the command again." },
  E_CONFIG_UNTRUSTED: {
    exit: 2,
    hint: "Read it, then run `nightshift trust`; or go on without it: --ignore-project.",
  },
  E_CONTRACT_INVALID: { exit: 2, hint: "Correct what is named; nothing was started." },
  E_PREFLIGHT: {
    exit: 2,
    hint: "Mend what the checks need, or change the contract; then run `nightshift resume`.",
  },
  E_CAP_REACHED: {
    exit: 3,
    hint: "Raise it with `nightshift resume` and the cap's flag; what was judged stays so.",
  },
  E_REFEREE: {
    exit: 70,
    hint: "Look with `nightshift logs`, then run `nightshift resume` for another verdict.",
  },
  E_CONTRACT_FILE: { exit: 2, hint: "Correct the named line or field of the file." },
  E_PLAN_UNUSABLE: {
    exit: 69,
    hint: "Try again or with another model, or write the contract yourself: docs/contracts.md shows how.",
  },
  E_SESSION_UNKNOWN: { exit: 2, hint: "Run `nightshift list` to see the sessions in this state folder." },
  E_SESSION_EXISTS: { exit: 2, hint: "Choose another session id, or resume the existing one." },
  E_SESSION_BUSY: { exit: 2, hint: "Wait until it is idle, or send with --steering enqueue or interrupt." },
  E_SESSION_TERMINATED: { exit: 2, hint: "A terminated session is read-only; fork it to go on." },
  E_RETRY_REFUSED: { exit: 2, hint: "Run `nightshift status` to see what it waits for." },
  E_QUESTION_UNKNOWN: { exit: 2, hint: "Run `nightshift inbox` to see what is asked." },
  E_QUESTION_CLOSED: { exit: 2, hint: "Say it with `nightshift send` instead; the agent reads it next." },
  E_APPROVAL_STALE: { exit: 2, hint: "Run `nightshift inbox`, and look at what is asked now." },
  E_EVENT_INVALID: { exit: 2, hint: "Correct the named field; nothing of this submission was stored." },
  E_EVENT_FORBIDDEN: {
    exit: 2,
    hint: "Clients may send user.*, question.answered, approval.decided and control.* only.",
  },
  E_EVENT_NEWER: { exit: 2, hint: "This log was written by a newer Nightshift; upgrade this one." },
  E_EVENT_TOO_LARGE: { exit: 2, hint: "Send less at once; the limit is in the message." },
  E_APPEND_MISMATCH: {
    exit: 70,
    hint: "The same append id came with other bytes; this is a bug worth reporting.",
  },
  E_QUEUE_FULL: { exit: 2, hint: "Too many messages wait to be picked up; wake the session first." },
  E_LOG_LOST: {
    exit: 70,
    hint: "Acknowledged events are missing; run `nightshift fsck`, then restore or fork.",
  },
  E_LOG_CORRUPT: {
    exit: 70,
    hint: "Run `nightshift fsck` for the first bad event, then `fsck --fork` to go on.",
  },
  E_BLOB_MISSING: { exit: 70, hint: "Run `nightshift fsck` for the events that need it." },
  E_STORE_NEWER: { exit: 2, hint: "This state folder was written by a newer Nightshift; upgrade this one." },
  E_STORE_NETWORK_FS: {
    exit: 2,
    hint: "SQLite is not safe on a network file system; pass --state with a local folder.",
  },
  E_STORE_READ_ONLY: { exit: 2, hint: "Make the state folder writable, or pass --state with another one." },
  E_STORE_FULL: { exit: 69, hint: "Free some disk space; the log is as it was before this write." },
  E_STORE_IO: { exit: 69, hint: "The disk reported an error; check it, then run `nightshift fsck`." },
  E_STORE_BUSY: { exit: 69, hint: "Another process held the database too long; try again." },
  E_STORE_CLOSED: { exit: 70, hint: "The store was closed while in use." },
  E_FENCED: { exit: 70, hint: "Another harness drives this session now; look with `nightshift status`." },
  E_MODEL_KEY_MISSING: { exit: 77, hint: "Set the named environment variable and run `nightshift resume`." },
  E_MODEL_AUTH: { exit: 77, hint: "The provider refused the key; correct it and run `nightshift resume`." },
  E_MODEL_UNKNOWN: {
    exit: 2,
    hint: "Name a model as provider:model, for example anthropic:claude-sonnet-5.",
  },
  E_SCRIPT_INVALID: { exit: 2, hint: "Correct the named field of the script." },
  E_MODEL_REFUSED: {
    exit: 69,
    hint: "The provider will not answer this request; read the message, then run `nightshift resume`.",
  },
  E_MODEL_UNAVAILABLE: {
    exit: 69,
    hint: "The provider kept failing; run `nightshift resume` when it works again.",
  },
  E_SANDBOX_UNAVAILABLE: { exit: 69, hint: "Run `nightshift doctor` to see what is missing." },
  E_SANDBOX_LOST: { exit: 69, hint: "The sandbox is gone; `nightshift resume` starts another." },
  E_SANDBOX_STALE: { exit: 70, hint: "A newer harness has attached to this sandbox." },
  E_GATEWAY_UNAVAILABLE: {
    exit: 69,
    hint: "Run `nightshift resume`; if it comes again, see whether another program has the port.",
  },
  E_EGRESS_UNAVAILABLE: {
    exit: 69,
    hint: "Run `nightshift doctor`; the log beside the proxy's record says more.",
  },
  E_SOURCE_REFUSED: {
    exit: 2,
    hint: "Take the dependency from a registry that is allowed, or allow its host.",
  },
  E_LAYER_FAILED: { exit: 69, hint: "The output above says what the package manager could not do." },
  E_TOOLCHAIN_MISSING: {
    exit: 69,
    hint: "Install the program, or pass --mount with the folder that has it.",
  },
  E_WORKSPACE_SOURCE: { exit: 2, hint: "Name a folder, or a folder of a repository with a working tree." },
  E_WORKSPACE_DIRTY: {
    exit: 2,
    hint: "Commit the changes, or choose: --dirty=include makes them part of the base, --dirty=ignore begins without them.",
  },
  E_WORKSPACE_MISSING: { exit: 2, hint: "Run the named command to fetch what is missing, then start again." },
  E_WORKSPACE_TOO_LARGE: {
    exit: 2,
    hint: "Ignore large generated files in .gitignore; the limit is in the message.",
  },
  E_WORKSPACE_UNKNOWN: {
    exit: 70,
    hint: "The files of this session are gone; fork it to begin with new ones.",
  },
  E_WORKSPACE_BUSY: { exit: 69, hint: "Something kept writing to the workspace; end it, then try again." },
  E_WORKSPACE_GIT: { exit: 69, hint: "Run `nightshift doctor` to see whether git 2.39 or newer works here." },
  E_WORKSPACE_DAMAGED: {
    exit: 70,
    hint: "Check the disk, then restore an earlier checkpoint with `nightshift rewind`.",
  },
  E_BRANCH_TAKEN: {
    exit: 2,
    hint: "Rename or remove the named branch, or switch away from it, then try again.",
  },
  E_NOT_VERIFIED: {
    exit: 4,
    hint: "Look with `nightshift report`; `nightshift publish` makes a branch of it that you can merge yourself.",
  },
  E_APPLY_CONFLICT: {
    exit: 4,
    hint: "Merge the branch yourself, then run `nightshift verify` on what comes of it.",
  },
  E_APPLY_UNANSWERED: {
    exit: 4,
    hint: "Look at the named files with `nightshift diff`, then answer at a terminal or with the named flag.",
  },
  E_EXPORT_REFUSED: {
    exit: 2,
    hint: "Look at the named object with `nightshift diff`; nothing was written to the branch.",
  },
  E_BUNDLE_INVALID: {
    exit: 70,
    hint: "Do not rely on it; ask whoever made it for another copy, and for the head to compare with.",
  },
  E_EXEC_MISMATCH: {
    exit: 70,
    hint: "The same execution id came with another request; this is a bug worth reporting.",
  },
  E_TOOL_UNKNOWN: { exit: 2, hint: "Run `nightshift doctor` to see the tools there are." },
  E_BACKEND_UNKNOWN: { exit: 2, hint: "Use one of the names in the message." },
  E_CANCELLED: { exit: 130, hint: "Nothing is lost; run `nightshift resume`." },
  E_OUTPUT_LOST: { exit: 69, hint: "Free some disk space, then look again; what was done is in the log." },
  E_NODE_TOO_OLD: { exit: 2, hint: "Install Node 22.13 or newer." },
  E_INTERNAL: { exit: 70, hint: "This is a bug worth reporting, with the log (`nightshift events --json`)." },
} as const satisfies Record<string, { readonly exit: number; readonly hint: string }>;

/** A stable name for a kind of failure. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What may be said of a failure besides its message. */
export interface ErrorDetails {
  /** May the same call succeed later, unchanged? Default: false. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Overrides the table's next step where a better one is known. */
  readonly hint?: string;
  /** Machine-readable facts: sequences, paths, field names. Never secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
}

const MARKER: unique symbol = Symbol.for("nightshift.error") as never;

/** The one error class; recognised across copies of the library by a registered symbol. */
export class NightshiftError extends Error {
  override readonly name = "NightshiftError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly hint: string;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.hint = details.hint ?? ERROR_CODES[code].hint;
    this.data = details.data ?? {};
    Object.defineProperty(this, MARKER, { value: true });
  }
}

/** True for a {@link NightshiftError}, also one made by another copy of this library. */
export function isNightshiftError(error: unknown, code?: ErrorCode): error is NightshiftError {
  if (typeof error !== "object" || error === null || !(MARKER in error)) return false;
  return code === undefined || (error as unknown as NightshiftError).code === code;
}

/** A broken invariant of our own: stops the driver, because going on could damage the log. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new NightshiftError("E_INTERNAL", `invariant broken: ${message}`);
}

/** For switches that must name every case. */
export function unreachable(value: never): never {
  throw new NightshiftError("E_INTERNAL", `unexpected case: ${JSON.stringify(value)}`);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
