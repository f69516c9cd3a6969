/** What `decide` answers, and what it is told besides the state. */
import type { Spending } from "./budget/state.ts";
import type { ContractState } from "./contract/state.ts";
import { unreachable } from "./errors.ts";
import type { EventBody, EventInput } from "./events/index.ts";
import { attemptExecId, type CallId, type ExecId, execId, type SandboxId, type Sequence } from "./ids.ts";
import type { ToolDescription } from "./message.ts";
import type { Notice } from "./people/state.ts";
import type { CallState, OpenRequest, SandboxState, SessionState } from "./state.ts";
import type { Json } from "./text.ts";

/** Everything about the moment that is not in the log. */
export interface Now {
  /** Wall-clock time. */
  readonly at: number;
  /** Epoch of the lease that this driver holds. */
  readonly epoch: number;
  /** Monotonic time since what runs has begun or shown a sign of life, or since the end of a suspension. */
  readonly quietMs: number;
  /** Hash and size of the context that a request started now would send. */
  context(): { readonly hash: string; readonly tokens: number };
  /** What the call was made with, as stored. */
  inputOf(call: CallId): Json;
  /** What all sessions have spent today, where that is capped; absent: it is not. */
  readonly day?: DayBudget;
  /** What a new thread pins. */
  readonly profile: HarnessProfile;
}

/** Caps on what all sessions of a store spend in one day (UTC), and what they have spent of them. */
export interface DayBudget {
  readonly caps: NonNullable<EventBody<"session.created">["limits"]["attempt"]>;
  readonly spent: Spending;
}

/** What this release of the harness brings to a new thread. */
export interface HarnessProfile {
  readonly version: string;
  readonly renderer: number;
  /** Renderers that this release still has, for threads pinned by older ones. */
  readonly renderers: readonly number[];
  /** Descriptions of all built-in tools, by name. */
  readonly tools: ReadonlyMap<string, ToolDescription>;
  /** Who is told when a session rests; absent: nobody. */
  readonly targets?: readonly NoticeTarget[];
}

/** One who is told when a session rests, as far as policy is concerned. */
export interface NoticeTarget {
  readonly name: string;
  readonly kinds: readonly Notice[];
}

/** Something to be performed; `key` identifies it among all that a session ever performs. */
export type Intent =
  | { readonly kind: "model"; readonly key: string; readonly request: number }
  | { readonly kind: "exec"; readonly key: string; readonly call: CallState; readonly execId: ExecId }
  | { readonly kind: "prepare"; readonly key: string; readonly call: CallState }
  | { readonly kind: "cancel"; readonly key: string; readonly call: CallId; readonly execId: ExecId }
  | { readonly kind: "attempt"; readonly key: string; readonly attempt: number; readonly execId: ExecId }
  | { readonly kind: "provision"; readonly key: string; readonly sandbox: SandboxId }
  | { readonly kind: "services"; readonly key: string; readonly sandbox: SandboxId }
  | { readonly kind: "checkpoint"; readonly key: string; readonly number: number }
  | { readonly kind: "preflight"; readonly key: string }
  | { readonly kind: "verdict"; readonly key: string; readonly number: number }
  | { readonly kind: "publish"; readonly key: string; readonly seq: number }
  | { readonly kind: "handoff"; readonly key: string; readonly number: number }
  | { readonly kind: "notify"; readonly key: string; readonly seq: Sequence; readonly target: string }
  | { readonly kind: "destroy"; readonly key: string; readonly sandbox: SandboxId };

/** The next thing for the driver to do. */
export type Step =
  /** Write these decisions, then ask again. */
  | { readonly kind: "append"; readonly events: readonly EventInput[] }
  /** These, and only these, must be running; wait for news, at most `withinMs`. */
  | { readonly kind: "perform"; readonly intents: readonly Intent[]; readonly withinMs: number | null }
  /** Nothing to do before `due`. */
  | { readonly kind: "leave"; readonly due: number | null };

/** @param events - at least one */
export function append(...events: readonly EventInput[]): Step {
  return { kind: "append", events };
}

/** @param withinMs - decide again after this time even without news */
export function perform(intents: readonly Intent[], withinMs: number | null = null): Step {
  return { kind: "perform", intents, withinMs };
}

/** @param due - wall-clock time at which the session wants to be woken; null for "only by a message" */
export function leave(due: number | null): Step {
  return { kind: "leave", due };
}

/**
 * What the log says is in flight besides tool calls: the model request, a checkpoint, checks of the referee, the
 * branch, the making or ending of the sandbox, the start of its services.
 */
export function inFlight(state: SessionState): Intent[] {
  const intents: Intent[] = [];
  if (state.request !== null) {
    intents.push({
      kind: "model",
      key: modelKey(state.request),
      request: state.request.number,
    });
  }
  const { sandbox, workspace, contract, branch } = state;
  if (workspace !== null && workspace.making !== null) {
    const key = checkpointKey(workspace.making, workspace.failures);
    intents.push({ kind: "checkpoint", key, number: workspace.making });
  }
  if (contract?.preflight === "running") intents.push({ kind: "preflight", key: preflightKey(contract) });
  if (contract !== null && contract.making !== null) {
    const { number } = contract.making;
    intents.push({ kind: "verdict", key: `verdict/${number}`, number });
  }
  const wanted = branch?.wanted ?? null;
  if (wanted !== null) intents.push({ kind: "publish", key: `publish/${wanted.seq}`, seq: wanted.seq });
  const { making } = state.attempts;
  if (making !== null) intents.push({ kind: "handoff", key: `handoff/${making}`, number: making });
  if (sandbox?.status === "requested") {
    intents.push({
      kind: "provision",
      key: provisionKey(sandbox),
      sandbox: sandbox.id,
    });
  }
  if (sandbox?.status === "ready" && sandbox.services?.status === "starting")
    intents.push({ kind: "services", key: servicesKey(sandbox), sandbox: sandbox.id });
  if (sandbox?.status === "ending")
    intents.push({ kind: "destroy", key: `destroy/${sandbox.id}`, sandbox: sandbox.id });
  return intents;
}

/** The execution that a started call stands for. */
export function execIntent(state: SessionState, call: CallState): Intent {
  const id = execId(state.sessionId, call.call, call.run);
  return { kind: "exec", key: `exec/${id}/${state.sandbox?.incarnation ?? ""}`, call, execId: id };
}

/** The process that a program's attempt stands for. */
export function attemptIntent(state: SessionState, attempt: number): Intent {
  const execId = attemptExecId(state.sessionId, attempt);
  return { kind: "attempt", key: `exec/${execId}/${state.command?.incarnation ?? ""}`, attempt, execId };
}

/** Does the log still wait for what comes of this intent? */
export function isOpen(state: SessionState, intent: Intent): boolean {
  switch (intent.kind) {
    case "model":
      return state.request !== null && intent.key === modelKey(state.request);
    case "exec":
      return state.calls.some(
        (call) => call.call === intent.call.call && call.status === "started" && call.run === intent.call.run,
      );
    case "prepare":
      return state.calls.some((call) => isUnprepared(call, intent.call));
    case "cancel":
      return true;
    case "attempt":
      return state.attempts.open?.number === intent.attempt;
    case "provision":
      return state.sandbox?.status === "requested" && intent.key === provisionKey(state.sandbox);
    case "services":
      return (
        state.sandbox?.status === "ready" &&
        state.sandbox.services?.status === "starting" &&
        intent.key === servicesKey(state.sandbox)
      );
    case "checkpoint":
      return state.workspace?.making === intent.number;
    case "preflight":
      return state.contract?.preflight === "running" && intent.key === preflightKey(state.contract);
    case "verdict":
      return state.contract?.making?.number === intent.number;
    case "publish":
      return state.branch?.wanted?.seq === intent.seq;
    case "handoff":
      return state.attempts.making === intent.number;
    case "notify":
      return state.people.notice?.seq === intent.seq && !state.people.notice.told.includes(intent.target);
    case "destroy":
      return state.sandbox?.id === intent.sandbox && state.sandbox.status === "ending";
    default:
      return unreachable(intent);
  }
}

function isUnprepared(call: CallState, asked: CallState): boolean {
  return (
    call.call === asked.call &&
    call.status === asked.status &&
    call.run === asked.run &&
    call.prepared === null
  );
}

/** Each text of the contract has one of its own. */
function preflightKey({ amendments, hash }: ContractState): string {
  return `preflight/${amendments}/${hash}`;
}

/** Each try to make it is an intent of its own. */
function provisionKey(sandbox: SandboxState): string {
  return `provision/${sandbox.id}/${sandbox.failures}`;
}

function servicesKey({ id, incarnation, services }: SandboxState): string {
  return `services/${id}/${incarnation}/${services?.hash ?? ""}`;
}

/** Each try to make it is an intent of its own. */
function checkpointKey(number: number, failures: number): string {
  return `checkpoint/${number}/${failures}`;
}

function modelKey(request: OpenRequest): string {
  return `model/${request.number}/${request.epoch}`;
}
