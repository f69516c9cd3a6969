/** Messages that came at the wrong moment. */
import { event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, type Step } from "../step.ts";

/** Under the policy `reject`, a message that came while the agent worked is refused, on the record. */
export function rejectInput(state: SessionState): Step {
  const seqs = state.queue.flatMap((portion) =>
    portion.filter((input) => input.rejected).map((input) => input.seq),
  );
  return append(
    event("harness.input_rejected", { seqs, reason: "the agent was working, and the policy is reject" }),
  );
}
