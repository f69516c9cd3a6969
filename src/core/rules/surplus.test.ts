import { describe, expect, test } from "vitest";
import { accepted, answered, asked, said, threadStart } from "../../../test/support/events.ts";
import { askingWithSandbox, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decide } from "../decide.ts";
import type { EventInput } from "../events/index.ts";

const counted = (input_tokens: number): Parameters<typeof answered>[1] => ({
  model_usage: { input_tokens, output_tokens: 1, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
});

/** What the next request reserves besides the 1000 tokens of its answer. @param bound - on the whole context */
function reservedFor(bound: number, log: readonly EventInput[]): number {
  const state = stateOf(...log);
  const step = decide(state, nowOf(state, { tokens: bound }));
  const start = step.kind === "append" ? step.events.at(-1) : undefined;
  if (start?.type !== "span.model_request_start") throw new Error(JSON.stringify(step));
  return start.body.reservation.tokens - 1000;
}

/** The first request was bound to 5000 tokens. */
const first = [
  ...askingWithSandbox().slice(0, 7),
  asked(1, { reservation: { tokens: 6000, cost_micro_usd: 0 } }),
];
const more = (after: number): EventInput[] => [said("more"), accepted(after + 1)];

describe("the reservation for a context", () => {
  test("takes what was sent before at its count, and bounds only what is new", () => {
    expect(reservedFor(5600, [...first, answered(1, counted(1200)), ...more(9)])).toBe(1200 + 600);
  });

  test("goes on so from count to count", () => {
    const second = asked(2, { reservation: { tokens: 1000 + 1800, cost_micro_usd: 0 } });
    const log = [
      ...first,
      answered(1, counted(1200)),
      ...more(9),
      second,
      answered(2, counted(1500)),
      ...more(13),
    ];
    expect(reservedFor(5700, log)).toBe(1500 + 100);
  });

  test("rises when the bound was none", () => {
    expect(reservedFor(5600, [...first, answered(1, counted(7000)), ...more(9)])).toBe(7000 + 600);
  });

  test("is the whole bound while nothing was counted, and in a new thread", () => {
    const untold = answered(1, { model_usage: undefined });
    expect(reservedFor(5600, [...first, untold, ...more(9)])).toBe(5600);
    const reset = [...first, answered(1, counted(1200)), threadStart(10, "reset"), ...more(10)];
    expect(reservedFor(300, reset)).toBe(300);
  });
});
