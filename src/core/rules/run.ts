/** How one run of a call begins. */
import { type EventInput, event } from "../events/index.ts";
import type { CallState, SessionState } from "../state.ts";
import type { Intent, Now } from "../step.ts";

/** What one call needs next: a decision, an intent, or a person. */
export type CallStep =
  | { readonly kind: "event"; readonly event: EventInput }
  | { readonly kind: "events"; readonly events: readonly EventInput[] }
  | { readonly kind: "intent"; readonly intent: Intent }
  | { readonly kind: "sandbox" }
  /** `request`: what says so in the log, unless it does already. */
  | { readonly kind: "person"; readonly request: EventInput | null };

/** Looks at what a write would change; harmless, so it needs no intent of its own. */
export function prepareIntent(state: SessionState, call: CallState): Intent {
  return {
    kind: "prepare",
    key: `prepare/${call.call}/${call.run}/${state.sandbox?.incarnation ?? ""}`,
    call,
  };
}

/** The intent of the call's next run, in the sandbox that is ready. */
export function startRun(state: SessionState, now: Now, call: CallState): EventInput {
  return event("tool.started", {
    call: call.call,
    run: call.run + 1,
    sandbox: state.sandbox?.id ?? "",
    incarnation: state.sandbox?.incarnation ?? "",
    at: now.at,
    ...(call.prepared === null ? {} : { before: call.prepared.before, after: call.prepared.after }),
  });
}
