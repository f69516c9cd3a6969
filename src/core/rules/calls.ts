/**
 * The turn's tool calls, each on its way from request to receipt. Calls run beside each other, but a call that
 * writes files waits for all before it and holds back all after it.
 */
import { ASK, isSessionTool } from "../contract/session-tools.ts";
import { type EventInput, event } from "../events/index.ts";
import type { CallState, SessionState, StopReason } from "../state.ts";
import { append, execIntent, inFlight, type Now, perform, type Step } from "../step.ts";
import { inDoubt } from "./in-doubt.ts";
import { askingCall, awaitApproval, isAsAsked, nextExpiry } from "./people.ts";
import { refusedWrite } from "./refused-write.ts";
import { neverRan } from "./results.ts";
import { type CallStep, prepareIntent, startRun } from "./run.ts";
import { canRun, sandboxWanted } from "./sandbox.ts";
import { sessionCall } from "./session-call.ts";

/** Moves every call that may move. */
export function runCalls(state: SessionState, now: Now): Step {
  const calls = movable(state.calls);
  const steps = calls.map((call) => stepOf(state, now, call));
  const events = steps.flatMap(eventsOf);
  if (events.length > 0) return append(...events);
  const intents = steps.flatMap((step) => (step.kind === "intent" ? [step.intent] : []));
  if (steps.some((step) => step.kind === "sandbox")) return sandboxWanted(state, now, intents);
  if (intents.length > 0) return perform([...inFlight(state), ...intents], untilExpiry(state, now));
  const requests = steps.flatMap((step) => (step.kind === "person" ? (step.request ?? []) : []));
  return append(...requests, event("session.status_idle", { stop_reason: personNeeded(state, calls) }));
}

function untilExpiry(state: SessionState, now: Now): number | null {
  const expiry = nextExpiry(state);
  return expiry === null ? null : Math.max(0, expiry - now.at);
}

function personNeeded({ people }: SessionState, calls: readonly CallState[]): StopReason {
  const names = new Set<string>(calls.map(({ call }) => call));
  const asked = people.questions.filter(({ call }) => names.has(call));
  const asking = new Set<string>(asked.map(({ call }) => call));
  const undecided = calls.filter(({ call }) => !asking.has(call)).map(({ call }) => call);
  const questions = asked.map(({ question }) => question);
  return { type: "requires_action", calls: undecided, ...(questions.length > 0 && { questions }) };
}

/** The calls that need not wait for another one. */
function movable(calls: readonly CallState[]): readonly CallState[] {
  const open = calls.filter((call) => call.status !== "answered");
  const first = open[0];
  if (first === undefined || isExclusive(first)) return open.slice(0, 1);
  const writer = open.findIndex(isExclusive);
  return writer === -1 ? open : open.slice(0, writer);
}

function isExclusive(call: CallState): boolean {
  return call.effect === "reconcilable";
}

function stepOf(state: SessionState, now: Now, call: CallState): CallStep {
  switch (call.status) {
    case "requested":
      return begin(state, now, call);
    case "started":
      return state.sandbox?.status === "ready"
        ? { kind: "intent", intent: execIntent(state, call) }
        : { kind: "sandbox" };
    case "in_doubt":
      return inDoubt(state, now, call);
    case "answered":
      return { kind: "sandbox" };
  }
}

function begin(state: SessionState, now: Now, call: CallState): CallStep {
  if (call.invalid !== null) return { kind: "event", event: neverRan(call, "refused", call.invalid) };
  if (call.name === ASK) return askingCall(state, call);
  if (isSessionTool(call.name)) return { kind: "event", event: sessionCall(state, call) };
  if (call.permission === "deny")
    return { kind: "event", event: neverRan(call, "refused", "This tool is not allowed here.") };
  if (call.permission === "ask" && !isAllowed(state, now, call)) return askFirst(state, now, call);
  if (!canRun(state)) return { kind: "sandbox" };
  if (call.effect === "reconcilable" && call.prepared === null)
    return { kind: "intent", intent: prepareIntent(state, call) };
  const refusal = refusedWrite(state, call);
  if (refusal !== null) return { kind: "events", events: refusal };
  return { kind: "event", event: startRun(state, now, call) };
}

function eventsOf(step: CallStep): readonly EventInput[] {
  if (step.kind === "events") return step.events;
  return step.kind === "event" ? [step.event] : [];
}

function isAllowed(state: SessionState, now: Now, call: CallState): boolean {
  return call.confirmation === "allow" && isAsAsked(state, now, call);
}

function askFirst(state: SessionState, now: Now, call: CallState): CallStep {
  if (call.confirmation !== "deny") return awaitApproval(state, now, call, "policy");
  const text = call.denyMessage ?? "A person did not allow this call.";
  return { kind: "event", event: neverRan(call, "refused", text) };
}
