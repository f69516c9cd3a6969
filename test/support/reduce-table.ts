/** Tables of `reduce`: a log, one more event, and all that it changes. */
import { expect, test } from "vitest";
import type { EventInput } from "../../src/core/events/index.ts";
import type { SessionState } from "../../src/core/state.ts";
import { START_MS } from "./events.ts";
import { stateOf } from "./logs.ts";

/** What one event changes; everything that is not named stays. */
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
    expect(stateOf(...log, last)).toEqual({
      ...before,
      seq,
      lastEventAt: START_MS + log.length * 1000,
      ...(typeof changes === "function" ? changes(before) : changes),
    });
  });
}
