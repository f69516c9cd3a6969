/** Nothing is owed: say so, give the sandbox back after its grace period, and leave. */
import { event } from "../events/index.ts";
import type { SessionState, StopReason } from "../state.ts";
import { append, inFlight, leave, type Now, perform, type Step } from "../step.ts";
import { attemptAtRest } from "./attempts.ts";
import { checkpointAtRest, isCheckpointing, unsavable } from "./checkpoint.ts";
import { askedLayer } from "./environment.ts";
import { owedNotices } from "./notices.ts";
import { nextExpiry } from "./people.ts";

function endOf(state: SessionState): StopReason {
  if (state.contract !== null && state.contract.ending !== null) return state.contract.ending;
  if (state.refused) return { type: "refusal" };
  if (state.cutShort > 0) return { type: "max_tokens" };
  const asked = askedLayer(state);
  return asked === null
    ? { type: "end_turn" }
    : { type: "requires_action", calls: [], environment: asked.key };
}

/** When work goes on by itself; null when somebody has to come. */
function wakesAt({ stopReason, hold }: SessionState): number | null {
  const isHeld = hold === "budget_reached" && stopReason?.type === "budget_reached";
  return isHeld ? (stopReason.resume_at ?? null) : null;
}

/** A waiting session keeps no sandbox and no memory. It is due when the time of a question is over. */
export function resting(state: SessionState, now: Now): Step {
  const step = givingBack(state, now);
  const notices = owedNotices(state, now.profile.targets ?? []);
  if (step.kind !== "append" && notices.length > 0) {
    const others = step.kind === "perform" ? step.intents : [];
    return perform([...others, ...notices], step.kind === "leave" ? untilDue(step.due, now) : step.withinMs);
  }
  const expiry = nextExpiry(state);
  if (step.kind !== "leave" || expiry === null) return step;
  return leave(Math.min(step.due ?? expiry, expiry));
}

function untilDue(due: number | null, now: Now): number | null {
  return due === null ? null : Math.max(0, due - now.at);
}

function givingBack(state: SessionState, now: Now): Step {
  // Whoever reads "verified" finds the branch.
  if ((state.branch?.wanted ?? null) !== null) return perform(inFlight(state));
  if (state.phase === "running") {
    const reason = endOf(state);
    return append(
      ...attemptAtRest(state, reason, now.at),
      event("session.status_idle", { stop_reason: reason }),
    );
  }
  if (isCheckpointing(state)) return perform(inFlight(state));
  // The last checkpoint may have shown it, after the session came to rest.
  if (state.stopReason?.type === "end_turn" && state.hold === null && askedLayer(state) !== null)
    return append(event("session.status_idle", { stop_reason: endOf(state) }));
  const checkpoint = checkpointAtRest(state);
  if (checkpoint.length > 0) return append(...checkpoint);
  const { sandbox, config } = state;
  const dueMs = wakesAt(state);
  if (sandbox === null || config === null) return leave(dueMs);
  if (sandbox.status === "ending") return perform(inFlight(state));
  const graceEnds = state.phase === "terminated" ? 0 : state.idleSince + config.policy.sandbox_grace_ms;
  if (now.at < graceEnds && now.at >= state.idleSince) return leave(Math.min(graceEnds, dueMs ?? graceEnds));
  return unsavable(state) ?? append(event("sandbox.destroy_requested", { sandbox: sandbox.id }));
}
