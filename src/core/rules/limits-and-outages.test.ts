import { describe, expect, test } from "vitest";
import {
  answered,
  asked,
  failedWith,
  idle,
  rescheduled,
  running,
  START_MS,
  said,
} from "../../../test/support/events.ts";
import { askingWithSandbox, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable } from "../../../test/support/steps.ts";
import { decide } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

/** The back-off that is decided right after the failure, in milliseconds. */
function backOffMs(log: readonly EventInput[]): number {
  const state = stateOf(...log);
  const now = nowOf(state);
  const step = decide(state, now);
  if (step.kind !== "append" || step.events[0]?.type !== "session.status_rescheduled")
    throw new Error(`no back-off: ${JSON.stringify(step)}`);
  expect(step.events).toHaveLength(1);
  return step.events[0].body.resume_at - now.at;
}

describe("a long rate limit", () => {
  const fallback = { provider: "scripted", id: "other", max_output_tokens: 500 };
  const limited = (on_limit: "wait" | "fallback" | "stop"): EventInput[] => {
    const [made, ...rest] = askingWithSandbox({ policy: { on_limit } }) as [
      EventInput<"session.created">,
      ...EventInput[],
    ];
    const agent = { ...made.body.agent, fallback };
    const changed = event("session.created", { ...made.body, agent });
    return [changed, ...rest, failedWith(1, "rate_limit", { retry_after_ms: 3_600_000 })];
  };
  const at = START_MS + 10_000;
  const switched = event("model.switched", {
    from: "scripted:m",
    to: "scripted:other",
    until: at + 3_600_000,
    decided_at: at,
    error_class: "rate_limit",
  });
  const standIn = (state: { threads: number }, model = fallback): EventInput =>
    event("session.thread_created", {
      session_thread_id: `sthr_00000001_${state.threads}`,
      agent_name: "tester",
      reason: "model",
      renderer: 1,
      system: "Be brief.",
      tools: ["shell", "write"].map((name) => ({ name, description: `runs ${name}`, input_schema: {} })),
      model,
      from_seq: 2,
    });
  decideTable([
    {
      name: "wait: the end of the limit is in the log",
      log: limited("wait"),
      now: { at },
      step: append(
        event("session.status_rescheduled", {
          resume_at: at + 3_600_000,
          decided_at: at,
          failures: 1,
          error_class: "rate_limit",
        }),
      ),
    },
    {
      name: "stop: it rests, and says until when",
      log: limited("stop"),
      now: { at },
      step: append(
        event("session.error", {
          error: {
            type: "model_rate_limited_error",
            code: "E_MODEL_UNAVAILABLE",
            message: "scripted rate_limit",
            retry_status: { type: "exhausted" },
          },
        }),
        event("session.status_idle", { stop_reason: { type: "rate_limited", resume_at: at + 3_600_000 } }),
      ),
    },
    {
      name: "fallback: another model is asked meanwhile",
      log: limited("fallback"),
      now: { at },
      step: append(switched),
    },
    {
      name: "in a thread of its own over the same events",
      log: [...limited("fallback"), switched],
      now: { at },
      step: (state) => append(standIn(state)),
    },
    {
      name: "and afterwards its own one again",
      log: [...limited("fallback"), switched, standIn({ threads: 1 }), asked(2), failedWith(2, "network")],
      now: { at: at + 3_600_000 },
      step: (state) =>
        append(
          event("session.status_rescheduled", {
            resume_at: decidedResume(state, at + 3_600_000),
            decided_at: at + 3_600_000,
            failures: 1,
            error_class: "network",
          }),
        ),
    },
  ]);

  function decidedResume(state: Parameters<typeof nowOf>[0], when: number): number {
    const step = decide(state, nowOf(state, { at: when }));
    const [first] = step.kind === "append" ? step.events : [];
    return first?.type === "session.status_rescheduled" ? first.body.resume_at : 0;
  }

  test("a short one is waited for, whatever the policy", () => {
    for (const on_limit of ["wait", "fallback", "stop"] as const) {
      const log = [
        ...limited(on_limit).slice(0, -1),
        failedWith(1, "rate_limit", { retry_after_ms: 20_000 }),
      ];
      expect(backOffMs(log)).toBe(20_000);
    }
  });

  test("its own model is taken back as soon as it may be asked, and kept once it answers", () => {
    const log = [
      ...limited("fallback"),
      switched,
      standIn({ threads: 1 }),
      asked(2),
      answered(2),
      said("more"),
      running,
    ];
    const own = stateOf(...log, event("harness.input_accepted", { seqs: [14] }));
    expect(own.switched).not.toBeNull();
    const step = decide(own, nowOf(own, { at: at + 3_600_000 }));
    expect(step).toMatchObject({
      events: [{ type: "session.thread_created", body: { model: { id: "m" } } }],
    });
    const back = stateOf(...log, standIn({ threads: 2 }, { ...fallback, id: "m" }), asked(3), answered(3));
    expect(back.switched).toBeNull();
  });

  test("a probe of its own model that fails brings the stand-in back at once", () => {
    const own = { ...fallback, id: "m" };
    const log = [
      ...limited("fallback"),
      switched,
      standIn({ threads: 1 }),
      asked(2),
      answered(2),
      said("x"),
      running,
    ];
    const state = stateOf(...log, standIn({ threads: 2 }, own), asked(3), failedWith(3, "overloaded"));
    const step = decide(state, nowOf(state, { at: at + 3_600_000 }));
    expect(step).toMatchObject({ events: [{ type: "model.switched", body: { to: "scripted:other" } }] });
  });
});

describe("an outage", () => {
  const outage = (
    count: number,
    policy = { model_failures_max: 3, outage_ms: 6 * 3_600_000 },
  ): EventInput[] => {
    const log = askingWithSandbox({ policy });
    for (let number = 1; number <= count; number++) {
      if (number > 1) log.push(rescheduled(0, 0), asked(number));
      log.push(failedWith(number, "overloaded"));
    }
    return log;
  };

  test("opens the breaker, and from then on the provider is only probed", () => {
    const state = stateOf(...outage(3));
    const step = decide(state, nowOf(state));
    expect(step).toMatchObject({
      events: [
        { type: "breaker.tripped", body: { cause: "outage" } },
        { type: "session.status_rescheduled" },
      ],
    });
  });

  test("each probe that fails makes the next one rarer, up to half an hour", () => {
    const minutes = [4, 5, 6, 7, 12].map((count) => backOffMs(outage(count)) / 60_000);
    expect(minutes[0]).toBeGreaterThanOrEqual(7.5);
    for (const wait of minutes) expect(wait).toBeLessThanOrEqual(37.5);
    expect(minutes.at(-1)).toBeGreaterThanOrEqual(22.5);
  });

  test("a probe that is answered closes it", () => {
    expect(stateOf(...outage(5), rescheduled(0, 0), asked(6), answered(6)).retry).toBeNull();
  });

  test("ends in giving up once it has lasted as long as the policy allows", () => {
    const state = stateOf(...outage(4));
    const step = decide(state, nowOf(state, { at: START_MS + 7 * 3_600_000 }));
    expect(step).toMatchObject({ events: [{ type: "session.error" }, idle("retries_exhausted")] });
  });

  test("is none for a key that is refused: no probe mends that", () => {
    const state = stateOf(
      ...askingWithSandbox({ policy: { outage_ms: 3_600_000 } }),
      failedWith(1, "authentication"),
    );
    expect(decide(state, nowOf(state))).toMatchObject({ events: [{ type: "session.error" }, {}] });
  });
});
