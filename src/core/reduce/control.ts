/** Facts about the session's life and what people want of it. */
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { Sequence, SessionId, ThreadId } from "../ids.ts";
import type { CallState, Halt, SandboxState, SessionState, StopReason } from "../state.ts";
import { reduceBranch } from "./branch.ts";
import { contractAtRest, reduceContract } from "./contract.ts";
import { kept, withLast } from "./portions.ts";
import { unsettledJudge } from "./requests.ts";
import { checkedOut, forkedWorkspace, reduceWorkspaceWish } from "./workspace.ts";

/** Notes `session.*`, `user.*`, `control.*`, `harness.*` and `budget.*`. */
export function reduceControl(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "session.created":
      return {
        ...state,
        config: event.body,
        createdAt: event.at,
        idleSince: event.at,
        workspace: checkedOut(event.body.sandbox.checkout?.base),
      };
    case "session.forked":
      return reduceBranch(forked(state, event.body.from as SessionId), event);
    case "session.thread_created":
      return threadCreated(state, event.body);
    case "session.status_running":
      return { ...state, phase: "running", stopReason: null, hold: null, cutShort: 0 };
    case "session.status_idle":
      return wentIdle(state, event.body.stop_reason, event.at);
    case "session.status_rescheduled": {
      const { resume_at, decided_at } = event.body;
      return state.retry === null
        ? state
        : { ...state, retry: { ...state.retry, resumeAt: resume_at, decidedAt: decided_at } };
    }
    case "session.status_terminated":
      return { ...state, phase: "terminated", halt: null, queue: [] };
    case "user.message":
      return messageArrived(state, event);
    case "user.interrupt":
      return isBusy(state) ? halted(state, "interrupt", event.seq) : state;
    case "user.tool_confirmation":
      return confirmed(state, event.body);
    case "control.pause":
      return halted(state, "pause", event.seq);
    case "control.stop":
      return halted(state, "stop", event.seq);
    case "control.cancel":
      return halted(state, "cancel", event.seq);
    case "control.checkpoint":
    case "control.rewind":
      return reduceWorkspaceWish(state, event, () => halted(state, "rewind", event.seq));
    case "control.resume":
      return resumed(state);
    case "control.retry":
      return state.phase === "terminated"
        ? state
        : { ...resumed(state), answerOwed: state.answerOwed || state.thread !== null };
    case "control.amend_contract":
    case "control.waive":
    case "control.request_verdict":
      return reduceContract(state, event);
    case "control.publish":
      return reduceBranch(state, event);
    case "control.set_limits":
      return limitsSet(state, event.body);
    case "budget.exhausted":
      return isTimeCap(event.body.cap) && isBusy(state) ? halted(state, "budget", event.seq) : state;
    case "harness.woke":
      return { ...state, epoch: event.body.epoch };
    case "harness.input_accepted":
      return { ...withoutQueued(state, event.body.seqs), answerOwed: true, cutShort: 0 };
    case "harness.input_rejected":
      return withoutQueued(state, event.body.seqs);
    default:
      return state;
  }
}

/** Is there anything that an interrupt could end? */
function isBusy(state: SessionState): boolean {
  return state.phase === "running" || state.request !== null;
}

const SEVERITY: { readonly [kind in Halt["kind"]]: number } = {
  pause: 0,
  interrupt: 1,
  budget: 2,
  stop: 3,
  rewind: 4,
  cancel: 5,
};

function halted(state: SessionState, kind: Halt["kind"], seq: Sequence): SessionState {
  if (state.phase === "terminated") return state;
  const { halt } = state;
  if (halt === null || SEVERITY[kind] >= SEVERITY[halt.kind]) {
    const pauseSeq = kind === "interrupt" ? pausedSince(halt) : null;
    return { ...state, halt: { kind, seq, pauseSeq, isLifted: false } };
  }
  const isPauseToFollow = kind === "pause" && halt.kind !== "cancel";
  return isPauseToFollow ? { ...state, halt: { ...halt, pauseSeq: seq } } : state;
}

function pausedSince(halt: Halt | null): Sequence | null {
  return halt?.kind === "pause" ? halt.seq : (halt?.pauseSeq ?? null);
}

const HOLDLESS: ReadonlySet<string> = new Set([
  "end_turn",
  "refusal",
  "verified",
  "already_green",
  "unmet",
  "review",
] satisfies StopReason["type"][]);

/** Reasons to be idle that only a person lifts. */
function holdOf(reason: StopReason): StopReason["type"] | null {
  return HOLDLESS.has(reason.type) ? null : reason.type;
}

function wentIdle(state: SessionState, reason: StopReason, at: number): SessionState {
  const { halt } = state;
  // A message sent after the stop was asked for (or together with it) is the redirection: it lifts the hold.
  const haltSeq = halt?.seq ?? Number.POSITIVE_INFINITY;
  const redirected =
    reason.type !== "paused" && state.queue.some((portion) => portion.some((input) => input.seq >= haltSeq));
  const holding = holdOf(reason);
  const pauseSeq = halt?.pauseSeq ?? null;
  return {
    ...state,
    phase: "idle",
    stopReason: reason,
    idleSince: at,
    halt: pauseSeq === null ? null : { kind: "pause", seq: pauseSeq, pauseSeq: null, isLifted: false },
    hold: redirected || halt?.isLifted ? null : holding,
    answerOwed: state.answerOwed && holding !== null,
    contract: contractAtRest(state.contract, reason, holding === null),
    losses: 0,
  };
}

function messageArrived(state: SessionState, event: SessionEvent<"user.message">): SessionState {
  if (state.phase === "terminated") return state;
  const steering = event.body.steering ?? state.config?.policy.steering ?? "enqueue";
  const busy = isBusy(state);
  const queue = withLast(state.queue, { seq: event.seq, rejected: busy && steering === "reject" });
  // A pause and an open question are lifted by their own answers only.
  const lifted = state.hold === "paused" || state.hold === "requires_action" ? state.hold : null;
  const sandbox = givenNewChances(state.sandbox);
  const next = {
    ...state,
    queue,
    hold: lifted,
    retry: busy ? state.retry : null,
    sandbox,
    contract: triedAgain(state.contract),
  };
  return busy && steering === "interrupt" ? halted(next, "interrupt", event.seq) : next;
}

function resumed(state: SessionState): SessionState {
  const lifted = state.halt === null ? null : { ...state.halt, pauseSeq: null, isLifted: true };
  const halt = lifted?.kind === "pause" ? null : lifted;
  const hold = state.hold === "requires_action" ? state.hold : null;
  const workspace = state.workspace && { ...state.workspace, failures: 0 };
  const contract = triedAgain(state.contract);
  return {
    ...state,
    halt,
    hold,
    retry: null,
    losses: 0,
    sandbox: givenNewChances(state.sandbox),
    workspace,
    contract,
  };
}

/** What kept it from beginning may be mended. */
function triedAgain(contract: SessionState["contract"]): SessionState["contract"] {
  return contract?.preflight === "refused" ? { ...contract, preflight: "owed" } : contract;
}

/** The try that is under way keeps its number, because its intent is named by it. */
function givenNewChances(sandbox: SandboxState | null): SandboxState | null {
  return sandbox === null || sandbox.status === "requested"
    ? sandbox
    : { ...sandbox, failures: 0, resumeAt: null };
}

/** Caps on time end what runs; before any other cap is exceeded, nothing is begun. */
function isTimeCap(cap: string): boolean {
  return cap === "duration_ms" || cap === "active_ms";
}

function limitsSet(state: SessionState, body: EventBody<"control.set_limits">): SessionState {
  if (state.config === null) return state;
  const { limits, policy } = state.config;
  const { attempt, criterion } = body.limits;
  const config = {
    ...state.config,
    limits: {
      ...limits,
      ...body.limits,
      ...(attempt !== undefined && { attempt: { ...limits.attempt, ...attempt } }),
      ...(criterion !== undefined && { criterion: { ...limits.criterion, ...criterion } }),
    },
    policy:
      body.breakers === undefined
        ? policy
        : { ...policy, breakers: { ...policy.breakers, ...body.breakers } },
  };
  return { ...state, config, hold: state.hold === "budget_reached" ? null : state.hold };
}

function confirmed(state: SessionState, body: EventBody<"user.tool_confirmation">): SessionState {
  const asked = state.people.approvals.find(({ call }) => call === body.call);
  // Something else was looked at, or it was looked at before something changed.
  if (asked !== undefined && (asked.isStale || (body.hash ?? asked.hash) !== asked.hash)) return state;
  const calls = state.calls.map((call) =>
    call.call === body.call && awaitsPerson(call)
      ? { ...call, confirmation: body.result, denyMessage: body.deny_message ?? null }
      : call,
  );
  return { ...state, calls, hold: state.hold === "requires_action" ? null : state.hold };
}

function awaitsPerson(call: CallState): boolean {
  return call.status === "in_doubt" || (call.status === "requested" && call.permission === "ask");
}

function withoutQueued(state: SessionState, seqs: readonly number[]): SessionState {
  const gone = new Set(seqs);
  return { ...state, queue: kept(state.queue, (input) => !gone.has(input.seq)) };
}

function threadCreated(state: SessionState, body: EventBody<"session.thread_created">): SessionState {
  const thread = {
    id: body.session_thread_id as ThreadId,
    renderer: body.renderer,
    fromSeq: body.from_seq,
    model: `${body.model.provider}:${body.model.id}`,
  };
  return { ...state, thread, threads: state.threads + 1, inputSurplus: 0 };
}

/** In the copy nothing is in flight: what was is unknown here, and the original's sandbox is not ours. */
function forked(state: SessionState, from: SessionId): SessionState {
  const calls = state.calls.map((call) =>
    call.status === "started"
      ? { ...call, status: "in_doubt" as const, finding: "unknown" as const, prepared: null }
      : call,
  );
  const unsettled = state.request?.reservation;
  const settled = unsettledJudge(state);
  const ledger = {
    ...settled,
    unsettledRequests: settled.unsettledRequests + (unsettled ? 1 : 0),
    unsettledTokens: settled.unsettledTokens + (unsettled?.tokens ?? 0),
    unsettledCostMicroUsd: settled.unsettledCostMicroUsd + (unsettled?.cost_micro_usd ?? 0),
  };
  const phase = state.phase === "terminated" ? "idle" : state.phase;
  const workspace = forkedWorkspace(state.workspace, from);
  return {
    ...state,
    phase,
    calls,
    request: null,
    judgeRequest: null,
    ledger,
    sandbox: null,
    egress: 0,
    setUpEgress: 0,
    workspace,
    halt: null,
    epoch: 0,
  };
}
