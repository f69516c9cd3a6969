/**
 * Names of things. Ids are branded strings, so that a session id cannot be passed where a thread id is wanted.
 * `core` never makes random ids: whoever creates something passes the random part in.
 */

declare const brand: unique symbol;
/** A string that names one kind of thing. */
export type Id<Name extends string> = string & { readonly [brand]: Name };

/** `sesn_…`: the durable unit of work; owns one append-only log. */
export type SessionId = Id<"session">;
/** `sthr_…`: one context window of a session. */
export type ThreadId = Id<"thread">;
/** `sbox_…`: one disposable place where commands run. */
export type SandboxId = Id<"sandbox">;
/** `c<request>_<index>`: one tool call; ours, not the provider's, and stable through conflicts. */
export type CallId = Id<"call">;
/** `<session>/<call>/<run>`: one execution; the daemon's journal is keyed by it. */
export type ExecId = Id<"exec">;
/** Position of an event in its log: dense, 1-based; 0 means "before the first". */
export type Sequence = number;

const SESSION_PATTERN = /^sesn_[0-9a-z]{8,40}$/;

/** Checks the form of a session id that came from outside. */
export function isSessionId(text: string): text is SessionId {
  return SESSION_PATTERN.test(text);
}

/** Trusts text that this project made itself (read back from the log, or from a test). */
export function asSessionId(text: string): SessionId {
  return text as SessionId;
}

/** @param unique - lower-case letters and digits, 8 to 40 of them */
export function sessionId(unique: string): SessionId {
  return `sesn_${unique}` as SessionId;
}

/** The n-th thread of a session (0-based); derived, so that a replay names it the same. */
export function threadId(session: SessionId, index: number): ThreadId {
  return `sthr_${session.slice(5)}_${index}` as ThreadId;
}

/** The n-th sandbox of a session (0-based); derived, so that provisioning twice finds the first. */
export function sandboxId(session: SessionId, index: number): SandboxId {
  return `sbox_${session.slice(5)}_${index}` as SandboxId;
}

/** The call at `index` in the answer to model request `request`. */
export function callId(request: number, index: number): CallId {
  return `c${request}_${index}` as CallId;
}

/** @param run - 1 for the first run of a call; a run after an in-doubt one counts up */
export function execId(session: SessionId, call: CallId, run: number): ExecId {
  return `${session}/${call}/${run}` as ExecId;
}

/** Stands for a program's attempt where a call would be named. */
export function attemptCallId(attempt: number): CallId {
  return `a${attempt}` as CallId;
}

/** The one process of a program's attempt: it is never run twice. */
export function attemptExecId(session: SessionId, attempt: number): ExecId {
  return execId(session, attemptCallId(attempt), 1);
}

/** The public id of an event (`sevt_…`): derived from its place, hence never stored. */
export function eventId(session: SessionId, seq: Sequence): string {
  return `sevt_${session.slice(5)}_${seq.toString(36)}`;
}
