import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyEvent, anyLog } from "../../test/support/arbitrary-events.ts";
import { SESSION } from "../../test/support/events.ts";
import { nowOf, place } from "../../test/support/logs.ts";
import { closeTurn, emptyContext, messagesOf, reduceContext } from "./context.ts";
import { decide } from "./decide.ts";
import { CATALOGUE } from "./events/catalogue.ts";
import { foldEvents } from "./reduce.ts";
import { summarize } from "./summary.ts";

describe("any sequence of events of the catalogue", () => {
  test("is what the generator makes, all types of it", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyEvent, (input) => {
        seen.add(input.type);
        expect(CATALOGUE[input.type].safeParse(input.body).error).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
    expect([...seen].sort()).toEqual(Object.keys(CATALOGUE).sort());
  });

  test("folds", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const state = foldEvents(SESSION, place(log));
        expect(state.seq).toBe(log.length);
        expect(JSON.parse(summarize(state)).phase).toBe(state.phase);
      }),
    );
  });

  test("folds in two parts as at once, through the JSON of a snapshot", () => {
    fc.assert(
      fc.property(anyLog, fc.nat(60), (log, at) => {
        const events = place(log);
        const cut = Math.min(at, events.length);
        const first = foldEvents(SESSION, events.slice(0, cut));
        const snapshot = JSON.parse(JSON.stringify(first)) as typeof first;
        expect(snapshot).toStrictEqual(first);
        const whole = foldEvents(SESSION, events);
        expect(foldEvents(SESSION, events.slice(cut), snapshot)).toStrictEqual(whole);
      }),
    );
  });

  test("does not change the state that it is folded onto", () => {
    fc.assert(
      fc.property(anyLog, anyEvent, (log, last) => {
        const before = foldEvents(SESSION, place(log));
        const text = JSON.stringify(before);
        foldEvents(SESSION, place([last], log.length), before);
        expect(JSON.stringify(before)).toBe(text);
      }),
    );
  });

  test("renders, and renders again to the same", () => {
    fc.assert(
      fc.property(anyLog, (log) => {
        const events = place(log);
        const fold = () => closeTurn(events.reduce(reduceContext, emptyContext()));
        expect(fold().digest).toBe(fold().digest);
        expect(messagesOf(fold())).toEqual(messagesOf(fold()));
        const texts = messagesOf(fold()).flatMap((message) =>
          message.role === "assistant"
            ? message.blocks.map((block) => ("text" in block ? block.text : ""))
            : [message.text],
        );
        expect(fold().bytes).toBeGreaterThanOrEqual(Buffer.byteLength(texts.join("")));
      }),
    );
  });

  test("leaves no question open: `decide` comes to a step that writes nothing, by events of the catalogue", () => {
    fc.assert(
      fc.property(anyLog, fc.integer({ min: 1, max: 3 }), fc.nat(2_000_000), (log, epoch, quietMs) => {
        let state = foldEvents(SESSION, place(log));
        for (let decisions = 0; ; decisions++) {
          const step = decide(state, nowOf(state, { epoch, quietMs: decisions === 0 ? quietMs : 0 }));
          if (step.kind !== "append") return;
          expect(step.events).not.toHaveLength(0);
          for (const { type, body } of step.events)
            expect(CATALOGUE[type].safeParse(body).error).toBeUndefined();
          state = foldEvents(SESSION, place(step.events, state.seq), state);
          expect(decisions).toBeLessThan(30);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
