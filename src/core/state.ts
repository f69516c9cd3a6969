/**
 * The fold's result: where a session stands. Positions and counters only, never transcript, so that its size does
 * not grow with the log. Plain data: a snapshot is its JSON.
 */
import { type AttemptsState, NO_ATTEMPTS } from "./attempt/state.ts";
import type { BranchState } from "./branch/state.ts";
import { type BreakerState, NO_BREAKERS } from "./budget/breaker-state.ts";
import { type BudgetState, NO_BUDGET } from "./budget/state.ts";
import type { CommandState } from "./command/state.ts";
import type { ContractState } from "./contract/state.ts";
import type { EventBody } from "./events/index.ts";
import type { CallId, SandboxId, Sequence, SessionId, ThreadId } from "./ids.ts";
import { NO_PEOPLE, type PeopleState } from "./people/state.ts";
import type { Portions } from "./reduce/portions.ts";
import type { Json } from "./text.ts";

/** Where a session stands. */
export interface SessionState {
  readonly sessionId: SessionId;
  /** Position of the last folded event. */
  readonly seq: Sequence;
  /** Wall-clock time of the last folded event. */
  readonly lastEventAt: number;
  readonly createdAt: number;
  /** Null before the first event. */
  readonly config: EventBody<"session.created"> | null;
  readonly phase: "idle" | "running" | "terminated";
  readonly stopReason: StopReason | null;
  /** Wall-clock time of the last `session.status_idle`. */
  readonly idleSince: number;
  /** A request of a person to pause, interrupt, stop or cancel that is being carried out. */
  readonly halt: Halt | null;
  /** Why no new model request may start until a person lifts it; set by going idle for such a reason. */
  readonly hold: StopReason["type"] | null;
  /** Messages that wait to be picked up, oldest first. */
  readonly queue: Portions<QueuedInput>;
  /** Does the model owe an answer to what it has been given? */
  readonly answerOwed: boolean;
  /** Was the last answer a refusal? */
  readonly refused: boolean;
  /** Answers in a row that were cut off at the limit of output tokens. */
  readonly cutShort: number;
  readonly thread: ThreadState | null;
  readonly threads: number;
  /** Number of the last model request. */
  readonly requests: number;
  readonly request: OpenRequest | null;
  /** By how many tokens the bound on the thread's context exceeded what the provider counted, the last time it told. */
  readonly inputSurplus: number;
  /** Failures of the request that is owed; null when the last one answered. */
  readonly retry: RetryState | null;
  /** Since when, and until when, another model is asked; null once its own has answered again. */
  readonly switched: SwitchState | null;
  /** Requests lost in a row to dying harnesses. */
  readonly losses: number;
  /** Calls of the newest turn, in call order, until the next request starts. */
  readonly calls: readonly CallState[];
  readonly sandbox: SandboxState | null;
  readonly sandboxes: number;
  /** How far the record of the egress proxy is in the log, in bytes. */
  readonly egress: number;
  /** The same of the proxy through which its layers are fetched. */
  readonly setUpEgress: number;
  /** Null as long as the files ask for the layer of the base. */
  readonly environment: EnvironmentState | null;
  /** Null for a session that works in a folder as it is. */
  readonly workspace: WorkspaceState | null;
  /** Null for a session whose end nobody verifies. */
  readonly contract: ContractState | null;
  /** What waits for a person. */
  readonly people: PeopleState;
  readonly attempts: AttemptsState;
  /** Absent as long as nobody has asked for one. */
  readonly branch?: BranchState;
  /** Null for the built-in worker. */
  readonly command: CommandState | null;
  readonly ledger: Ledger;
  readonly budget: BudgetState;
  readonly breakers: BreakerState;
  /** Of the judge; null for none that anybody waits for. */
  readonly judgeRequest: OpenJudgeRequest | null;
  /** Epoch of the last driver that wrote. */
  readonly epoch: number;
}

/** Why a session is idle. */
export type StopReason = EventBody<"session.status_idle">["stop_reason"];

/** What is being brought to a halt, since which event. */
export interface Halt {
  /** `budget`: a cap on time was reached; the others are wishes of people. */
  readonly kind: "pause" | "interrupt" | "budget" | "stop" | "rewind" | "cancel";
  readonly seq: Sequence;
  /** A pause that was asked for as well, and follows; null for none. Only a resume or a stop takes it back. */
  readonly pauseSeq: Sequence | null;
  /** Was `resume` said after it? Then a stop ends what runs, but does not hold. */
  readonly isLifted: boolean;
}

/** A message that was submitted and not picked up yet. */
export interface QueuedInput {
  readonly seq: Sequence;
  /** It came while the agent worked and the policy is to reject such messages. */
  readonly rejected: boolean;
}

/** The current context window. */
export interface ThreadState {
  readonly id: ThreadId;
  readonly renderer: number;
  /** First event its context is made of. */
  readonly fromSeq: Sequence;
  /** Who answers in it, as `provider:id`. */
  readonly model: string;
}

/** A model request without its receipt. */
export interface OpenRequest {
  readonly number: number;
  readonly epoch: number;
  readonly startedAt: number;
  readonly reservation: EventBody<"span.model_request_start">["reservation"];
}

/** How often the owed request has failed, and when it may be sent again. */
export interface RetryState {
  readonly errorClass: string;
  readonly message: string;
  readonly failures: number;
  /** When the first of them was. */
  readonly since: number;
  readonly failedAt: number;
  readonly retryAfterMs: number;
  /** Null until the back-off is in the log. */
  readonly resumeAt: number | null;
  readonly decidedAt: number;
}

/** Another model stands in. */
export interface SwitchState {
  readonly until: number;
  readonly decidedAt: number;
}

/** A tool call on its way from request to receipt. */
export interface CallState {
  readonly call: CallId;
  readonly seq: Sequence;
  readonly name: string;
  readonly effect: EventBody<"agent.tool_use">["effect"];
  readonly permission: EventBody<"agent.tool_use">["evaluated_permission"];
  readonly invalid: string | null;
  readonly status: "requested" | "started" | "in_doubt" | "answered";
  /** Runs started so far. */
  readonly run: number;
  /** Of the last run. */
  readonly incarnation: string;
  readonly startedAt: number;
  /** What the last look at the file said; null when a new look is needed. */
  readonly prepared: FileChange | null;
  /** Of the file that it is about, once it was looked at. */
  readonly path: string | null;
  /** What the last run was to change. */
  readonly intended: FileChange | null;
  /** In doubt only. */
  readonly finding: "not_started" | "unknown";
  /** What a person said about running it, or running it again. */
  readonly confirmation: "allow" | "deny" | null;
  readonly denyMessage: string | null;
  /** It may change what dependencies there are. */
  readonly namesSetUp?: true;
}

/** Content hashes around a write; null for "no such file". */
export interface FileChange {
  readonly before: string | null;
  readonly after: string | null;
}

/** The sandbox of the session, as far as the log knows. */
export interface SandboxState {
  readonly id: SandboxId;
  readonly backend: string;
  readonly status: "requested" | "ready" | "lost" | "ending";
  readonly incarnation: string;
  readonly handle: { readonly [key: string]: Json } | null;
  /** The layer that it was asked for with; null for that of the base. */
  readonly environment: Layer | null;
  /** Of the contract; null as long as none were asked for in this incarnation. */
  readonly services: ServicesState | null;
  /** Times in a row that it could not be had, or was lost, without a command finishing in between. */
  readonly failures: number;
  /** Of the last failure. */
  readonly failureCode: string;
  /** When it may be tried again; null until that is in the log. */
  readonly resumeAt: number | null;
  readonly decidedAt: number;
}

/** Where services stand that run beside the commands of a sandbox. */
export interface ServicesState {
  /** Hash of their list, as in the contract of that moment. */
  readonly hash: string;
  /**
   * `failed`: one is not there; commands run all the same. `outdated`: the contract has others by now, which only
   * another sandbox can have.
   */
  readonly status: "starting" | "ready" | "failed" | "outdated";
}

/** A layer with dependencies, and the commit whose files ask for it. */
export interface Layer {
  readonly key: string;
  readonly commit: string;
}

/** What became of the wish for another layer than that of the base. */
export interface EnvironmentState extends Layer {
  readonly decision: Exclude<EventBody<"environment.decided">["decision"], "base">;
  /** What a person said of it, until the harness has taken it up. */
  readonly answer: "approve" | "deny" | null;
}

/** The session's own checkout, as far as the log knows. */
export interface WorkspaceState {
  /** The newest checkpoint, or the base: what the next sandbox begins with. */
  readonly saved: Checkpoint;
  /** Number of the last checkpoint that was asked for. */
  readonly checkpoints: number;
  /** A checkpoint in the making. */
  readonly making: number | null;
  /** Somebody asked for one. */
  readonly isAsked: boolean;
  /** Times in a row that it could not be made. */
  readonly failures: number;
  /** Of the last failure. */
  readonly failureCode: string;
  /** Runs since `saved` that may have changed files. */
  readonly unsaved: number;
  /** When the first of them began; 0 without one. */
  readonly unsavedSince: number;
  /** The latest of them, bounded. */
  readonly unsavedCalls: readonly UnsavedCall[];
  /** The files are not yet those of `saved`, to which a person took them back. */
  readonly isStale: boolean;
  /** Where a person wants it to go back to. */
  readonly rewind: Checkpoint | null;
  /** Whose checkpoints this session began with; null for its own. */
  readonly forkedFrom: SessionId | null;
}

/** A call that may have changed files since they were saved. */
export interface UnsavedCall {
  readonly call: CallId;
  readonly name: string;
  /** It may have changed what dependencies there are. */
  readonly namesSetUp?: true;
}

/** A saved workspace; 0 is the base. */
export interface Checkpoint {
  readonly number: number;
  readonly commit: string;
}

/** What was spent. Reservations of requests that never told their usage stay charged, apart. */
export interface Ledger {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costMicroUsd: number;
  readonly unsettledRequests: number;
  readonly unsettledTokens: number;
  readonly unsettledCostMicroUsd: number;
  /** Of judges, apart from the agent's own; what is unsettled of theirs is above. */
  readonly judgeRequests: number;
  readonly judgeTokens: number;
  readonly judgeCostMicroUsd: number;
}

/** A request of a judge's without its receipt. */
export interface OpenJudgeRequest {
  readonly number: number;
  readonly startedAt: number;
  readonly reservation: EventBody<"judge.request_start">["reservation"];
}

/** Tokens charged so far: the open reservation, unsettled ones and those of judges included. */
export function tokensCharged(state: SessionState): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, unsettledTokens } = state.ledger;
  const open = sumOf(openReservations(state), ({ tokens }) => tokens);
  const agent = inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
  return agent + state.ledger.judgeTokens + unsettledTokens + open;
}

/** Micro-dollars charged so far: the open reservation, unsettled ones and those of judges included. */
export function costCharged(state: SessionState): number {
  const { costMicroUsd, unsettledCostMicroUsd, judgeCostMicroUsd } = state.ledger;
  const open = sumOf(openReservations(state), ({ cost_micro_usd }) => cost_micro_usd);
  return costMicroUsd + unsettledCostMicroUsd + judgeCostMicroUsd + open;
}

/** Of the built-in worker's request, of those under way through the gateway, and of a judge's. */
function openReservations({
  request,
  command,
  judgeRequest,
}: SessionState): readonly OpenRequest["reservation"][] {
  return [request, judgeRequest, ...(command?.open ?? [])].flatMap((each) => each?.reservation ?? []);
}

function sumOf<Item>(items: readonly Item[], size: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + size(item), 0);
}

/**
 * First event that the next request's context needs: the thread's start, else the oldest text that is told to the first
 * one: a message that waits, or what was found under the contract.
 */
export function contextStart({ thread, contract, queue, seq }: SessionState): Sequence {
  if (thread !== null) return thread.fromSeq;
  const oldest = queue[0]?.[0]?.seq ?? seq + 1;
  return contract === null ? oldest : Math.min(contract.seq, oldest);
}

/** The state before the first event. */
export function emptyState(sessionId: SessionId): SessionState {
  return {
    sessionId,
    seq: 0,
    lastEventAt: 0,
    createdAt: 0,
    config: null,
    phase: "idle",
    stopReason: null,
    idleSince: 0,
    halt: null,
    hold: null,
    queue: [],
    answerOwed: false,
    refused: false,
    cutShort: 0,
    thread: null,
    threads: 0,
    requests: 0,
    request: null,
    inputSurplus: 0,
    retry: null,
    switched: null,
    losses: 0,
    calls: [],
    sandbox: null,
    sandboxes: 0,
    egress: 0,
    setUpEgress: 0,
    environment: null,
    workspace: null,
    contract: null,
    people: NO_PEOPLE,
    attempts: NO_ATTEMPTS,
    command: null,
    ledger: {
      requests: 0,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costMicroUsd: 0,
      unsettledRequests: 0,
      unsettledTokens: 0,
      unsettledCostMicroUsd: 0,
      judgeRequests: 0,
      judgeTokens: 0,
      judgeCostMicroUsd: 0,
    },
    judgeRequest: null,
    budget: NO_BUDGET,
    breakers: NO_BREAKERS,
    epoch: 0,
  };
}
