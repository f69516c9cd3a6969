/** Nothing is owed: say so, give the sandbox back after its grace period, and leave. */
import { event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, inFlight, leave, type Now, perform, type Step } from "../step.ts";

/** A waiting session keeps no sandbox and no memory. */
export function resting(state: SessionState, now: Now): Step {
  if (state.phase === "running") {
    const type = state.refused ? "refusal" : "end_turn";
    return append(event("session.status_idle", { stop_reason: { type } }));
  }
  const { sandbox, config } = state;
  if (sandbox === null || config === null) return leave(null);
  if (sandbox.status === "ending") return perform(inFlight(state));
  const graceEnds = state.phase === "terminated" ? 0 : state.idleSince + config.policy.sandbox_grace_ms;
  if (now.at < graceEnds && now.at >= state.idleSince) return leave(graceEnds);
  return append(event("sandbox.destroy_requested", { sandbox: sandbox.id }));
}
