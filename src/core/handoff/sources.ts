/** What a handoff is written from: the fold, and what was read of log and git for it. */
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";

/** Everything that the next context may need to know of this one. */
export type Handoff = EventBody<"handoff.recorded">;
/** What the model itself says. */
export type HandoffNote = EventBody<"handoff.noted">;

/** Oldest first, each of them bounded by whoever reads. */
export interface HandoffSources {
  readonly state: SessionState;
  /** Wall-clock time, for waivers. */
  readonly at: number;
  readonly people: readonly SessionEvent<"user.message">[];
  /** Of the whole session: decisions and failures are never forgotten. */
  readonly notes: readonly SessionEvent<"handoff.noted">[];
  readonly verdicts: readonly SessionEvent<"verdict.given">[];
  /** The newest run of a check that was unmet. */
  readonly failure: SessionEvent<"referee.checked"> | null;
  /** The latest calls, with what became of them. */
  readonly calls: readonly SessionEvent<"agent.tool_use">[];
  readonly results: readonly SessionEvent<"agent.tool_result">[];
  /** What files were made of in this attempt. */
  readonly writes: readonly SessionEvent<"tool.prepared">[];
  /** Paths that differ from the base; null when nobody could tell. */
  readonly changed: readonly string[] | null;
}

/** A part of a text, with a word about what is left out. */
export function bounded(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
