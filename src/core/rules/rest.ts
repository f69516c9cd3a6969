/** Nothing is owed: say so, give the sandbox back after its grace period, and leave. */
import { event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, inFlight, leave, type Now, perform, type Step } from "../step.ts";
import { checkpointAtRest, isCheckpointing, unsavable } from "./checkpoint.ts";

function endOf(state: SessionState): "end_turn" | "refusal" | "max_tokens" {
  if (state.refused) return "refusal";
  return state.cutShort > 0 ? "max_tokens" : "end_turn";
}

/** A waiting session keeps no sandbox and no memory. */
export function resting(state: SessionState, now: Now): Step {
  if (state.phase === "running") {
    return append(event("session.status_idle", { stop_reason: { type: endOf(state) } }));
  }
  if (isCheckpointing(state)) return perform(inFlight(state));
  const checkpoint = checkpointAtRest(state);
  if (checkpoint.length > 0) return append(...checkpoint);
  const { sandbox, config } = state;
  if (sandbox === null || config === null) return leave(null);
  if (sandbox.status === "ending") return perform(inFlight(state));
  const graceEnds = state.phase === "terminated" ? 0 : state.idleSince + config.policy.sandbox_grace_ms;
  if (now.at < graceEnds && now.at >= state.idleSince) return leave(graceEnds);
  return unsavable(state) ?? append(event("sandbox.destroy_requested", { sandbox: sandbox.id }));
}
