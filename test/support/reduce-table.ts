/** Tables of `reduce`: a log, one more event, and all that it changes. */
import { expect, test } from "vitest";
import type { EventInput } from "../../src/core/events/index.ts";
import type { SessionState } from "../../src/core/state.ts";
import { START_MS } from "./events.ts";
import { stateOf } from "./logs.ts";

/**
 * What one event changes; everything that is not named stays. What every event may count for (`budget`, `breakers`) has
 * tables of its own and is looked at here only where a row names it.
 */
export interface ReduceRow {
  readonly name: string;
  readonly before: readonly EventInput[];
  readonly event: EventInput;
  readonly changes: Partial<SessionState> | ((before: SessionState) => Partial<SessionState>);
}

/** A test per row. */
export function reduceTable(rows: readonly ReduceRow[]): void {
  test.each(rows)("$name", ({ before: log, event: last, changes }) => {
    const before = stateOf(...log);
    const seq = log.length + 1;
    const after = stateOf(...log, last);
    expect(after).toEqual({
      ...before,
      budget: after.budget,
      breakers: after.breakers,
      attempts: { ...before.attempts, progress: after.attempts.progress },
      seq,
      lastEventAt: START_MS + log.length * 1000,
      ...(typeof changes === "function" ? changes(before) : changes),
    });
  });
}
