/** Where a session stands, in a person's words, and what they can do about it. */
import { doubtOf, doubtText, metText, waiversOf } from "../core/contract/counting.ts";
import { openDeclarations } from "../core/contract/declaration.ts";
import { VERDICT_CAP } from "../core/contract/verdict-cap.ts";
import { ERROR_CODES, unreachable } from "../core/errors.ts";
import type { ClientEventInput } from "../core/events/index.ts";
import { countOf } from "../core/reduce/portions.ts";
import type { SessionState, StopReason } from "../core/state.ts";
import type { SessionRecord } from "../store/contract.ts";
import { isErrorCode } from "./exit-codes.ts";
import { askedOf } from "./render/asked.ts";
import { stopText } from "./render/event-lines.ts";
import { formatMoment, formatQuantity } from "./render/format.ts";

/** One word for listings and programs. */
export type StandingWord = "working" | "due" | "scheduled" | "idle" | "held" | "over";

/** What a person wants to know first. */
export interface Standing {
  readonly word: StandingWord;
  readonly text: string;
  /** The command that goes on from here, without `nightshift`; null when there is nothing to do. */
  readonly next: readonly string[] | null;
}

/** @param now - wall-clock time */
export function standingOf(state: SessionState, record: SessionRecord, now: number): Standing {
  const { sessionId } = record;
  if (state.phase === "terminated")
    return { word: "over", text: "over for good; read-only", next: ["fork", sessionId] };
  if (record.held) {
    const driver = record.owner === null ? "" : `; process ${record.owner.pid} drives it`;
    return { word: "working", text: `${activityOf(state, now)}${driver}`, next: ["logs", sessionId, "-f"] };
  }
  if (record.due !== null && record.due <= now) {
    const since = `due since ${formatMoment(record.due, now)}`;
    const activity = activityOf(state, now);
    const text =
      state.phase === "running"
        ? `${activity}, but its process is gone; ${since}`
        : `${activity === "idle" ? "" : `${activity}, `}${since}, and nobody drives it`;
    return { word: "due", text, next: ["resume", sessionId] };
  }
  if (state.phase === "running" && record.due !== null) {
    const activity = activityOf(state, now);
    const due = formatMoment(record.due, now);
    const text =
      state.retry === null
        ? `${activity}, but its process failed; due at ${due}`
        : `${activity}, if somebody drives it then`;
    return { word: "scheduled", text, next: ["resume", sessionId] };
  }
  const reason = state.stopReason;
  if (reason === null) return { word: "idle", text: "not started", next: ["resume", sessionId] };
  const doubt = state.contract && doubtOf(state.contract, now);
  return {
    word: state.hold === null ? "idle" : "held",
    text: `${restText(state)}${doubt === null ? "" : `; ${doubtText(doubt)}`}`,
    next: isDoneWith(state) ? anew(state) : afterStop(sessionId, reason),
  };
}

/** A stop that is lifted already, of a session that owed nothing: resuming it once more would change nothing. */
function isDoneWith({ stopReason, hold, answerOwed, queue }: SessionState): boolean {
  return stopReason?.type === "stopped" && hold === null && !answerOwed && countOf(queue) === 0;
}

function anew({ sessionId, contract }: SessionState): readonly string[] {
  return contract === null ? ["send", sessionId, "..."] : ["retry", sessionId];
}

/** Why it rests. */
export function restText({ sessionId, stopReason, contract }: SessionState): string {
  if (stopReason === null) return "not ended";
  const [declared] = stopReason.type === "review" ? openDeclarations(contract) : [];
  if (declared !== undefined) {
    const { criterion, status } = declared;
    return `${stopText(stopReason)}: the agent calls ${criterion} ${status}; deny ${sessionId} ${criterion} --reason "..." asks for it again, waive leaves it out`;
  }
  if (stopReason.type === "verified" && contract !== null)
    return `verified: ${metText(waiversOf(contract))} (verdict ${stopReason.verdict})`;
  return stopReason.type === "end_turn" && contract !== null
    ? "interrupted before a verdict; waits for the next message"
    : stopText(stopReason);
}

/** What the log says is going on. */
export function activityOf(state: SessionState, now: number): string {
  if (state.halt !== null) return `${state.halt.kind} asked for`;
  if (state.request !== null) return `waits for the model (request ${state.request.number})`;
  const open = state.calls.filter((call) => call.status !== "answered");
  if (open.length > 0) return `runs ${open.map((call) => call.name).join(", ")}`;
  const checking = checkingOf(state);
  if (checking !== null) return checking;
  if (state.retry?.resumeAt != null) {
    const tries = formatQuantity(state.retry.failures, "failure");
    return `asks the model again at ${formatMoment(state.retry.resumeAt, now)} (${state.retry.errorClass}, ${tries})`;
  }
  if (countOf(state.queue) > 0) return `${formatQuantity(countOf(state.queue), "message")} not picked up yet`;
  return state.phase === "running" ? "works" : "idle";
}

/** What goes on between requests and calls: checks of the harness, and a program's attempt. */
function checkingOf({ contract, command, attempts }: SessionState): string | null {
  if (contract?.preflight === "running") return "runs the checks on the base";
  if (contract?.making != null) return `waits for the referee (verdict ${contract.making.number})`;
  return command !== null && attempts.open !== null
    ? `a program works (attempt ${attempts.open.number})`
    : null;
}

/** What happens first when it goes on; null for nothing. @param wanted - what is sent to it before */
export function nextStep(state: SessionState, wanted: readonly ClientEventInput[]): string | null {
  const { hold, halt, attempts, calls, contract, queue, requests } = state;
  const isLifted = wanted.some(({ type }) => type === "control.resume" || type === "control.set_limits");
  if (hold === "requires_action" || state.phase === "terminated") return null;
  if (hold === "budget_reached" && !wanted.some(({ type }) => type === "control.set_limits"))
    return "it stops at the same cap again, unless there is room by now";
  const lifts =
    isLifted && (hold ?? halt?.kind ?? null) !== null
      ? `lifts ${HOLDS[hold ?? ""] ?? "what holds it"}, then `
      : "";
  const open = calls.filter(({ status }) => status !== "answered").length;
  if (open > 0) return `${lifts}settles ${formatQuantity(open, "call")}`;
  if (contract?.preflight === "owed") return `${lifts}runs the checks on the base`;
  if (contract?.making != null || contract?.wanted != null) return `${lifts}lets the referee look`;
  if (countOf(queue) > 0) return `${lifts}picks up ${formatQuantity(countOf(queue), "message")}`;
  if (state.command !== null && attempts.open !== null) return `${lifts}sees to attempt ${attempts.number}`;
  if (state.command !== null && state.answerOwed) return `${lifts}begins attempt ${attempts.number + 1}`;
  if (state.answerOwed || state.request !== null) return `${lifts}asks the model (request ${requests + 1})`;
  return null;
}

/** What resuming takes away, by what holds. */
const HOLDS: { readonly [hold: string]: string } = {
  paused: "the pause",
  stopped: "the stop",
  budget_reached: "the cap",
  stalled: "the breaker",
};

/** The command that goes on after this way to stop. */
export function afterStop(sessionId: string, reason: StopReason): readonly string[] {
  switch (reason.type) {
    case "end_turn":
    case "refusal":
    case "max_tokens":
    case "verified":
    case "already_green":
    case "unmet":
      return ["send", sessionId, "..."];
    case "review":
      return ["inbox", sessionId];
    case "requires_action":
      return reason.questions === undefined
        ? ["approve", sessionId, askedOf(reason)[0] ?? ""]
        : ["answer", sessionId, reason.questions[0] ?? "", "..."];
    case "budget_reached":
      return reason.cap === VERDICT_CAP
        ? ["amend", sessionId, "--max-verdicts", "...", "--reason", "..."]
        : ["resume", sessionId, ...capFlag(reason.cap)];
    case "paused":
    case "stopped":
    case "stalled":
    case "failed":
    case "retries_exhausted":
    case "rate_limited":
      return ["resume", sessionId];
    default:
      return unreachable(reason);
  }
}

/** The flag that raises a cap. */
function capFlag(cap: string): readonly string[] {
  const flags: { readonly [cap: string]: string } = {
    model_requests: "--max-requests",
    tokens: "--max-tokens",
    cost_micro_usd: "--max-cost",
    attempts: "--max-attempts",
    duration_ms: "--max-duration",
    active_ms: "--max-active",
    "attempt.cost_micro_usd": "--max-attempt-cost",
    "criterion.cost_micro_usd": "--max-criterion-cost",
    "day.cost_micro_usd": "--max-cost-per-day",
  };
  const flag = flags[cap];
  return flag === undefined ? [] : [flag, "..."];
}

/** Advice of the table of errors, where the reason to stop is one of them. */
export function adviceOf(reason: StopReason | null): string | null {
  if (reason === null || reason.type !== "failed" || !isErrorCode(reason.code)) return null;
  return ERROR_CODES[reason.code].hint;
}
