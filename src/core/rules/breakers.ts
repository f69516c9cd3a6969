/**
 * Breakers end what goes nowhere. At its limit one tells the model; what it counts begins anew, and after a few times
 * the session is parked as `stalled`, until a person resumes it. Advice is bounded, because it costs requests too.
 */
import { event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, type Step } from "../step.ts";
import type { Breaker } from "./breakers/breaker.ts";
import { noProgress } from "./breakers/no-progress.ts";
import { oscillation } from "./breakers/oscillation.ts";
import { resets } from "./breakers/resets.ts";
import { sameCall } from "./breakers/same-call.ts";
import { toolFailure } from "./breakers/tool-failure.ts";

/** In the order in which they are looked at. */
export const BREAKERS: readonly Breaker[] = [sameCall, oscillation, toolFailure, resets, noProgress];

/** How often a model is told of one cause, and of all together, before a person is. */
const NUDGES_PER_CAUSE = 2;
const NUDGES_MAX = 5;

/** What is to be done before the next request; null when nothing is. */
export function breakerStep(state: SessionState): Step | null {
  for (const breaker of BREAKERS) {
    const limit = state.config?.policy.breakers?.[breaker.cause] ?? breaker.limit;
    if (limit === "off") continue;
    const measure = breaker.measure(state);
    if (measure >= limit)
      return mayNudge(state, breaker) ? nudge(state, breaker, measure) : trip(state, breaker, measure);
  }
  return null;
}

function mayNudge({ breakers }: SessionState, { cause, isTold }: Breaker): boolean {
  const told = breakers.nudges.find((each) => each.cause === cause)?.times ?? 0;
  const all = breakers.nudges.reduce((sum, { times }) => sum + times, 0);
  return isTold && told < NUDGES_PER_CAUSE && all < NUDGES_MAX;
}

function nudge(state: SessionState, breaker: Breaker, measure: number): Step {
  const detail = breaker.describe(state, measure);
  const text = `[harness] Notice: ${detail}. ${breaker.advice}`;
  return append(event("breaker.nudged", { cause: breaker.cause, detail, content: [{ type: "text", text }] }));
}

function trip(state: SessionState, breaker: Breaker, measure: number): Step {
  return append(
    event("breaker.tripped", { cause: breaker.cause, detail: breaker.describe(state, measure) }),
    event("session.status_idle", { stop_reason: { type: "stalled" } }),
  );
}
