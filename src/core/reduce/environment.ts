/** Facts about the layer that the session's files ask for, and what a person says of it. */
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SandboxState, SessionState } from "../state.ts";

/** What `approval.decided` calls a layer; its hash is the layer's key. */
export const LAYER_ITEM = "dependencies";

/** Notes `environment.*` and `approval.*`. */
export function reduceEnvironment(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "environment.decided":
      return decided(state, event.body);
    case "approval.decided":
      return answered(state, event.body);
    default:
      return state;
  }
}

function decided(state: SessionState, body: EventBody<"environment.decided">): SessionState {
  const { key, commit, decision } = body;
  const environment = decision === "base" ? null : { key, commit, decision, answer: null };
  // Whoever was waiting for the answer goes on with it.
  const answerOwed = state.answerOwed || (state.environment?.answer ?? null) !== null;
  const sandbox = decision === "failed" ? withoutLayer(state.sandbox, key) : state.sandbox;
  return { ...state, environment, answerOwed, sandbox };
}

/** One that is being made goes without the layer that cannot be had. */
function withoutLayer(sandbox: SandboxState | null, key: string): SandboxState | null {
  return sandbox?.environment?.key === key ? { ...sandbox, environment: null } : sandbox;
}

function answered(state: SessionState, body: EventBody<"approval.decided">): SessionState {
  const { environment } = state;
  const isAnswer =
    body.item === LAYER_ITEM && body.hash === environment?.key && environment.decision === "ask";
  if (!isAnswer || state.phase === "terminated") return state;
  const hold = state.hold === "requires_action" ? null : state.hold;
  return { ...state, environment: { ...environment, answer: body.result }, hold };
}
