/** One line about a session, kept beside its row so that listings need not fold logs. A cache, never read back. */
import { type SessionState, tokensCharged } from "./state.ts";

/** What a listing shows. */
export interface SessionSummary {
  readonly title: string;
  readonly phase: SessionState["phase"];
  readonly stopReason: string | null;
  readonly activity: "model" | "tools" | "backing-off" | "waiting";
  readonly requests: number;
  readonly tokens: number;
}

/** JSON of the {@link SessionSummary}. */
export function summarize(state: SessionState): string {
  const summary: SessionSummary = {
    title: state.config?.title ?? "",
    phase: state.phase,
    stopReason: state.stopReason?.type ?? null,
    activity: activityOf(state),
    requests: state.ledger.requests,
    tokens: tokensCharged(state),
  };
  return JSON.stringify(summary);
}

function activityOf(state: SessionState): SessionSummary["activity"] {
  if (state.request !== null) return "model";
  if (state.phase === "running" && state.retry !== null) return "backing-off";
  if (state.phase === "running" && state.calls.some((call) => call.status !== "answered")) return "tools";
  return "waiting";
}
