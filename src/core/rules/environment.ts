/** Which layer of dependencies commands find: that of the base, or the one that changed files ask for. */
import { assert } from "../errors.ts";
import { event } from "../events/index.ts";
import type { EnvironmentState, Layer, SessionState } from "../state.ts";
import { append, type Step } from "../step.ts";
import { isSavable } from "./checkpoint.ts";

/** The layer that the next sandbox is to have; null for that of the base. */
export function wantedLayer({ environment }: SessionState): Layer | null {
  if (environment?.decision !== "make") return null;
  const { key, commit } = environment;
  return { key, commit };
}

/** Has the sandbox another layer than the one that is wanted, and can its work be saved before it is replaced? */
export function lacksLayer(state: SessionState): boolean {
  const { sandbox } = state;
  if (sandbox?.status !== "ready" || !isSavable(state)) return false;
  return sandbox.environment?.key !== wantedLayer(state)?.key;
}

/** A layer that waits for a person. */
export function askedLayer({ environment }: SessionState): EnvironmentState | null {
  return environment?.decision === "ask" && environment.answer === null ? environment : null;
}

/** A person has answered: a fact for the model, before anything follows from it. */
export function layerAnswered({ environment }: SessionState): Step {
  assert(environment !== null, "a person answers what was asked");
  const { key, commit, answer } = environment;
  const text =
    answer === "approve"
      ? "[harness] A person allowed the changed dependencies. From the next command on they are installed."
      : "[harness] A person did not allow the changed dependencies. Commands find those that the session began with; take the change back, or do without it.";
  return append(
    event("environment.decided", {
      key,
      commit,
      decision: answer === "approve" ? "make" : "deny",
      files: [],
      content: [{ type: "text", text }],
    }),
  );
}
